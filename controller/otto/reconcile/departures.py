"""Sites that are to be taken down: who wants it, when, and whether they may go."""

from dataclasses import dataclass
from datetime import datetime

from otto.model.catalogue import RememberedSpec
from otto.model.plan import Removing
from otto.model.spec import SiteSpec
from otto.model.verdict import Allowed
from otto.reconcile.destroy import Destroyer
from otto.reconcile.domains.farewell import Farewell
from otto.reconcile.fleet import Fleet
from otto.reconcile.gatekeeper import Judged
from otto.reconcile.kit import Kit
from otto.reconcile.statuses import Leaving, Statuses
from otto.reconcile.steward import Steward


@dataclass(frozen=True, slots=True)
class Departure:
    """A site that is to go, and what the guard says of it.

    Attributes:
        site: its name.
        spec: its last good spec, None when none is known.
        judged: the plan, and the verdict.
        why: who wants it, in words.
        keeps_away: whether a spec still wants the site, which stays away all the same when it has gone.
    """

    site: str
    spec: SiteSpec | None
    judged: Judged
    why: str
    keeps_away: bool


class Departures:
    """Knows which sites are to go. Until one may, each of its statuses says that it is to."""

    def __init__(
        self,
        kit: Kit,
        fleet: Fleet,
        destroyer: Destroyer,
        steward: Steward,
        *,
        statuses: Statuses,
        farewell: Farewell,
    ) -> None:
        self._kit = kit
        self._fleet = fleet
        self._destroyer = destroyer
        self._steward = steward
        self._statuses = statuses
        self._farewell = farewell

    async def wanted(
        self, site: str, known: RememberedSpec | None, intents: frozenset[str], *, away: bool
    ) -> Removing:
        """Who wants the site taken down now.

        Args:
            site: its name.
            known: the spec in force.
            intents: what people asked for.
            away: whether it was taken down already, and stays away.
        """
        if "destroy" in intents:
            return Removing.PERSON
        stone = self._fleet.tombstone(site)
        if stone is not None and (stone.at is None or stone.at <= self._now()):
            return Removing.TOMBSTONE
        end = None if away or known is None else await self.end(known.spec)
        return Removing.EXPIRY if end is not None and end <= self._now() else Removing.NOBODY

    async def end(self, spec: SiteSpec) -> datetime | None:
        """When a site's time to live is over; its status tells that, or its tombstone's time if sooner."""
        expiry, stone = await self._steward.end(spec), self._fleet.tombstone(spec.name)
        own = expiry.at if expiry else None
        ends = [at for at in (own, stone.at if stone else None) if at is not None]
        self._statuses.ends.pop(spec.name, None)
        if ends:
            self._statuses.ends[spec.name] = min(ends)
        return own

    async def judge(self, site: str, known: RememberedSpec | None, removing: Removing) -> Departure | None:
        """What the guard says of taking the site down; None when there is nothing of it.

        Raises:
            OttoError: it cannot be found out what there is.
        """
        last = known or self._fleet.last_good(site)
        spec = last.spec if last else None
        before = await self._kit.store.status(site)
        plan = await self._destroyer.plan(site, spec, before, removing)
        if not plan.about.hosts and before is None:
            return None
        judged = await self._destroyer.judge(plan, spec)
        if not isinstance(judged.verdict, Allowed):
            self._keep(site, judged)
        # A spec that still wants the site would have it made anew at once; a tombstone is no such spec.
        keeps_away = known is not None and removing is not Removing.TOMBSTONE
        return Departure(site, spec, judged, self._why(site, removing), keeps_away)

    async def leave(self, departure: Departure) -> None:
        """Take the site down; the guard has let it.

        Raises:
            WaitingError: its names still lead to it.
        """
        self._statuses.leaving.pop(departure.site, None)
        await self._farewell.site(departure.site)
        await self._statuses.destroying(departure.site)
        await self._destroyer.destroy(
            departure.judged.plan, departure.spec, departure.why, keep_away=departure.keeps_away
        )

    def forget(self, site: str) -> None:
        """Drop what is known of a site that is gone."""
        self._statuses.leaving.pop(site, None)
        self._statuses.ends.pop(site, None)

    def _keep(self, site: str, judged: Judged) -> None:
        before, plan = self._statuses.leaving.get(site), judged.plan
        since = before.since if before and before.plan == plan.digest else self._now()
        self._statuses.leaving[site] = Leaving(plan.digest, judged.verdict, since, plan.about.removing)

    def _why(self, site: str, removing: Removing) -> str:
        stone = self._fleet.tombstone(site)
        if removing is Removing.TOMBSTONE and stone is not None:
            return f"tombstone {stone.file}: {stone.reason}"
        return "otto destroy" if removing is Removing.PERSON else "its time to live is over"

    def _now(self) -> datetime:
        return self._kit.clock.now()
