"""What a commit that is not in force would do to a site. Nothing is changed, no host is asked or told."""

import asyncio
from collections.abc import Awaitable, Callable

from otto.decide.hosts import declared_for
from otto.decide.planning import removal
from otto.decide.preview import SitePreview
from otto.decide.proposed import proposed
from otto.model.catalogue import Catalogue, RememberedSpec
from otto.model.desired import Desired
from otto.model.domain import DomainSpec, is_zone
from otto.model.errors import OttoError, TerminalError
from otto.model.observed import InfrastructureState
from otto.model.plan import Plan, Removing
from otto.model.spec import SiteSpec
from otto.model.verdict import Allowed, Verdict
from otto.reconcile.bookkeeper import Bookkeeper
from otto.reconcile.domains.preview import ZonePreviewer
from otto.reconcile.fleet import Fleet
from otto.reconcile.gatekeeper import Gatekeeper
from otto.reconcile.headcount import Headcount
from otto.reconcile.kit import Kit
from otto.reconcile.resolve import Resolver
from otto.reconcile.waves import Waves

_SECONDS = 60.0


PlansZones = Callable[[DomainSpec, str], Awaitable[tuple[Plan, Verdict]]]
"""From a zone's spec and its commit to what would be changed, and what the guard says of that."""


class Foresight:
    """Foresees what would become of sites.

    Args:
        kit: the ports.
        fleet: the specs in force.
        resolver: resolves wishes of the commit that is looked at.
        zones: plans zones; None where the commit is a stranger's: then only those are asked for that are
            reached as the commit in force says.
    """

    def __init__(
        self, kit: Kit, fleet: Fleet, resolver: Callable[[], Resolver], zones: PlansZones | None = None
    ) -> None:
        self._kit = kit
        self._fleet = fleet
        self._resolver = resolver
        self._zones = zones
        self._books = Bookkeeper(kit)
        self._headcount = Headcount(kit)
        self._gate = Gatekeeper(kit, self._books, self._headcount, Waves(kit, fleet.specs_in_force))
        self._previewer = ZonePreviewer(kit, fleet, self._gate)

    async def load(self) -> None:
        """Read what judging a plan takes."""
        await self._headcount.load()

    async def foresee(self, name: str, after: Catalogue) -> SitePreview:
        """What the catalogue of a commit would make of a site or zone, within a minute; never raises."""
        try:
            async with asyncio.timeout(_SECONDS):
                return await (self._zone(name, after) if is_zone(name) else self._site(name, after))
        except TerminalError as error:
            return SitePreview(name, trouble=str(error), wrong=name in after.sites or name in after.domains)
        except OttoError as error:
            return SitePreview(name, trouble=f"it cannot be told now: {error}")
        except TimeoutError:
            return SitePreview(name, trouble=f"it could not be told within {_SECONDS:g} s")

    async def _zone(self, zone: str, after: Catalogue) -> SitePreview:
        if zone in after.problems:
            return SitePreview(zone, trouble=str(after.problems[zone][0]), wrong=True)
        spec = after.domains.get(zone)
        if spec is None:
            return SitePreview(zone, trouble="no spec would want it any more: its records stay as they are")
        if spec.suspend:
            return SitePreview(zone, trouble="it would be suspended: nothing of it would be changed")
        if self._zones is None:
            return await self._previewer.preview(zone, after)
        plan, verdict = await self._zones(spec, after.commit)
        return SitePreview(zone, plan, verdict)

    async def _site(self, site: str, after: Catalogue) -> SitePreview:
        if site in after.problems:
            return SitePreview(site, trouble=str(after.problems[site][0]), wrong=True)
        if site in after.tombstones:
            return await self._removed(site)
        if site not in after.sites:
            return SitePreview(
                site, trouble="no spec would want it any more: it would be orphaned, and keep serving"
            )
        spec = after.sites[site]
        if spec.suspend:
            return SitePreview(site, trouble="it would be suspended: nothing of it would be changed")
        return await self._changed(spec, after)

    async def _changed(self, spec: SiteSpec, catalogue: Catalogue) -> SitePreview:
        applied = await self._kit.store.applied(spec.name)
        placed = await self._gate.place(spec, applied)
        if not isinstance(placed.verdict, Allowed):
            return SitePreview(spec.name, placed.plan, placed.verdict)
        after = await self._resolver().resolve(
            RememberedSpec(spec, catalogue.commit, declared_for(spec.name, catalogue))
        )
        before = await self._present(spec.name)
        state = await self._state(spec.name)
        planned = proposed(before, after, state, self._kit.clock.now())
        priced = self._books.priced(planned, after, state.hosts, applied)
        judged = await self._gate.assess(priced, spec, applied)
        return SitePreview(spec.name, judged.plan, judged.verdict)

    async def _removed(self, site: str) -> SitePreview:
        applied = await self._kit.store.applied(site)
        known = self._fleet.last_good(site)
        provider = applied.provider or (known.spec.provider if known else None)
        if provider is None:
            return SitePreview(site, trouble="there is nothing of it to take down")
        live = await self._kit.infrastructure.inventory(site)
        plan = removal(site, provider.value, await self._state(site), live, Removing.TOMBSTONE)
        judged = await self._gate.assess(plan, known.spec if known else None, applied)
        return SitePreview(site, judged.plan, judged.verdict)

    async def _present(self, site: str) -> Desired | None:
        """The wish in force; None where there is none that can be worked out."""
        known = self._fleet.in_force(site)
        if known is None:
            return None
        try:
            return await Resolver(self._kit).resolve(known)
        except OttoError:
            return (await self._kit.store.applied(site)).desired

    async def _state(self, site: str) -> InfrastructureState:
        return await self._kit.infrastructure.state(site) or InfrastructureState()
