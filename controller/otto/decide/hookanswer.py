"""What a policy hook answered, as reasons. What cannot be read in full is not read at all.

Two forms are known: OttO's own, `{"reasons": [{"rule", "message", "mend", "effect"}]}`, and the results of
conftest (`conftest test --output json`, https://www.conftest.dev/output): a list of objects with `failures`,
which refuse, and `warnings`, which warn.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from otto.model.text import one_line
from otto.model.verdict import Effect, Reason

PREFIX = "hook."
_MOST = 50
_RULE, _MESSAGE, _MEND = 60, 500, 300
_EFFECTS = {effect.name.lower(): effect for effect in Effect}
_FIELDS = frozenset({"rule", "message", "mend", "effect"})
# Conftest leaves out lists that are empty; every result has these two.
_RESULT = frozenset({"namespace", "successes"})


class Unreadable(ValueError):  # noqa: N818  (an answer, not an error of the program)
    """The answer is none; the message says why, as the end of `it answered …`."""


def reasons(output: bytes) -> tuple[Reason, ...]:
    """The reasons that a hook gives, the strictest first.

    Args:
        output: what it wrote to standard output.

    Raises:
        Unreadable: that is neither nothing nor one of the two forms.
    """
    if not output.strip():
        return ()
    try:
        answer = json.loads(output)
    except (ValueError, RecursionError):
        raise Unreadable("what is not JSON") from None
    found = sorted(_findings(answer), key=lambda item: -item.effect)
    if len(found) > _MOST:
        left = f"the hook gives {len(found) - _MOST} more reasons, which are not shown"
        found = [*found[:_MOST], Reason(f"{PREFIX}more", left, effect=found[_MOST].effect)]
    return tuple(found)


def _findings(answer: object) -> Iterator[Reason]:
    if isinstance(answer, Mapping):
        found = answer.get("reasons")
        if not isinstance(found, list):
            raise Unreadable('an object without a list "reasons"')
        yield from map(_own, found)
    elif isinstance(answer, list):
        for result in answer:
            yield from _conftest(result)
    else:
        raise Unreadable("neither an object nor a list")


def _own(found: object) -> Reason:
    if not isinstance(found, Mapping) or not found.keys() <= _FIELDS:
        raise Unreadable(f"a reason that is no object of {', '.join(sorted(_FIELDS))}")
    texts = {name: found.get(name, "") for name in ("rule", "message", "mend")}
    for name, text in texts.items():
        if not isinstance(text, str):
            raise Unreadable(f"a reason whose {name} is no text")
    effect = found.get("effect", "refuse")
    if not isinstance(effect, str) or effect not in _EFFECTS:
        raise Unreadable(f"a reason whose effect is none of {', '.join(_EFFECTS)}")
    return _reason(texts["rule"], texts["message"], texts["mend"], _EFFECTS[effect])


def _conftest(result: object) -> Iterator[Reason]:
    if not isinstance(result, Mapping) or not result.keys() >= _RESULT:
        raise Unreadable("a list of what are no results of conftest")
    for name, effect in (("failures", Effect.REFUSE), ("warnings", Effect.WARN)):
        for finding in _list(result.get(name)):
            message = finding.get("msg") if isinstance(finding, Mapping) else None
            if not isinstance(message, str):
                raise Unreadable(f"{name} of conftest without a text msg")
            yield _reason(str(result["namespace"]), message, "", effect)


def _list(value: object) -> Sequence[object]:
    if value is not None and not isinstance(value, list):
        raise Unreadable("results of conftest that are no list")
    return value or ()


def _reason(rule: str, message: str, mend: str, effect: Effect) -> Reason:
    return Reason(
        rule=PREFIX + _name(rule),
        message=one_line(message, _MESSAGE) or "the policy hook gives no message",
        mend=one_line(mend, _MEND),
        effect=effect,
    )


def _name(rule: str) -> str:
    plain = re.sub(r"[^a-z0-9.-]+", "-", rule[: 4 * _RULE].lower().removeprefix(PREFIX))
    return plain[:_RULE].strip("-.") or "unnamed"
