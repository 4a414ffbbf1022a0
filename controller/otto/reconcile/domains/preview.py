"""What merging a proposal would do to zones."""

from otto.decide.dns import planning
from otto.decide.dns.wish import wish
from otto.decide.preview import SitePreview
from otto.model.catalogue import Catalogue
from otto.model.domain import DomainSpec
from otto.model.observed import Applied
from otto.reconcile.domains.memory import ZoneBook
from otto.reconcile.domains.targets import TargetBook
from otto.reconcile.fleet import Fleet
from otto.reconcile.gatekeeper import Gatekeeper
from otto.reconcile.kit import Kit


class ZonePreviewer:
    """Previews zones of proposals. These are a stranger's words: nobody is asked at a place that they name.

    Args:
        kit: the ports.
        fleet: the specs in force.
        gate: asks the guard.
    """

    def __init__(self, kit: Kit, fleet: Fleet, gate: Gatekeeper) -> None:
        self._kit = kit
        self._fleet = fleet
        self._gate = gate
        self._targets = TargetBook(kit, fleet)

    async def preview(self, zone: str, after: Catalogue) -> SitePreview:
        """What would be done to one zone.

        Args:
            zone: its name.
            after: the specs as they would be.

        Raises:
            OttoError: the zone cannot be read.
        """
        spec = after.domains.get(zone)
        if spec is None:
            words = "no spec would want it any more: it would be orphaned, and keep its records"
            return SitePreview(zone, trouble=words)
        if spec.suspend:
            return SitePreview(zone, trouble="it would be suspended: nothing of it would be changed")
        known = self._fleet.domain(zone)
        if known is None or _reached(known.spec) != _reached(spec):
            words = "it would be reached otherwise than now, where nobody asks before that is merged"
            return SitePreview(zone, trouble=words)
        return await self._planned(spec, after.commit)

    async def _planned(self, spec: DomainSpec, commit: str) -> SitePreview:
        book = ZoneBook(self._kit.store)
        await book.load()
        await self._targets.load()
        desired, last = wish(spec, commit, self._targets.targets(spec.sites)), book.of(spec.name).desired
        with self._kit.calling("dns"):
            found = await self._kit.zones.plan(spec, desired.targets)
        plan = planning.plan(found, desired, last)
        protected = last is not None and last.spec.policy.protect
        judged = await self._gate.assess(plan, spec, Applied(), protected=protected)
        return SitePreview(spec.name, judged.plan, judged.verdict)


def _reached(spec: DomainSpec) -> tuple[object, ...]:
    return spec.provider, spec.server, spec.credentials, spec.registrar, spec.resolvers
