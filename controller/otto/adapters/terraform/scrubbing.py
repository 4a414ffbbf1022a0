"""A plan fit to be shown and stored: what Terraform marks as sensitive is masked.

A provider may copy a sensitive value to where nothing marks it (`terraform_data` does, from `input` to
`output`). What is marked anywhere in a plan is therefore masked everywhere in it.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from otto.adapters.terraform.document import mapping, sequence
from otto.adapters.terraform.redaction import MASK, redact
from otto.model.canonical import Data

_SIDES = ("before", "after")
_KEPT = ("actions", "after_unknown", "replace_paths", "importing")
_NAMED = ("address", "mode", "type", "name", "index", "action_reason", "previous_address", "deposed")


def scrubbed(plan: Mapping[str, Any], secrets: Collection[str] = ()) -> dict[str, Data]:
    """The parts of a plan that say what changes, without anything sensitive.

    Variables, the prior state, planned values and configuration are left out altogether: they hold
    values that nothing marks.

    Args:
        plan: the object that `show -json` prints for a plan.
        secrets: values known to be secret, masked wherever they stand.
    """
    shown = {
        "resource_changes": [_resource(item) for item in sequence(plan.get("resource_changes"))],
        "resource_drift": [_resource(item) for item in sequence(plan.get("resource_drift"))],
        "output_changes": {
            name: _change(mapping(change)) for name, change in mapping(plan.get("output_changes")).items()
        },
    }
    known = frozenset(secrets) | marked(plan)
    return {"format_version": plan.get("format_version"), **mapping(_without(shown, known))}


def marked(plan: Mapping[str, Any]) -> frozenset[str]:
    """Strings that a plan marks as sensitive somewhere."""
    parts = [*sequence(plan.get("resource_changes")), *sequence(plan.get("resource_drift"))]
    changes = [mapping(part).get("change") for part in parts] + [
        *mapping(plan.get("output_changes")).values()
    ]
    return frozenset(
        text
        for change in map(mapping, changes)
        for side in _SIDES
        for text in _marked(change.get(side), change.get(f"{side}_sensitive"))
    )


def _resource(item: object) -> dict[str, Data]:
    resource = mapping(item)
    named = {name: resource[name] for name in _NAMED if name in resource}
    return named | {"change": _change(mapping(resource.get("change")))}


def _change(change: Mapping[str, Any]) -> dict[str, Data]:
    kept: dict[str, Data] = {name: change[name] for name in _KEPT if name in change}
    sides = {side: masked(change.get(side), change.get(f"{side}_sensitive")) for side in _SIDES}
    return kept | sides


def masked(value: Any, sensitive: object) -> Data:  # noqa: ANN401  (JSON as Terraform wrote it)
    """A value with every part masked that a parallel structure marks `true`.

    A mark that does not fit the value's shape masks the value as a whole.
    """
    if sensitive is True:
        return MASK
    if sensitive in (False, None):
        return value  # type: ignore[no-any-return]
    if isinstance(value, dict) and isinstance(sensitive, dict):
        return {name: masked(item, sensitive.get(name)) for name, item in value.items()}
    if isinstance(value, list) and isinstance(sensitive, list):
        marks = [*sensitive, *[False] * len(value)]
        return [masked(item, mark) for item, mark in zip(value, marks, strict=False)]
    return value if value is None or not sensitive else MASK


def _marked(value: object, sensitive: object) -> Iterator[str]:
    """Strings at the places that a parallel structure marks `true`."""
    if isinstance(value, str) and sensitive:
        yield value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _marked(item, sensitive is True or mapping(sensitive).get(name))
    elif isinstance(value, list):
        marks = [*sequence(sensitive), *[False] * len(value)]
        for item, mark in zip(value, marks, strict=False):
            yield from _marked(item, sensitive is True or mark)


def _without(value: Any, secrets: Collection[str]) -> Any:  # noqa: ANN401
    if isinstance(value, str):
        return redact(value, secrets, limit=None)
    if isinstance(value, dict):
        return {name: _without(item, secrets) for name, item in value.items()}
    if isinstance(value, list):
        return [_without(item, secrets) for item in value]
    return value
