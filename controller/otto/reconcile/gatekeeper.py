"""Asks the guard about every plan, with all that it takes into account, and keeps its word on record."""

from dataclasses import dataclass, replace
from datetime import timedelta

import structlog

from otto.decide import guard, notices
from otto.decide.dns.policy import as_policy
from otto.decide.heals import heals
from otto.decide.wording import describe, standing_in_the_way, told_of
from otto.model.canonical import digest, to_data
from otto.model.domain import DomainSpec, is_zone
from otto.model.errors import OttoError
from otto.model.history import OTTO, Account, AuditEntry, GrantKind, Heal, History, Spending
from otto.model.observed import Applied, InfrastructureState
from otto.model.plan import Circumstances, Plan
from otto.model.policy import Effective, Overrun, Policy
from otto.model.spec import Provider, SiteSpec
from otto.model.verdict import Allowed, Reason, Verdict
from otto.reconcile.bookkeeper import Bookkeeper
from otto.reconcile.headcount import Headcount
from otto.reconcile.kit import Kit
from otto.reconcile.waves import Waves

log = structlog.get_logger("otto.guard")

_HOUR = timedelta(hours=1)
_RUNS = 50
_FLAPPING = "guard.drift.flapping"
_MOST_CULPRITS = 6
_WORDS = {
    "Allowed": "allowed",
    "NeedsApproval": "needs approval",
    "Waiting": "has to wait",
    "Refused": "refused",
}


@dataclass(frozen=True, slots=True)
class Judged:
    """A plan, what the guard says of it, and the reason why its limits are not the default ones."""

    plan: Plan
    verdict: Verdict
    limits: str = ""

    def record(self) -> dict[str, object]:
        """The verdict as the record of a run keeps it."""
        verdict = self.verdict
        return {
            "verdict": type(verdict).__name__,
            "digest": self.plan.digest,
            "reasons": [to_data(reason) for reason in standing_in_the_way(verdict)],
            "behind": [to_data(reason) for reason in getattr(verdict, "behind", ())],
            "warnings": [to_data(reason) for reason in getattr(verdict, "warnings", ())],
            "given": getattr(verdict, "given", 0),
            "wanted": getattr(verdict, "wanted", 1),
            "cost": to_data(self.plan.about.cost),
        }


