"""octoDNS's provider for DigitalOcean, with limits of time and an address of choice."""

import os

from octodns_digitalocean import DigitalOceanProvider

from otto.adapters.dns.access import Access
from otto.adapters.dns.http import limit
from otto.model.errors import TerminalError


class DigitalOcean(DigitalOceanProvider):  # type: ignore[misc]  # octoDNS has no types
    """Zones at DigitalOcean. Its API knows single records: what a plan changes is changed one by one.

    Args:
        access: with the token as credentials; without, `DIGITALOCEAN_TOKEN` of the environment.

    Raises:
        TerminalError: there is no token.
    """

    def __init__(self, access: Access) -> None:
        token = access.credentials.strip() or os.environ.get("DIGITALOCEAN_TOKEN", "")
        if not token:
            raise TerminalError(
                "digitalocean: no token is given", mend="set spec.credentials to a reference to one"
            )
        super().__init__("otto", token, root_ns_warnings=False)
        self._client.BASE = access.endpoints.get("digitalocean", self._client.BASE).rstrip("/")
        limit(self._client._sess, access.timeout)  # noqa: SLF001  (there is no other way to it)
