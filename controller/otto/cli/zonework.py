"""What works on zones, put together."""

from collections.abc import Mapping

from otto.adapters.dns import DnsOptions, DnsZones, Nameserver
from otto.adapters.secrets import one_secret
from otto.config import Settings


def zones_of(
    settings: Settings, owner: str, environ: Mapping[str, str], nameserver: Nameserver | None
) -> DnsZones:
    """The port `Zones` over real nameservers and providers.

    Args:
        settings: all settings.
        owner: what our ownership records say.
        environ: where references to variables lead.
        nameserver: the lab's, None where there is no lab.
    """
    dns = settings.dns
    options = DnsOptions(
        owner=owner,
        workers=dns.workers,
        timeout=dns.timeout,
        apply_timeout=dns.applyTimeout,
        query_timeout=dns.queryTimeout,
        resolvers=tuple(filter(None, (item.strip() for item in dns.resolvers.split(",")))),
    )
    return DnsZones(options, lambda reference: one_secret(reference, environ), nameserver)
