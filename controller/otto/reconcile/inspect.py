"""Look at a site without touching it: for `otto plan` and `otto diff`."""

from dataclasses import dataclass

from otto.decide.diff import diff
from otto.decide.planning import needs_infrastructure, plan
from otto.decide.requests import infrastructure_inputs
from otto.decide.sifting import standing, to_act_on
from otto.model.desired import Desired
from otto.model.difference import Difference
from otto.model.errors import UsageError
from otto.model.observed import Observed
from otto.model.plan import Plan
from otto.model.progress import Report, silent
from otto.model.verdict import Verdict
from otto.reconcile.bookkeeper import Bookkeeper
from otto.reconcile.door import Door
from otto.reconcile.fleet import Fleet
from otto.reconcile.freezing import Freezer
from otto.reconcile.gatekeeper import Gatekeeper
from otto.reconcile.headcount import Headcount
from otto.reconcile.kit import Kit
from otto.reconcile.observe import Observer
from otto.reconcile.resolve import Resolver
from otto.reconcile.verify import Verifier
from otto.reconcile.waves import Waves


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a site is and what would be done about it."""

    desired: Desired
    observed: Observed
    differences: tuple[Difference, ...]
    plan: Plan | None = None
    verdict: Verdict | None = None

    @property
    def site(self) -> str:
        """Its name."""
        return self.desired.site

    @property
    def commit(self) -> str:
        """Where its spec comes from."""
        return self.desired.commit

    @property
    def digest(self) -> str:
        """Of what is desired."""
        return self.desired.digest


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What a controller at work knows, and an inspector beside it makes use of."""

    fleet: Fleet
    books: Bookkeeper
    headcount: Headcount
    gate: Gatekeeper

    @classmethod
    def fresh(cls, kit: Kit) -> "Knowledge":
        """That of nobody: an inspector has to `load` it."""
        fleet, books, headcount = (
            Fleet(kit.source, kit.specs, kit.store, Freezer(kit)),
            Bookkeeper(kit),
            Headcount(kit),
        )
        return cls(
            fleet, books, headcount, Gatekeeper(kit, books, headcount, Waves(kit, fleet.specs_in_force))
        )


class Inspector:
    """Inspects sites as of the newest commit; changes nothing.

    Args:
        kit: the ports.
        known: what the controller knows that is at work in this process; None where none is.

    Attributes:
        fleet: the specs.
        gate: asks the guard.
    """

    def __init__(self, kit: Kit, known: Knowledge | None = None) -> None:
        self._kit = kit
        self._alone = known is None
        known = known or Knowledge.fresh(kit)
        self.fleet = known.fleet
        self._books = known.books
        self._headcount = known.headcount
        self.gate = known.gate
        self.verifier = Verifier(kit)
        self._observer = Observer(kit, self.verifier)

    async def load(self) -> Fleet:
        """Read the repository's newest commit that may be deployed, without recording that it was seen."""
        await self.fleet.load()
        head = await self._kit.source.fetch()
        commit = (await Door(self._kit).glance(head)).commit if head else ""
        if commit:
            self.fleet.catalogue = self.fleet.preview(commit)
        return self.fleet

    async def desired(self, site: str) -> Desired:
        """What a site should be.

        Raises:
            UsageError: no spec wants such a site.
        """
        known = self.fleet.in_force(site)
        if known is None:
            names = ", ".join(sorted(self.fleet.catalogue.sites)) or "none"
            raise UsageError(f"no spec describes a site {site!r}", mend=f"sites with a spec: {names}")
        return await Resolver(self._kit).resolve(known)

    async def differences(self, site: str) -> Inspection:
        """What differs now."""
        desired = await self.desired(site)
        observed = await self._observer.look(desired)
        found = standing(diff(desired, observed), desired.spec.policy.drift, self._kit.clock.now())
        return Inspection(desired, observed, found)

    async def plan(self, site: str, report: Report = silent) -> Inspection:
        """What would be done about it, and what the guard would say."""
        seen = await self.differences(site)
        changes = None
        drift, now = seen.desired.spec.policy.drift, self._kit.clock.now()
        acted = to_act_on(seen.differences, drift, now)
        if needs_infrastructure(acted):
            changes = await self._kit.infrastructure.plan(infrastructure_inputs(seen.desired), report)
        found = changes.changes if changes else ()
        planned = plan(seen.desired, seen.observed, acted, found)
        applied = seen.observed.applied
        priced = self._books.priced(planned, seen.desired, seen.observed.hosts, applied)
        if self._alone:
            await self._headcount.load()
        judged = await self.gate.assess(priced, seen.desired.spec, applied)
        return Inspection(seen.desired, seen.observed, seen.differences, judged.plan, judged.verdict)
