"""The fact a host prints, read strictly: anything but a well-formed answer is a reason, not a fact."""

import json
import re
from collections.abc import Mapping
from typing import Any

from otto.adapters.ansible.scrub import one_line
from otto.model.host import HostFacts

SCHEMA = 1
FACT = "/etc/ansible/facts.d/otto.fact"
_SECONDS = 6
_LONGEST = 262_144
# Looser than what the fact script itself keeps to (256 characters, 512 entries).
_LONGEST_TEXT = 512
_LONGEST_PATH = 4096
_MOST_ENTRIES = 1024
_STATUS = re.compile(r"otto-status:(\d{1,3}|bare)\s*\Z")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_REASONS = {
    124: f"the fact script did not end within {_SECONDS} s",
    126: "the fact script cannot be executed",
    127: "the fact script's interpreter is missing, or there is no sudo",
    137: f"the fact script did not end within {_SECONDS} s",
}

# Bounded in time and length on the host already: a fact somebody replaced can neither hang nor flood us.
COMMAND = (
    f"{{ sudo -n timeout -k 1 {_SECONDS} {FACT} 2>/dev/null </dev/null; s=$?;"
    f" [ $s = 127 ] && [ ! -e {FACT} ] && s=bare; echo otto-status:$s; }} | head -c {_LONGEST}"
)
# A host without the script answers for itself all the same: it was never configured, or somebody took the
# script away. Either way it lacks everything, and is to be configured from the ground up.
BARE = HostFacts(fact="")


class MalformedFactError(ValueError):
    """What a host answered is no fact; the message says why."""


def read_facts(output: str) -> HostFacts:
    """Read what `COMMAND` printed; `BARE` for a host that has no fact script.

    Raises:
        MalformedFactError: it is empty, cut off, no JSON, of another schema or shape.
    """
    found = _STATUS.search(output)
    if not found:
        raise MalformedFactError("the fact's answer is too long or was cut off")
    if found[1] == "bare":
        return BARE
    status = int(found[1])
    if status:
        raise MalformedFactError(_REASONS.get(status) or f"the fact script failed with exit status {status}")
    return _facts(_object(output[: found.start()]))


def _object(text: str) -> Mapping[str, Any]:
    if not text.strip():
        raise MalformedFactError("the fact's answer is empty")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedFactError(f"the fact's answer is no JSON: {one_line(text, 80)!r}") from error
    if not isinstance(value, dict):
        raise MalformedFactError(f"the fact's answer is no object but {type(value).__name__}")
    if value.get("schema") != SCHEMA:
        raise MalformedFactError(f"the fact's schema is {_shown(value.get('schema'))}, not {SCHEMA}")
    if "error" in value:
        raise MalformedFactError(f"the fact script says: {_shown(value['error'])}")
    return value


def _facts(value: Mapping[str, Any]) -> HostFacts:
    fact = _text(value, "fact")
    if fact is None:
        raise MalformedFactError("the fact does not say its own digest")
    return HostFacts(
        fact=fact,
        files={path: _digest(path, item) for path, item in _mapping(value, "files").items()},
        services=_states(value, "services"),
        configuration=_text(value, "configuration"),
        revision=_text(value, "revision"),
        content=_text(value, "content"),
        backends=_states(value, "backends"),
    )


def _text(value: Mapping[str, Any], name: str) -> str | None:
    item = value.get(name)
    return None if item is None else _checked(item, name)


def _states(value: Mapping[str, Any], name: str) -> Mapping[str, str]:
    return {
        _checked(key, f"a name in {name}"): _checked(item, f"a state in {name}")
        for key, item in _mapping(value, name).items()
    }


def _checked(item: object, what: str, longest: int = _LONGEST_TEXT) -> str:
    if not isinstance(item, str):
        raise MalformedFactError(f"{what} of the fact is {type(item).__name__}, not text")
    if len(item) > longest:
        raise MalformedFactError(f"{what} of the fact is longer than {longest} characters")
    # JSON can escape half a character (\\ud800): no digest and no file could take it.
    if any("\ud800" <= character <= "\udfff" for character in item):
        raise MalformedFactError(f"{what} of the fact is not Unicode text")
    return item


def _mapping(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    item = value.get(name, {})
    if not isinstance(item, dict):
        raise MalformedFactError(f"{name} of the fact is {type(item).__name__}, not an object")
    if len(item) > _MOST_ENTRIES:
        raise MalformedFactError(f"{name} of the fact has more than {_MOST_ENTRIES} entries")
    return item


def _digest(path: str, item: object) -> str | None:
    _checked(path, "a path", _LONGEST_PATH)
    if item is None or (isinstance(item, str) and _DIGEST.fullmatch(item)):
        return item
    raise MalformedFactError(f"the fact's digest of {one_line(path, 200)} is malformed")


def _shown(item: object) -> str:
    return one_line(str(item), 200) if isinstance(item, str | int | float | None) else type(item).__name__
