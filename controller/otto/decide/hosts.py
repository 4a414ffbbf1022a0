"""Machines that people declare: judged together, and taken for hosts of their sites."""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from otto.model.canonical import digest, short
from otto.model.catalogue import Catalogue
from otto.model.declared import DeclaredHost
from otto.model.host import Endpoint, Host, HostState, LiveHost
from otto.model.observed import InfrastructureState
from otto.model.problem import Problem
from otto.model.spec import Role

PREFIX = "host/"
"""Before a host's name where it stands beside names of sites: `Problem.site`, `SpecFile.names`."""

ID = "declared:"
"""Begins the id of a declared host."""


def key(name: str) -> str:
    """A host's name beside names of sites."""
    return PREFIX + name


def is_host(name: str) -> bool:
    """Whether a name beside names of sites is a host's."""
    return name.startswith(PREFIX)


def problems(declared: Mapping[str, Sequence[DeclaredHost]], sites: Container[str]) -> Iterator[Problem]:
    """What is wrong with declared hosts that no document can know of itself.

    Args:
        declared: those that are valid by themselves, by name.
        sites: names of sites that have a spec, good or bad.
    """
    places: defaultdict[tuple[str, int], list[DeclaredHost]] = defaultdict(list)
    for specs in declared.values():
        for spec in specs:
            places[spec.address.lower(), spec.ssh_port].append(spec)
            if len(specs) > 1:
                others = ", ".join(sorted(_where(one) for one in specs if one is not spec)[:3])
                message = f'the host "{spec.name}" is declared twice, so neither is used'
                yield _problem(spec, "/metadata/name", message, f"also in {others}", "keep one of them")
            if spec.site and spec.site not in sites:
                message = f'there is no site "{spec.site}" to serve'
                yield _problem(spec, "/spec/site", message, "", "remove it, or add that site")
    for (address, _), specs in places.items():
        if len({spec.name for spec in specs}) > 1:
            for spec in specs:
                names = ", ".join(sorted({one.name for one in specs} - {spec.name})[:3])
                message = f"the machine at {address} is declared more than once"
                yield _problem(spec, "/spec/address", message, f"also as {names}", "keep one of them")


def _problem(spec: DeclaredHost, pointer: str, message: str, found: str, mend: str) -> Problem:
    return Problem(spec.file, spec.line, 1, pointer, message, found=found, mend=mend, site=key(spec.name))


def _where(spec: DeclaredHost) -> str:
    return f"{spec.file}:{spec.line}"


def moved(before: Catalogue, after: Catalogue) -> frozenset[str]:
    """Sites whose declared hosts come, go, or are declared otherwise."""
    old, new = (
        {name: replace(spec, file="", line=0, labels={}) for name, spec in catalogue.hosts.items()}
        for catalogue in (before, after)
    )
    changed = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
    return frozenset(
        specs[name].site for specs in (old, new) for name in changed if name in specs and specs[name].site
    )


def declared_for(site: str, catalogue: Catalogue) -> tuple[DeclaredHost, ...]:
    """The declared hosts that serve a site, by name."""
    return tuple(spec for _, spec in sorted(catalogue.hosts.items()) if spec.site == site)


def as_host(spec: DeclaredHost) -> Host:
    """A declared host as those that OttO made are known."""
    return Host(
        name=spec.name,
        role=spec.role,
        id=_id(spec),
        address=spec.address,
        private_address=spec.private_address or spec.address,
        ssh_port=spec.ssh_port,
        ssh_user=spec.ssh_user,
        http_port=spec.http_port,
        host_key=spec.host_key,
    )


def _id(spec: DeclaredHost) -> str:
    """Another one for what is reached otherwise: nothing that was seen of it holds any more."""
    return f"{ID}{spec.name}:{short(digest([spec.address, spec.ssh_port, spec.host_key]))}"


def is_declared(host: Host) -> bool:
    """Whether a person declared it: OttO neither made nor removes it."""
    return host.id.startswith(ID)


def with_declared(state: InfrastructureState, declared: Iterable[DeclaredHost]) -> InfrastructureState:
    """What Terraform's state holds, and beside it what people declared."""
    hosts = [as_host(spec) for spec in declared]
    if not hosts:
        return state
    taken = {host.name for host in hosts}
    made = [host for host in state.hosts if host.name not in taken]
    ports = {(one.address, one.port) for one in state.endpoints}
    more = [
        Endpoint(host.address, host.http_port, _url(host))
        for host in hosts
        if host.role is Role.BALANCER and (host.address, host.http_port) not in ports
    ]
    return replace(state, hosts=(*made, *hosts), endpoints=(*state.endpoints, *more))


def _url(host: Host) -> str:
    address = f"[{host.address}]" if ":" in host.address else host.address
    return f"http://{address}" + ("" if host.http_port == 80 else f":{host.http_port}")  # noqa: PLR2004


def listed(site: str, live: Iterable[LiveHost], declared: Iterable[DeclaredHost]) -> tuple[LiveHost, ...]:
    """What the provider lists of a site, and beside it what people declared: that is taken to run."""
    more = (
        LiveHost(_id(spec), spec.name, site, spec.role.value, HostState.RUNNING, spec.address)
        for spec in declared
    )
    return (*live, *more)