class Gatekeeper:
    """Between a plan and its being carried out."""

    def __init__(self, kit: Kit, books: Bookkeeper, headcount: Headcount, waves: Waves) -> None:
        self._kit = kit
        self._books = books
        self._headcount = headcount
        self._waves = waves
        self._said: dict[str, tuple[str, str, frozenset[str]]] = {}
        kit.metrics.expect_rules(tuple(rule.name for rule in guard.RULES))

    def policy(self, spec: SiteSpec | DomainSpec | None) -> Effective:
        """What holds for a site or zone, as its spec and the operator say."""
        own = as_policy(spec.policy) if isinstance(spec, DomainSpec) else spec.policy if spec else Policy()
        return Effective(own, self._kit.policies.fleet())

    async def place(self, spec: SiteSpec, applied: Applied) -> Judged:
        """Whether the site's hosts would be in the right place: asked before anything is planned."""
        about = Circumstances(spec.provider.value, sizes=tuple(sorted({spec.web.size, spec.balancer.size})))
        plan = Plan(spec.name, "", (), about)
        policy = self.policy(spec)
        account = await self._account(spec.provider, policy)
        history = History(
            provider=applied.provider.value if applied.provider else "",
            account=account,
            providers=self._kit.providers,
        )
        return Judged(plan, guard.judge(plan, policy, history, self._kit.clock.now()))

    async def assess(
        self,
        plan: Plan,
        spec: SiteSpec | DomainSpec | None,
        applied: Applied,
        *,
        protected: bool | None = None,
    ) -> Judged:
        """What the guard says of a plan. Nothing is kept.

        Args:
            plan: what would be done.
            spec: the spec that it is for, None when none is known.
            applied: what was put in place last; empty for a zone.
            protected: of a zone: whether the spec that was put in place last protects it.
        """
        policy, now = self.policy(spec), self._kit.clock.now()
        history = await self._history(plan, policy, applied)
        if protected is not None:
            history = replace(history, protected=protected)
        if not isinstance(spec, DomainSpec):
            history = replace(history, turn=await self._waves.turn(plan, spec, applied))
        verdict = guard.judge(plan, policy, history, now)
        more = await self._kit.hook.judge(plan, spec, verdict) if plan.steps else ()
        # Other sites were judged meanwhile: what they were allowed counts, though nothing is gone yet.
        history = await self._with_fleet(history, plan, policy)
        found = guard.findings(plan, policy, history, now)
        verdict = guard.conclude((*found, *more), plan, policy, history, now)
        return Judged(plan, verdict, policy.limits.reason)

    async def judge(
        self,
        plan: Plan,
        spec: SiteSpec | DomainSpec | None,
        applied: Applied,
        *,
        protected: bool | None = None,
    ) -> Judged:
        """What the guard says of a plan that is to be carried out; on record before anything is done.

        Its arguments are those of `assess`.
        """
        judged = await self.assess(plan, spec, applied, protected=protected)
        if isinstance(judged.verdict, Allowed):
            # With no other judgement in between, or two sites would be allowed the same last hosts.
            self._headcount.begin(plan, guard.taken(plan, self.policy(spec), self._kit.clock.now()))
            if not isinstance(spec, DomainSpec):
                self._waves.begin(plan, applied)
        if judged.plan.steps:
            await self.record(judged)
        return judged

    async def record(self, judged: Judged) -> None:
        """Keep a verdict and tell people of it, once while it stays the same."""
        plan, verdict = judged.plan, judged.verdict
        reasons = told_of(verdict)
        said = (plan.digest, type(verdict).__name__, frozenset(reason.rule for reason in reasons))
        if self._said.get(plan.site) == said and not isinstance(verdict, Allowed):
            return
        why = "; ".join(f"{reason.message} [{reason.rule}]" for reason in reasons)
        holding = tuple(reason.rule for reason in standing_in_the_way(verdict))
        self._kit.metrics.judged(said[1], holding)
        now = self._kit.clock.now()
        detail = {"verdict": said[1]} | {f"{r.rule}: {k}": v for r in reasons for k, v in r.figures.items()}
        detail |= {"limits": judged.limits} if judged.limits else {}
        summary = f"{_WORDS[said[1]]}: {describe(plan)}"
        entry = AuditEntry(now, OTTO, "verdict", plan.site, plan.digest, summary, why, detail)
        await self.audit(entry)
        notice = notices.of_verdict(plan, verdict, now)
        if notice is not None and self._said.get(plan.site) != said:
            await self._kit.notifier.notify(notice)
        self._said[plan.site] = said

    async def audit(self, entry: AuditEntry) -> None:
        """Add to the audit record; the log has each record's hash, so that it can be compared."""
        record = await self._kit.ledger.append(entry)
        log.info(
            "audit", number=record.number, hash=record.hash, what=entry.what, who=entry.who, about=entry.site
        )

    async def take(self, plan: Plan, spec: SiteSpec | DomainSpec | None) -> None:
        """Note what a plan takes away, before it does: a controller that is killed then has it counted."""
        removals = guard.taken(plan, self.policy(spec), self._kit.clock.now())
        self._headcount.take(plan, removals)
        if removals:
            await self._kit.ledger.removed(removals)
        for removal in removals if not isinstance(spec, DomainSpec) else ():
            self._kit.metrics.removed(removal.kind.value)

    def spared(self, site: str) -> None:
        """A plan of which was taken note turned out to be stale: nothing of it was done."""
        self._headcount.spared(site)

    async def used(self, site: str, plan: str) -> None:
        """A plan was carried out: approvals hold for one time only."""
        self._headcount.took(site)
        for grant in await self._kit.ledger.grants(site=site, kind=GrantKind.APPROVE):
            if grant.plan == plan:
                await self._kit.ledger.revoke(grant)

    def forget(self, site: str) -> None:
        """Drop a site that is gone."""
        self._said.pop(site, None)
        self._headcount.took(site)
        self._headcount.end(site)

    async def overrun(self, plan: Plan, spec: SiteSpec) -> tuple[Reason, ...]:
        """Why a run that is under way has to stop before its next step, by its windows; mostly nothing."""
        policy = self.policy(spec)
        if Overrun.HOLD not in (policy.site.windows.overrun, policy.fleet.windows.overrun):
            return ()
        now = self._kit.clock.now()
        grants = await self._kit.ledger.grants(site=plan.site, kind=GrantKind.OVERRIDE)
        found = guard.findings(plan, policy, History(grants=grants, providers=self._kit.providers), now)
        windows = {"guard.window.site": policy.site.windows, "guard.window.fleet": policy.fleet.windows}
        return tuple(
            reason
            for reason in found
            if reason.rule in windows and windows[reason.rule].overrun is Overrun.HOLD
        )

    async def signature(self, site: str) -> frozenset[str]:
        """Names what people said, the policy, the site's turns: when that changes, it is judged anew."""
        grants = await self._kit.ledger.grants(site=site)
        said = (f"{grant.key} {grant.at.isoformat()}" for grant in grants)
        return frozenset((*said, digest(self._kit.policies.fleet()), self._waves.signature(site)))

    async def _history(self, plan: Plan, policy: Effective, applied: Applied) -> History:
        ledger = self._kit.ledger
        provider = Provider(plan.about.provider) if plan.about.provider else None
        history = History(
            grants=await ledger.grants(site=plan.site),
            protected=applied.desired is not None and applied.desired.spec.policy.protect,
            provider=applied.provider.value if applied.provider else "",
            heals=await self._heals(plan),
            spending=await self._spending(plan.site, policy),
            account=await self._account(provider, policy) if provider else None,
            providers=self._kit.providers,
        )
        history = await self._with_fleet(history, plan, policy)
        return await self._with_culprits(history, plan, policy)

    async def _with_fleet(self, history: History, plan: Plan, policy: Effective) -> History:
        """What all sites lost, or are about to, and how many are being changed: as things are now."""
        longest = timedelta(seconds=max(policy.limits.window, policy.fleet.limits.window))
        known = await self._kit.ledger.removals(self._kit.clock.now() - longest)
        gone = tuple(item for item in known if self._headcount.counts(item, plan))
        going = tuple(item for item in self._headcount.taking(plan.site) if item not in known)
        return replace(history, removals=(*gone, *going), fleet=self._headcount.beside(plan.site))

    async def _spending(self, site: str, policy: Effective) -> Spending | None:
        """What was spent, where a budget makes it matter; of all sites only for the fleet's."""
        of_all = policy.fleet.budget is not None
        if not of_all and policy.site.budget is None:
            return None
        return await self._books.spending(site, of_all=of_all)

    async def _heals(self, plan: Plan) -> tuple[Heal, ...]:
        if not plan.about.mends:
            return ()
        return heals(await self._kit.store.runs(plan.site, _RUNS), self._kit.clock.now() - _HOUR)

    async def _with_culprits(self, history: History, plan: Plan, policy: Effective) -> History:
        """A site that is repaired again and again: its hosts are asked who keeps changing it."""
        if not history.heals or is_zone(plan.site):
            return history  # nothing was repaired of late: it does not flap; or it has no hosts to ask
        found = guard.findings(plan, policy, history, self._kit.clock.now())
        if not any(reason.rule == _FLAPPING for reason in found):
            return history
        state = await self._kit.infrastructure.state(plan.site) or InfrastructureState()
        files = _files(plan)
        hosts = tuple(host for host in state.hosts if host.name in files)
        try:
            told = await self._kit.configuration.culprits(hosts, files)
        except OttoError as error:
            log.info("guard.culprits_unknown", error=error.message)
            return history
        words = tuple(f"{name}: {line}" for name in sorted(told) for line in told[name])
        return replace(history, culprits=words[:_MOST_CULPRITS])

    async def _account(self, provider: Provider, policy: Effective) -> Account | None:
        place = policy.fleet.places.get(provider.value)
        if (
            place is None
            or not (place.accounts or place.regions)
            or provider.value not in self._kit.providers
        ):
            return None
        return await self._kit.infrastructure.account(provider)


def _files(plan: Plan) -> dict[str, tuple[str, ...]]:
    """The managed files that a plan puts right again, by host."""
    found: dict[str, list[str]] = {}
    for path in plan.about.mends:
        head, slash, file = path.partition("/files/")
        if slash and head.startswith("hosts/"):
            found.setdefault(head.removeprefix("hosts/"), []).append(f"/{file}")
    return {host: tuple(files) for host, files in found.items()}
