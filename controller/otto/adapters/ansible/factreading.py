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
_STATUS = re.compile(r"otto-status:(\d{1,3})\s*\Z")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_REASONS = {
    124: f"the fact script did not end within {_SECONDS} s",
    126: "the fact script cannot be executed",
    127: "there is no fact script on this host, or no sudo",
    137: f"the fact script did not end within {_SECONDS} s",
}

# Bounded in time and length on the host already: a fact somebody replaced can neither hang nor flood us.
COMMAND = (
    f"{{ sudo -n timeout -k 1 {_SECONDS} {FACT} 2>/dev/null </dev/null; echo otto-status:$?; }}"
    f" | head -c {_LONGEST}"
)


class MalformedFactError(ValueError):
    """What a host answered is no fact; the message says why."""


def read_facts(output: str) -> HostFacts:
    """Read what `COMMAND` printed.

    Raises:
        MalformedFactError: it is empty, cut off, no JSON, of another schema or shape.
    """
    found = _STATUS.search(output)
    if not found:
        raise MalformedFactError("the fact's answer is too long or was cut off")
    status = int(found[1])
    if status:
        raise MalformedFactError(_REASONS.get(status) or f"the fact script failed with exit status {status}")
    return _facts(_object(output[: found.start()]))


def _object(text: str) -> Mapping[str, Any]:
    if not text.strip():
        raise MalformedFactError("the fact's answer is empty")
    try:
        value = json.loads(text)
    except ValueError as error:
        raise MalformedFactError(f"the fact's answer is no JSON: {one_line(text, 80)!r}") from error
    if not isinstance(value, dict):
        raise MalformedFactError(f"the fact's answer is no object but {type(value).__name__}")
    if value.get("schema") != SCHEMA:
        raise MalformedFactError(f"the fact's schema is {value.get('schema')!r}, not {SCHEMA}")
    if "error" in value:
        raise MalformedFactError(f"the fact script says: {one_line(str(value['error']), 200)}")
    return value


def _facts(value: Mapping[str, Any]) -> HostFacts:
    fact = _text(value, "fact")
    if fact is None:
        raise MalformedFactError("the fact does not say its own digest")
    return HostFacts(
        fact=fact,
        files={path: _digest(path, item) for path, item in _mapping(value, "files").items()},
        services={unit: str(state) for unit, state in _mapping(value, "services").items()},
        configuration=_text(value, "configuration"),
        revision=_text(value, "revision"),
        content=_text(value, "content"),
        backends={server: str(status) for server, status in _mapping(value, "backends").items()},
    )


def _text(value: Mapping[str, Any], name: str) -> str | None:
    item = value.get(name)
    if item is not None and not isinstance(item, str):
        raise MalformedFactError(f"{name} of the fact is {type(item).__name__}, not text")
    return item


def _mapping(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    item = value.get(name, {})
    if not isinstance(item, dict):
        raise MalformedFactError(f"{name} of the fact is {type(item).__name__}, not an object")
    return item


def _digest(path: str, item: object) -> str | None:
    if item is None or (isinstance(item, str) and _DIGEST.fullmatch(item)):
        return item
    raise MalformedFactError(f"the fact's digest of {path} is malformed")
