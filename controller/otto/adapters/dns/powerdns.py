"""octoDNS's provider for PowerDNS, reached as the spec says."""

from urllib.parse import urlsplit

from octodns_powerdns import PowerDnsProvider

from otto.adapters.dns.access import Access
from otto.adapters.dns.http import limit
from otto.model.domain import DomainSpec
from otto.model.errors import TerminalError

_PORT = 8081  # doc.powerdns.com/authoritative/http-api: webserver-port
_DNS, _HTTPS = 53, 443


class PowerDns(PowerDnsProvider):  # type: ignore[misc]  # octoDNS has no types
    """A zone of a PowerDNS server, by its HTTP API; what a plan changes is changed in one request.

    Args:
        domain: whose `server.address` is a host name, or the address of the API as `https://…`.
        access: with the API key as credentials, or as the server's key; without, `POWERDNS_API_KEY` of the
            environment.

    Raises:
        TerminalError: there is no server, or no key.
    """

    def __init__(self, domain: DomainSpec, access: Access) -> None:
        server = access.server
        key = access.credentials.strip() or (server.key if server else "")
        if server is None:
            raise TerminalError(f"{domain.name}: no server is named", mend="set spec.server.address")
        if not key:
            raise TerminalError(
                "powerdns: no API key is given", mend="set spec.credentials to a reference to one"
            )
        named = access.endpoints.get("powerdns") or server.address
        scheme = "https" if server.port == _HTTPS else "http"
        where = urlsplit(named if "://" in named else f"{scheme}://{named}")
        port = where.port or (
            443 if where.scheme == "https" else _PORT if server.port == _DNS else server.port
        )
        super().__init__(
            "otto",
            where.hostname or "",
            key,
            port=port,
            scheme=where.scheme,
            timeout=access.timeout,
            enable_dynamic=False,
            root_ns_warnings=False,
        )
        limit(self._sess, access.timeout)
