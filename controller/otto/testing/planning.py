"""What Terraform would plan for simulated hosts: inputs against state against what lives."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from otto.model.host import HostState
from otto.model.infrastructure import InfrastructureInputs, ResourceChange
from otto.model.spec import Role
from otto.testing.hosts import SimHost

HOST = "lab_host"
NETWORK = "lab_network"
OUTPUT = "output"
PREFIX = "module.site."


@dataclass(frozen=True, slots=True)
class Wanted:
    """A host the inputs ask for."""

    name: str
    site: str
    role: Role
    image: str
    size: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """A host as the state has it."""

    id: str
    name: str
    role: Role
    image: str
    size: str
    address: str

    @classmethod
    def of(cls, host: SimHost) -> "Recorded":
        """Record a host as it is now."""
        return cls(host.id, host.name, host.role, host.image, host.size, host.address)


def wanted(inputs: InfrastructureInputs) -> dict[str, Wanted]:
    """The hosts the inputs ask for, by name; a pinned one with the image, and the size, it keeps."""
    groups = {Role.WEB: inputs.web, Role.BALANCER: inputs.balancer}
    found = {
        f"{inputs.site}-{role.value}-{number}": (role, group)
        for role, group in groups.items()
        for number in range(1, group.count + 1)
    }
    return {
        name: Wanted(
            name,
            inputs.site,
            role,
            inputs.pinned.get(name, group.image),
            inputs.sizes.get(name, group.size),
        )
        for name, (role, group) in found.items()
    }


def changes(
    inputs: InfrastructureInputs,
    recorded: Mapping[str, Recorded],
    live: Mapping[str, SimHost],
    network: ResourceChange | None = None,
) -> tuple[ResourceChange, ...]:
    """What has to change, sorted by address, no-ops left out.

    Args:
        inputs: what is asked for.
        recorded: hosts of the state.
        live: hosts alive under the site's and our labels.
        network: what has to be done about the site's network.
    """
    found = [*_hosts(inputs, recorded, live), *((network,) if network else ())]
    if not found and vanished(inputs, recorded, live):
        found = [ResourceChange("output.hosts", OUTPUT, ("update",), drifted=True)]
    return tuple(sorted(found, key=lambda change: (change.address, change.verbs)))


def vanished(
    inputs: InfrastructureInputs, recorded: Mapping[str, Recorded], live: Mapping[str, SimHost]
) -> frozenset[str]:
    """Hosts that the state still holds, that are gone, and that nobody wants: an apply forgets them."""
    return frozenset(
        name
        for name in recorded.keys() - wanted(inputs).keys()
        if name not in live or not _is_known(live[name], recorded[name])
    )


def drift(recorded: Mapping[str, Recorded], live: Mapping[str, SimHost]) -> tuple[ResourceChange, ...]:
    """What changed outside the plans, sorted by address."""
    found = (_drifted(recorded[name], live.get(name)) for name in sorted(recorded))
    return tuple(change for change in found if change)


def adoptable(
    inputs: InfrastructureInputs, recorded: Mapping[str, Recorded], live: Mapping[str, SimHost]
) -> list[SimHost]:
    """Hosts that are alive and wanted, and that the state lacks, by name."""
    names = sorted(wanted(inputs).keys() & live.keys())
    return [live[name] for name in names if not _is_known(live[name], recorded.get(name))]


def address(role: Role, name: str) -> str:
    """A host's address in the state."""
    return f'{PREFIX}{HOST}.{role.value}["{name}"]'


def _is_known(host: SimHost, known: Recorded | None) -> bool:
    """Whether it is the host that the state speaks of; another one of its name is not it."""
    return known is not None and known.id == host.id


def _hosts(
    inputs: InfrastructureInputs, recorded: Mapping[str, Recorded], live: Mapping[str, SimHost]
) -> Iterator[ResourceChange]:
    names = wanted(inputs)
    for name in sorted(names.keys() | recorded.keys()):
        host, known, want = live.get(name), recorded.get(name), names.get(name)
        if want is None:
            if host is not None and _is_known(host, known):
                yield _change(host.role, name, ("delete",), reason="delete_because_each_key")
        elif host is None:
            yield _change(want.role, name, ("create",), drifted=known is not None)
        else:
            yield from _compared(want, host, known, by_request=name in inputs.replace)


def _compared(
    want: Wanted, host: SimHost, known: Recorded | None, *, by_request: bool
) -> Iterator[ResourceChange]:
    stays = _is_known(host, known)
    changed = _differing(host, image=want.image, size=want.size)
    drifted = known is not None and bool(_differing(host, image=known.image, size=known.size))
    verbs, reason = _verbs(changed, by_request=by_request and stays)
    if verbs == ("no-op",) and stays:
        return
    yield _change(
        want.role,
        want.name,
        verbs,
        changed=changed,
        replace_for=("image",) if "image" in changed else (),
        reason=reason,
        importing=not stays,
        drifted=drifted,
    )


def _verbs(changed: tuple[str, ...], *, by_request: bool) -> tuple[tuple[str, ...], str]:
    """What is done to a host whose attributes differ, and Terraform's reason for it."""
    if by_request:
        return ("delete", "create"), "replace_by_request"
    if "image" in changed:
        return ("delete", "create"), "replace_because_cannot_update"
    return ("update",) if changed else ("no-op",), ""


def _differing(host: SimHost, *, image: str, size: str) -> tuple[str, ...]:
    """Names of the attributes in which a host is not as said, and running."""
    told = {"image": host.image != image, "running": host.state is not HostState.RUNNING}
    return tuple(name for name, differs in (told | {"size": host.size != size}).items() if differs)


def _drifted(known: Recorded, host: SimHost | None) -> ResourceChange | None:
    if host is None or not _is_known(host, known):
        return _change(known.role, known.name, ("delete",), drifted=True)
    changed = _differing(host, image=known.image, size=known.size)
    return _change(known.role, known.name, ("update",), changed=changed, drifted=True) if changed else None


def _change(
    role: Role,
    name: str,
    verbs: tuple[str, ...],
    *,
    changed: tuple[str, ...] = (),
    replace_for: tuple[str, ...] = (),
    reason: str = "",
    importing: bool = False,
    drifted: bool = False,
) -> ResourceChange:
    return ResourceChange(
        address(role, name), HOST, verbs, changed, replace_for, reason, name, importing, drifted
    )
