"""Who has authority over a zone, and over the one above it; where their servers are."""

import dns.inet
import dns.resolver

from otto.adapters.dns.access import Access
from otto.adapters.dns.questions import DNS_PORT, Place, ask
from otto.decide.dns.wanted import Wanted
from otto.model.domain import DomainSpec

_ADDRESSES = ("A", "AAAA")


def resolvers(domain: DomainSpec) -> tuple[Place, ...]:
    """The resolvers of choice of a zone."""
    return tuple(_place(text) for text in domain.resolvers)


def stubs(access: Access) -> tuple[Place, ...]:
    """Whom names of servers are looked up at: the settings' resolvers, else the system's."""
    if access.resolvers:
        return tuple(_place(text) for text in access.resolvers)
    try:
        system = dns.resolver.Resolver()
    except dns.resolver.NoResolverConfiguration:
        return ()
    return tuple(Place(str(each), str(each), system.port, recursive=True) for each in system.nameservers)


async def lookup(name: str, type_: str, access: Access) -> frozenset[str] | None:
    """What the first resolver that knows says; None where none does."""
    for stub in stubs(access):
        answer = await ask(stub, name, type_, access.timeout)
        if answer.message is not None and answer.usable:
            found = answer.message.answer
            return frozenset(
                rdata.to_text() for rrset in found for rdata in rrset if rdata.rdtype.name == type_
            )
    return None


async def servers(
    domain: DomainSpec, wanted: Wanted, access: Access
) -> tuple[tuple[Place, ...], tuple[str, ...]]:
    """Servers with authority over a zone, and names of those whose address nobody knows.

    The server that is updated comes first; then those of the spec, or else of the delegation.
    """
    found: dict[tuple[str, int], Place] = {}
    if access.server and domain.provider.value == "rfc2136":
        primary = access.server
        for address in await _addresses(primary.address, wanted, domain, access):
            found[address, primary.port] = Place(primary.address, address, primary.port)
            break
    names = [f"{name}." for name in domain.nameservers]
    if not names and not found:
        names = sorted(await lookup(domain.name, "NS", access) or ())
    lost = []
    for name in names:
        addresses = await _addresses(name.removesuffix("."), wanted, domain, access)
        if not addresses:
            lost.append(name.removesuffix("."))
        for address in addresses:
            port = _port(address, access)
            found.setdefault((address, port), Place(name.removesuffix("."), address, port))
    return tuple(found.values()), tuple(lost)


async def parents(domain: DomainSpec, access: Access) -> tuple[str, tuple[Place, ...]]:
    """The zone above, and its servers; "" and none where they are not found.

    Where nobody tells whether there is a zone, none further up is taken for it.
    """
    if access.parent:
        zone, server = access.parent
        return zone, (Place(server.address, server.address, server.port),)
    name = domain.name.partition(".")[2]
    while name:
        names = await lookup(name, "NS", access)
        if names is None:
            break
        if names:
            places = [
                Place(server.removesuffix("."), address, access.port)
                for server in sorted(names)
                for address in await _looked_up(server, access)
            ]
            return name, tuple(places)
        name = name.partition(".")[2]
    return "", ()


async def _addresses(name: str, wanted: Wanted, domain: DomainSpec, access: Access) -> tuple[str, ...]:
    """Addresses of a server: its own if it is one, ours by the spec, known ones, else looked up."""
    if dns.inet.is_address(name):
        return (name,)
    if name in access.hosts:
        return access.hosts[name]
    inside = name.removesuffix(f".{domain.name}") if name.endswith(f".{domain.name}") else None
    if inside is not None:
        sets = [wanted.by_key.get((inside, type_)) for type_ in _ADDRESSES]
        if any(sets):
            return tuple(value for each in sets if each for value in each.values)
    return await _looked_up(f"{name}.", access)


async def _looked_up(name: str, access: Access) -> tuple[str, ...]:
    """Addresses of a server by the resolvers: of IPv4, or else of IPv6."""
    found = [await lookup(name, type_, access) for type_ in _ADDRESSES]
    return tuple(sorted(found[0] or found[1] or ()))


def _port(address: str, access: Access) -> int:
    if access.server and access.server.address == address:
        return access.server.port
    return access.port


def _place(text: str) -> Place:
    """A resolver as settings name it: `ADDRESS` or `ADDRESS#PORT`."""
    address, _, port = text.partition("#")
    return Place(address, address, int(port) if port.isdecimal() else DNS_PORT, recursive=True)
