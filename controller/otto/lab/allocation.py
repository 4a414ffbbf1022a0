"""Which subnet a site gets and which address and MAC each of its hosts has. Pure arithmetic.

A host's place in its subnet follows from its role and number alone, so that a host made anew is reached
where the old one was: .2 to .15 are balancers, .16 and up web servers.
"""

import hashlib
import ipaddress
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network

from otto.model.errors import TerminalError

SUBNET_PREFIX = 24
_FIRST = {"balancer": 2, "web": 16}
_LAST = {"balancer": 15, "web": 254}
_SPARE = 4


def parse_pool(text: str) -> IPv4Network:
    """Read the setting.

    Raises:
        TerminalError: not an IPv4 network, not a private one, or too small for a single subnet.
    """
    mend = "set lab.pool to a private network that nothing else uses, as 10.203.0.0/16"
    try:
        pool = IPv4Network(text)
    except ValueError as error:
        raise TerminalError(f"lab.pool {text!r} is no IPv4 network: {error}", mend=mend) from error
    if not pool.is_private or pool.is_loopback or pool.is_link_local:
        raise TerminalError(f"lab.pool {text} is not a private network", mend=mend)
    if pool.prefixlen > SUBNET_PREFIX:
        raise TerminalError(f"lab.pool {text} is smaller than one /{SUBNET_PREFIX} subnet", mend=mend)
    return pool


def candidates(pool: IPv4Network, taken: Iterable[IPv4Network], key: str) -> Iterator[IPv4Network]:
    """Subnets of the pool that overlap nothing taken, each once, in an order of the key's own.

    Several controllers allocate from one pool by trying; starting from different places they seldom meet.

    Args:
        pool: where subnets come from.
        taken: subnets in use, inside the pool or not.
        key: names who asks.
    """
    used = [network for network in taken if network.overlaps(pool)]
    count = 1 << (SUBNET_PREFIX - pool.prefixlen)
    start = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) % count
    size = 1 << (32 - SUBNET_PREFIX)
    for step in range(count):
        base = int(pool.network_address) + (start + step) % count * size
        subnet = IPv4Network((base, SUBNET_PREFIX))
        if not any(subnet.overlaps(network) for network in used):
            yield subnet


def gateway(subnet: IPv4Network) -> IPv4Address:
    """The machine's own address in a subnet: the first."""
    return subnet.network_address + 1


def address(subnet: IPv4Network, role: str, index: int) -> IPv4Address:
    """The address of a site's host.

    Args:
        subnet: the site's.
        role: `web` or `balancer`.
        index: number of the host in its role, from 1.

    Raises:
        TerminalError: the role is unknown, or the subnet has no place for so many.
    """
    if role not in _FIRST:
        raise TerminalError(f"the lab has no role {role!r}", mend=f"one of: {', '.join(_FIRST)}")
    place = _FIRST[role] + index - 1
    if not (_FIRST[role] <= place <= _LAST[role] and place < subnet.num_addresses - 1):
        most = min(_LAST[role], subnet.num_addresses - 2) - _FIRST[role] + 1
        raise TerminalError(f"{subnet} has no place for {role} {index}", mend=f"from 1 to {most}")
    return subnet.network_address + place


def places(subnet: IPv4Network, role: str, index: int) -> Iterator[IPv4Address]:
    """Addresses that a host may have: its own, then a few that its role has to spare.

    Podman now and then believes that an address is in use whose container it has removed, until the machine
    starts again: a host must not wait for that.

    Raises:
        TerminalError: as `address` does.
    """
    own = address(subnet, role, index)
    last = min(subnet.network_address + _LAST[role], subnet.broadcast_address - 1)
    yield own
    yield from (last - step for step in range(_SPARE) if last - step > own)


def index_of(subnet: IPv4Network, role: str, host: IPv4Address) -> int:
    """The number of a host, told by its address; 0 when the address is none of its role's."""
    place = int(host) - int(subnet.network_address)
    if role not in _FIRST or not _FIRST[role] <= place <= _LAST[role]:
        return 0
    return place - _FIRST[role] + 1


def mac(host: IPv4Address) -> str:
    """The MAC that goes with an address: locally administered (IEEE 802, bit 1 of the first octet).

    A host that comes back with the same address and another MAC is unreachable for its neighbours until
    their ARP entries age (37 s were measured).
    """
    return ":".join(f"{octet:02x}" for octet in (0x02, 0x42, *host.packed))


def subnets(configured: Iterable[str]) -> tuple[IPv4Network, ...]:
    """IPv4 subnets out of an engine's network listings, whatever else they hold."""
    found = (ipaddress.ip_network(text, strict=False) for text in configured if text)
    return tuple(network for network in found if isinstance(network, IPv4Network))
