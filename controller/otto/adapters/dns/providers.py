"""octoDNS's provider of a zone, reached as its spec and our settings say."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from otto.adapters.dns.access import Access
from otto.adapters.dns.rfc2136 import Rfc2136, Unmade
from otto.adapters.dns.units import units
from otto.model.domain import DnsProvider, DomainSpec
from otto.model.errors import TerminalError
from otto.model.zone import RecordChange

# Changes in one request: Route 53 takes 1,000 records and counts replaced ones twice, Google 1,000 sets.
_PIECE = {DnsProvider.ROUTE53: 400, DnsProvider.GOOGLECLOUD: 400}


def make(domain: DomainSpec, access: Access) -> Any:  # noqa: ANN401  (octoDNS has no types)
    """The provider; nothing is asked of it yet. The libraries of the others are not loaded.

    Raises:
        Exception: of a library, when credentials are none.
        TerminalError: something that it needs is missing.
    """
    makers: Mapping[DnsProvider, Callable[[DomainSpec, Access], Any]] = {
        DnsProvider.RFC2136: _rfc2136,
        DnsProvider.ROUTE53: _route53,
        DnsProvider.DIGITALOCEAN: _digitalocean,
        DnsProvider.GOOGLECLOUD: _googlecloud,
        DnsProvider.POWERDNS: _powerdns,
    }
    return makers[domain.provider](domain, access)


def pieces(domain: DomainSpec, pairs: Sequence[tuple[RecordChange, Any]]) -> tuple[list[Any], ...]:
    """What is handed to a provider, one piece after the other; what belongs together stays so."""
    theirs = {id(ours): change for ours, change in pairs}
    most = _PIECE.get(domain.provider, len(pairs))
    found: list[list[Any]] = []
    for unit in units([ours for ours, _ in pairs]):
        changes = [theirs[id(ours)] for ours in unit]
        if found and len(found[-1]) + len(changes) <= most:
            found[-1] += changes
        else:
            found.append(changes)
    return tuple(found)


def _rfc2136(domain: DomainSpec, access: Access) -> Rfc2136 | Unmade:
    if access.server is None and access.lab:
        return Unmade()
    if access.server is None:
        raise TerminalError(f"{domain.name}: no server is named", mend="set spec.server.address")
    return Rfc2136(access.server, access.timeout)


def _route53(_domain: DomainSpec, access: Access) -> Any:  # noqa: ANN401
    from otto.adapters.dns.route53 import Route53  # noqa: PLC0415

    return Route53(access)


def _digitalocean(_domain: DomainSpec, access: Access) -> Any:  # noqa: ANN401
    from otto.adapters.dns.digitalocean import DigitalOcean  # noqa: PLC0415

    return DigitalOcean(access)


def _googlecloud(_domain: DomainSpec, access: Access) -> Any:  # noqa: ANN401
    from otto.adapters.dns.googlecloud import GoogleCloud  # noqa: PLC0415

    return GoogleCloud(access)


def _powerdns(domain: DomainSpec, access: Access) -> Any:  # noqa: ANN401
    from otto.adapters.dns.powerdns import PowerDns  # noqa: PLC0415

    return PowerDns(domain, access)
