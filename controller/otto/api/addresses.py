"""Where a request comes from, and to whom it was sent: out of headers that anybody may write."""

import ipaddress
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from otto.model.errors import UsageError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
_HOPS = 20


def networks(text: str, setting: str) -> tuple[Network, ...]:
    """Addresses and networks of a setting, separated by commas.

    Raises:
        UsageError: one of them is neither.
    """
    found = []
    for word in filter(None, (part.strip() for part in text.split(","))):
        try:
            found.append(ipaddress.ip_network(word, strict=False))
        except ValueError:
            mend = "write it as 192.0.2.7 or 192.0.2.0/24"
            raise UsageError(f"setting {setting}: {word[:60]!r} is no address", mend=mend) from None
    return tuple(found)


def parsed(text: str) -> Address | None:
    """An address out of a text; one of IPv4 that came as IPv6 is one of IPv4. None for anything else."""
    try:
        found = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def sender(peer: str, headers: Mapping[str, str], proxies: Sequence[Network]) -> str:
    """The address a request comes from.

    `X-Forwarded-For` is believed as far as it was written by proxies of ours, from the last one backwards:
    what stands before the first address that is none of theirs may have been made up.

    Args:
        peer: the address of the connection.
        headers: of the request, names in lower case.
        proxies: whose word counts.
    """
    at = peer
    hops = [hop.strip() for hop in headers.get("x-forwarded-for", "").split(",")][-_HOPS:]
    for hop in reversed(hops):
        here = parsed(at)
        if here is None or not any(here in network for network in proxies):
            break
        found = parsed(hop)
        if found is None:
            break
        at = str(found)
    return at


def through_proxy(headers: Mapping[str, str]) -> bool:
    """Whether a proxy says that it passed the request on."""
    return any(name in headers for name in _FORWARDED)


def is_loopback(address: str) -> bool:
    """Whether an address is this machine's own."""
    found = parsed(address)
    return found is not None and found.is_loopback


def host_name(host: str) -> str:
    """The name of a `Host` header, without its port, in lower case; "" when it is none."""
    try:
        return (urlsplit(f"//{host}").hostname or "") if "@" not in host else ""
    except ValueError:
        return ""


def names_us(host: str, names: Sequence[str]) -> bool:
    """Whether a `Host` header names this machine: a loopback name, or one of those.

    A page of another site can have its own name lead here (DNS rebinding); it cannot have the browser send
    another name than its own.
    """
    name = host_name(host)
    return name == "localhost" or is_loopback(name) or (bool(name) and name in names)


def crowd(address: str) -> str:
    """Whom an address belongs to, as far as guessing goes: an IPv6 network of one customer is one guesser."""
    found = parsed(address)
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found) if found is not None else address[:60]
