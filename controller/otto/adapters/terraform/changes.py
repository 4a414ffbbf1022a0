"""From Terraform's plan as JSON to canonical changes: names of what changes, never values.

The format is "JSON Output Format" of Terraform (format_version 1.x), the same in OpenTofu.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from otto.adapters.terraform.document import at, mapping, sequence, text
from otto.adapters.terraform.messages import Event
from otto.model.infrastructure import ResourceChange

HostTypes = Mapping[str, str]

_NOTHING = ("no-op",)
# As messages call what neither makes nor changes a resource.
_IDLE = ("noop", "read")


def changes(plan: Mapping[str, Any], host_types: HostTypes) -> tuple[ResourceChange, ...]:
    """What a plan would do, sorted by address, no-ops and reads left out.

    When nothing but outputs change (an address moved outside Terraform), they stand for the plan, as
    resources of type `output`: the state is out of date until it is applied.

    Args:
        plan: the object that `show -json` prints for a plan.
        host_types: resource type -> dotted path of the attribute that holds a host's name.

    Raises:
        ValueError: the format is not one this code knows.
    """
    _check_format(plan)
    drifted = frozenset(text(item.get("address")) for item in _drift(plan))
    found = [
        _change(item, host_types, drifted=text(item.get("address")) in drifted)
        for item in map(mapping, sequence(plan.get("resource_changes")))
        if _matters(item)
    ]
    return _sorted(found) if found else _outputs(plan, drifted=bool(drifted))


def creations(events: Iterable[Event], host_types: HostTypes) -> tuple[ResourceChange, ...]:
    """What a plan would do, by its messages alone, sorted by address; empty unless all it does is create.

    To create a resource says all there is to say of it: no attribute changes and nothing forces it. A plan
    that does anything else has to be shown, which starts every provider once more.
    """
    planned = [event for event in events if event.type in ("planned_change", "resource_drift")]
    kept = [event for event in planned if event.action not in _IDLE]
    if not all(event.type == "planned_change" and event.action == "create" for event in kept):
        return ()
    return _sorted(
        [
            ResourceChange(
                address=event.address,
                type=event.resource,
                verbs=("create",),
                host=event.key if event.resource in host_types else "",
            )
            for event in kept
        ]
    )


def drift(plan: Mapping[str, Any], host_types: HostTypes) -> tuple[ResourceChange, ...]:
    """What changed outside Terraform, as a refresh-only plan shows it; sorted by address.

    Raises:
        ValueError: the format is not one this code knows.
    """
    _check_format(plan)
    return _sorted([_change(item, host_types, drifted=True) for item in _drift(plan)])


def _check_format(plan: Mapping[str, Any]) -> None:
    version = text(plan.get("format_version"))
    if version.partition(".")[0] != "1":
        raise ValueError(f"plan format {version or 'unnamed'} is unknown, 1.x is expected")


def _sorted(found: list[ResourceChange]) -> tuple[ResourceChange, ...]:
    return tuple(sorted(found, key=lambda change: (change.address, change.verbs)))


def _drift(plan: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    items = map(mapping, sequence(plan.get("resource_drift")))
    return [item for item in items if _verbs(item) != _NOTHING and item.get("mode") != "data"]


def _matters(item: Mapping[str, Any]) -> bool:
    if item.get("mode") == "data":
        return False
    importing = bool(mapping(item.get("change")).get("importing"))
    return _verbs(item) != _NOTHING or importing or "previous_address" in item


def _verbs(item: Mapping[str, Any]) -> tuple[str, ...]:
    actions = sequence(mapping(item.get("change")).get("actions"))
    return tuple(text(action) for action in actions) or _NOTHING


def _change(item: Mapping[str, Any], host_types: HostTypes, *, drifted: bool) -> ResourceChange:
    change = mapping(item.get("change"))
    replace_for = _replace_for(change)
    return ResourceChange(
        address=text(item.get("address")),
        type=text(item.get("type")),
        verbs=_verbs(item),
        changed=tuple(sorted(_changed(change, _verbs(item)) | set(replace_for))),
        replace_for=replace_for,
        reason=text(item.get("action_reason")) or ("moved" if "previous_address" in item else ""),
        host=_host(item, change, host_types),
        importing=bool(change.get("importing")),
        drifted=drifted,
    )


def _changed(change: Mapping[str, Any], verbs: tuple[str, ...]) -> set[str]:
    """Names of attributes that change; a new or vanishing resource changes none, it comes or goes."""
    before, after = change.get("before"), change.get("after")
    if not isinstance(before, dict) or not isinstance(after, dict):
        return set()
    unknown = mapping(change.get("after_unknown"))
    open_ended = {name for name in unknown if _any_true(unknown[name])}
    known = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    # What a replacement leaves to be computed (its id, its address) follows from the replacement.
    return known - open_ended if "create" in verbs else known | open_ended


def _any_true(value: object) -> bool:
    if isinstance(value, dict):
        return any(_any_true(item) for item in value.values())
    if isinstance(value, list):
        return any(_any_true(item) for item in value)
    return value is True


def _replace_for(change: Mapping[str, Any]) -> tuple[str, ...]:
    paths = map(sequence, sequence(change.get("replace_paths")))
    return tuple(sorted({str(path[0]) for path in paths if path}))


def _host(item: Mapping[str, Any], change: Mapping[str, Any], host_types: HostTypes) -> str:
    path = host_types.get(text(item.get("type")))
    if path is None:
        return ""
    for side in ("before", "after"):
        name = at(change.get(side), path)
        if isinstance(name, str) and at(change.get(f"{side}_sensitive"), path) is not True:
            return name
    return text(item.get("index"))


def _outputs(plan: Mapping[str, Any], *, drifted: bool) -> tuple[ResourceChange, ...]:
    outputs = mapping(plan.get("output_changes"))
    return tuple(
        ResourceChange(f"output.{name}", "output", tuple(map(text, actions)), drifted=drifted)
        for name in sorted(outputs)
        if (actions := sequence(mapping(outputs[name]).get("actions"))) != list(_NOTHING)
    )
