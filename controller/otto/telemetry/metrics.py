"""Metrics, by the naming rules of Prometheus (base units, `_total` for counters, help for all).

Every family is there from the start, with its label values where they are known, so that a rate or an
alert never waits for a first event. Families about single sites can be switched off for large fleets;
those about the fleet as a whole stay. A gone site takes its series with it.
"""

import platform
import sys
import time
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Mapping

import prometheus_client as prometheus
from prometheus_client import CollectorRegistry, Info
from prometheus_client.exposition import choose_encoder

from otto import __version__
from otto.model.cost import Cost
from otto.model.difference import Difference
from otto.model.status import SiteStatus
from otto.telemetry.api import ApiMetrics
from otto.telemetry.fleet import FleetMetrics
from otto.telemetry.forge import ForgeMetrics
from otto.telemetry.guarding import GuardMetrics
from otto.telemetry.health import Health
from otto.telemetry.images import ImageMetrics
from otto.telemetry.money import MoneyMetrics
from otto.telemetry.notifications import NotificationMetrics
from otto.telemetry.observation import ObservationMetrics
from otto.telemetry.outside import OutsideMetrics
from otto.telemetry.pipelines import PipelineMetrics
from otto.telemetry.rollouts import RolloutMetrics
from otto.telemetry.runs import RunMetrics
from otto.telemetry.work import WorkMetrics
from otto.telemetry.writes import WriteMetrics
from otto.telemetry.zones import ZoneMetrics


class Metrics(
    RunMetrics,
    ObservationMetrics,
    WorkMetrics,
    OutsideMetrics,
    GuardMetrics,
    NotificationMetrics,
    ImageMetrics,
    PipelineMetrics,
    ForgeMetrics,
    ApiMetrics,
    WriteMetrics,
):
    """All of OttO's metrics over one registry; cheap enough to be told everything.

    Args:
        registry: where they are registered; a new one when none is given.
        per_site: whether there are series for every site.
        site_limit: the most sites for which there are.
        health: what the loop's parts tell that they are at work; a new one when none is given.
        now: seconds since 1970.

    Attributes:
        rollouts: what there is to tell of rollouts.
    """

    def __init__(
        self,
        registry: CollectorRegistry | None = None,
        *,
        per_site: bool = True,
        site_limit: int = sys.maxsize,
        health: Health | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        # A creation time beside every counter would double the series and tell nobody anything.
        prometheus.disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = registry or CollectorRegistry()
        self._fleet = FleetMetrics(self.registry, limit=site_limit if per_site else 0, now=now)
        self._money = MoneyMetrics(self.registry, self._fleet.shows_sites)
        self.rollouts = RolloutMetrics(self.registry, self._fleet.shows_sites)
        self._zones = ZoneMetrics(self.registry, limit=site_limit if per_site else 0, now=now)
        RunMetrics.__init__(self, self.registry)
        ObservationMetrics.__init__(self, self.registry)
        WorkMetrics.__init__(self, self.registry, health or Health())
        OutsideMetrics.__init__(self, self.registry)
        GuardMetrics.__init__(self, self.registry)
        NotificationMetrics.__init__(self, self.registry)
        ImageMetrics.__init__(self, self.registry)
        PipelineMetrics.__init__(self, self.registry)
        ForgeMetrics.__init__(self, self.registry)
        ApiMetrics.__init__(self, self.registry)
        WriteMetrics.__init__(self, self.registry)
        build = Info("otto_build", "What is running.", registry=self.registry)
        build.info({"version": __version__, "python": platform.python_version()})
        prometheus.ProcessCollector(registry=self.registry)

    def status(self, status: SiteStatus) -> None:
        """Show a site's status."""
        self._fleet.status(status)
        self._money.status(status)

    def observed(self, site: str, differences: Iterable[Difference]) -> None:
        """Show what a look at a site found, and that it was looked at now."""
        self._fleet.observed(site, Tally(difference.layer for difference in differences))

    def seen(self, site: str, tier: str, at: float) -> None:
        """Show that a tier of observation looked at a site, `at` seconds since 1970."""
        self._fleet.seen(site, tier, at)

    def orphans(self, counts: Mapping[str, int]) -> None:
        """Show how many hosts under our labels nobody owns, by the site their labels name."""
        self._fleet.orphans(counts)

    def orphan_cost(self, cost: Cost, currency: str) -> None:
        """Show what hosts under our labels cost that nobody owns."""
        self._money.orphans(cost, currency)

    def site_budget(self, site: str, used: float | None) -> None:
        """Show which share of a site's budget is spent this month; None where it has no budget."""
        self._money.site_budget(site, used)

    def fleet_budget(self, used: float | None) -> None:
        """Show which share of the fleet's budget is spent this month; None where it has no budget."""
        self._money.fleet_budget(used)

    def site_gone(self, site: str) -> None:
        """Take back everything said of a site."""
        self._fleet.gone(site)
        self._money.gone(site)
        self.rollouts.gone(site)

    def zone(self, status: SiteStatus) -> None:
        """Show a zone's status."""
        self._zones.status(status)

    def zone_looked(self, look: str) -> None:
        """Count a look at a zone: `serial`, `full` or `check`."""
        self._zones.looked(look)

    def zone_changed(self, action: str) -> None:
        """Count a record set that was changed: `create`, `update` or `destroy`."""
        self._zones.changed(action)

    def zone_differs(self, zone: str, count: int) -> None:
        """Show in how many places a zone differs."""
        self._zones.differs(zone, count)

    def zone_seen(self, zone: str, look: str, at: float, serial: int | None) -> None:
        """Show that a look (as `zone_looked`) ended, `at` seconds since 1970, and the serial it found."""
        self._zones.seen(zone, look, at, serial)

    def zone_gone(self, zone: str) -> None:
        """Take back everything said of a zone."""
        self._zones.gone(zone)

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """The answer to a scrape, and its content type, in the format the scraper accepts."""
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type
