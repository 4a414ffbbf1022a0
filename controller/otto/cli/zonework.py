"""What works on zones, put together."""

from collections.abc import Callable, Mapping
from pathlib import Path

from otto.adapters.dns import DnsOptions, DnsZones, Nameserver
from otto.adapters.secrets import Bounds, Resolver
from otto.config import SecretsSettings, Settings

_APIS = ("route53", "route53domains", "digitalocean", "googlecloud", "powerdns")


def zones_of(
    settings: Settings,
    owner: str,
    nameserver: Nameserver | None,
    *,
    environ: Mapping[str, str],
    register: Callable[[str], None],
) -> DnsZones:
    """The port `Zones` over real nameservers and providers.

    Args:
        settings: all settings.
        owner: what our ownership records say.
        nameserver: the lab's, None where there is no lab.
        environ: where references to variables lead.
        register: told of every secret, so that no log shows it.
    """
    dns, secrets = settings.dns, settings.secrets
    options = DnsOptions(
        owner=owner,
        workers=dns.workers,
        timeout=dns.timeout,
        apply_timeout=dns.applyTimeout,
        query_timeout=dns.queryTimeout,
        resolvers=tuple(_listed(dns.resolvers, ",")),
        endpoints={name: str(getattr(dns, name)) for name in _APIS if getattr(dns, name)},
    )
    resolver = Resolver(environ, register, secrets.vaultPassword, _bounds(secrets, settings.home))
    return DnsZones(
        options, lambda reference: resolver.text("a reference of the spec", reference), nameserver
    )


def _bounds(secrets: SecretsSettings, home: Path) -> Bounds:
    folders = tuple(map(Path, _listed(secrets.folders, ":"))) or (home / "secrets",)
    return Bounds(folders, tuple(_listed(secrets.variables, ",")))


def _listed(text: str, separator: str) -> list[str]:
    return [item.strip() for item in text.split(separator) if item.strip()]
