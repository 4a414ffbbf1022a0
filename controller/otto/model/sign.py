"""A sign that something may be wrong, and which tier of observation it came from."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Tier(StrEnum):
    """Where a sign came from, cheapest first."""

    EVENT = "event"  # the provider told it by itself
    INVENTORY = "inventory"  # the provider's list of hosts
    STATE = "state"  # Terraform's state, read without Terraform
    PROBE = "probe"  # a request to the site or to one of its hosts
    STATISTICS = "statistics"  # the balancer's own view
    FACTS = "facts"  # what a host says of itself
    REFRESH = "refresh"  # Terraform asked the provider
    SOURCE = "source"  # the spec repository
    DNS = "dns"  # a zone's serial, or the zone itself


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing that was seen.

    Attributes:
        tier: by what.
        what: in words for people, safe to print; the same words for the same thing.
        at: when.
        host: the host concerned, "" for the site as a whole.
        id: the provider's id of that host, where the tier knows it.
    """

    tier: Tier
    what: str
    at: datetime
    host: str = ""
    id: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """Names what was seen, whenever it was."""
        return (self.tier.value, self.host, self.what)
