"""What Terraform would plan for simulated hosts: inputs against state against what lives."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from otto.model.host import HostState
from otto.model.infrastructure import InfrastructureInputs, ResourceChange
from otto.model.spec import Role
from otto.testing.hosts import SimHost

HOST = "lab_host"
NETWORK = "lab_network"


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
    """The hosts the inputs ask for, by name."""
    groups = {Role.WEB: inputs.web, Role.BALANCER: inputs.balancer}
    found = [
        Wanted(f"{inputs.site}-{role.value}-{number}", inputs.site, role, group.image, group.size)
        for role, group in groups.items()
        for number in range(1, group.count + 1)
    ]
    return {want.name: want for want in found}


def changes(
    names: Mapping[str, Wanted],
    recorded: Mapping[str, Recorded],
    live: Mapping[str, SimHost],
    *,
    has_network: bool,
) -> tuple[ResourceChange, ...]:
    """What has to change, sorted by address, no-ops left out."""
    found = [
        *(() if has_network else (ResourceChange("module.site.lab_network.site", NETWORK, ("create",)),)),
        *_hosts(names, recorded, live),
    ]
    return tuple(sorted(found, key=lambda change: (change.address, change.verbs)))


def _hosts(
    names: Mapping[str, Wanted], recorded: Mapping[str, Recorded], live: Mapping[str, SimHost]
) -> Iterator[ResourceChange]:
    for name in sorted(names.keys() | recorded.keys() | live.keys()):
        host, known = live.get(name), recorded.get(name)
        # The refresh finds out whether the recorded host is there; another one of its name is not it.
        vanished = known is not None and (host is None or host.id != known.id)
        want = names.get(name)
        if want is None:
            yield from _unwanted(name, known, host)
        elif host is None:
            yield _change(want.role, name, ("create",), drifted=vanished)
        else:
            yield from _compared(want, host, importing=known is None or vanished, known=known)


def _unwanted(name: str, known: Recorded | None, host: SimHost | None) -> Iterator[ResourceChange]:
    if host is not None:
        reason = "delete_because_each_key"
        yield _change(host.role, name, ("delete",), reason=reason, importing=known is None)


def _compared(
    want: Wanted, host: SimHost, *, importing: bool, known: Recorded | None
) -> Iterator[ResourceChange]:
    if host.image != want.image:
        yield _change(
            want.role,
            want.name,
            ("delete", "create"),
            changed=("image",),
            replace_for=("image",),
            reason="replace_because_cannot_update",
            importing=importing,
            drifted=known is not None and known.image != host.image,
        )
        return
    stopped = host.state is not HostState.RUNNING
    changed = (*(("running",) if stopped else ()), *(("size",) if host.size != want.size else ()))
    drifted = stopped or (known is not None and known.size != host.size)
    if changed:
        yield _change(
            want.role, want.name, ("update",), changed=changed, importing=importing, drifted=drifted
        )
    elif importing:
        yield _change(want.role, want.name, ("no-op",), importing=True)


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
    address = f'module.site.{HOST}.{role.value}["{name}"]'
    return ResourceChange(address, HOST, verbs, changed, replace_for, reason, name, importing, drifted)
