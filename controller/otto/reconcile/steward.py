"""Minds the time: sites whose end is near, tombstones that count later, what is spent meanwhile."""

import json
from collections.abc import Iterator
from datetime import datetime

import structlog

from otto.decide import costing, notices
from otto.decide.expiry import Expiry, due_warnings, expiry, may_end
from otto.model.errors import OttoError
from otto.model.history import Grant, GrantKind
from otto.model.notice import Notice, NoticeKind
from otto.model.policy import Budget
from otto.model.spec import SiteSpec
from otto.model.status import Phase
from otto.reconcile.bookkeeper import Bookkeeper
from otto.reconcile.events import Event, SiteGone, StatusChanged
from otto.reconcile.fleet import Fleet
from otto.reconcile.freezeteller import FreezeTeller
from otto.reconcile.kit import Kit

log = structlog.get_logger("otto.steward")

POLICY = "policy.problem"
_INTERVAL = 5.0
_MONEY_EVERY = 12


class Steward:
    """Looks at the clock for sites that have an end; of one without, only its spec is looked at."""

    def __init__(self, kit: Kit, fleet: Fleet, books: Bookkeeper) -> None:
        self._kit = kit
        self._fleet = fleet
        self._books = books
        self._told: set[tuple[str, str]] = set()
        self._born: dict[str, datetime] = {}
        self._rounds = 0
        self._budgeted: frozenset[str] = frozenset()
        kit.bus.subscribe(self._hear)
        self._policy_problem: str | None = None
        self._freezes = FreezeTeller(kit)

    async def run(self) -> None:
        """Look again and again until cancelled."""
        while True:
            self._kit.metrics.health.beat("the steward", _INTERVAL * 24)
            try:
                await self.look()
            except OttoError as error:
                log.warning("steward.failed", error=error.message)
            except Exception as error:
                # Unknown, so taken for passing: sites go on being mended whatever their end is at.
                log.exception("steward.failed", error=f"{type(error).__name__}: {error}")
            await self._kit.clock.sleep(_INTERVAL)

    async def look(self) -> None:
        """One look: whoever's time has come is due, whoever's is near is told of."""
        now = self._kit.clock.now()
        await self._tell_policy()
        await self._freezes.look()
        for site, stone in self._fleet.tombstones().items():
            if stone.at is not None and stone.at <= now:
                self._once(site, f"tombstone {stone.at.isoformat()}")
        await self._mind_all(tuple(self._ending()), now)
        if self._rounds % _MONEY_EVERY == 0:
            await self._money()
        self._rounds += 1

    async def _tell_policy(self) -> None:
        """Keep what is wrong with the fleet's policy, for the command line."""
        self._kit.policies.fleet()
        problem = self._kit.policies.problem
        if problem != self._policy_problem:
            await self._kit.store.set_value(POLICY, problem)
            self._policy_problem = problem
        self._kit.metrics.policy_bad(bad=bool(problem))

    async def end(self, spec: SiteSpec) -> Expiry | None:
        """When a site ends, None when it does not."""
        fleet = self._kit.policies.fleet()
        if not may_end(spec, fleet):
            return None
        born = await self._born_at(spec.name)
        grants = await self._kit.ledger.grants(site=spec.name, kind=GrantKind.EXTEND)
        return expiry(spec, fleet, born, grants, self._kit.clock.now())

    async def _mind_all(self, specs: tuple[SiteSpec, ...], now: datetime) -> None:
        """Every site that may end, by one question for all: there may be thousands, every few seconds."""
        fleet = self._kit.policies.fleet()
        extended: dict[str, list[Grant]] = {}
        for grant in await self._kit.ledger.grants(kind=GrantKind.EXTEND) if specs else ():
            extended.setdefault(grant.site, []).append(grant)
        for spec in specs:
            born = await self._born_at(spec.name)
            end = expiry(spec, fleet, born, extended.get(spec.name, ()), now)
            if end is not None:
                await self._mind(spec.name, end, now)

    async def _born_at(self, site: str) -> datetime | None:
        if site not in self._born:
            born = (await self._kit.store.applied(site)).born
            if born is None:
                return None
            self._born[site] = born
        return self._born[site]

    def _hear(self, event: Event) -> None:
        """Who is gone is born anew, if at all, and is told of anew."""
        if isinstance(event, SiteGone):
            gone = event.site
        elif isinstance(event, StatusChanged) and event.status.phase is Phase.DESTROYED:
            gone = event.status.site
        else:
            return
        self._born.pop(gone, None)
        self._told = {item for item in self._told if item[0] != gone}

    def _ending(self) -> Iterator[SiteSpec]:
        fleet = self._kit.policies.fleet()
        ending = [spec for spec in self._fleet.specs_in_force().values() if may_end(spec, fleet)]
        return iter(sorted(ending, key=lambda spec: spec.name))

    def _once(self, site: str, what: str) -> bool:
        """Have a site whose time has come be due; whether that was not so before."""
        if (site, what) in self._told:
            return False
        self._told.add((site, what))
        self._kit.queue.add(site, "its time has come")
        return True

    async def _mind(self, site: str, end: Expiry, now: datetime) -> None:
        if end.at <= now:
            if self._once(site, end.at.isoformat()):
                await self._kit.notifier.notify(notices.of_ending(site, end.at, end.why, now))
            return
        passed = due_warnings(end, self._kit.policies.fleet(), now)
        if not passed:
            return
        key, mark = f"ttl.warned.{site}", f"{end.at.isoformat()} {min(passed)}"
        if await self._kit.store.value(key) != mark:
            await self._kit.store.set_value(key, mark)
            log.warning(
                "ttl.near", site=site, at=end.at.isoformat(), why=end.why, mend=f"otto extend {site} 4h"
            )
            await self._kit.notifier.notify(notices.of_ending(site, end.at, end.why, now))

    async def _money(self) -> None:
        """Show what is spent; budgets are told of when time alone uses them up."""
        budget, used = self._kit.policies.fleet().budget, None
        if budget is not None:
            spending = await self._books.spending("")
            used = costing.used(spending.fleet_spent, budget)
            month = spending.fleet_spent + spending.fleet_hourly * spending.hours_left
            await self._tell_budget(budget, month, spending.currency)
        self._kit.metrics.fleet_budget(used)
        await self._show_budgets()
        self._kit.metrics.tokens(await self._kit.store.tokens.all(), self._kit.clock.now())

    async def _show_budgets(self) -> None:
        specs = self._fleet.specs_in_force().items()
        own = {name: spec.policy.budget for name, spec in specs if spec.policy.budget is not None}
        spent = await self._books.spent() if own else {}
        for name, budget in own.items():
            self._kit.metrics.site_budget(name, costing.used(spent.get(name, 0.0), budget))
        for name in self._budgeted - own.keys():
            self._kit.metrics.site_budget(name, None)
        self._budgeted = frozenset(own)

    async def _tell_budget(self, budget: Budget, month: float, currency: str) -> None:
        now = self._kit.clock.now()
        level = "over" if month > budget.monthly else "near" if month > budget.monthly * budget.warn else ""
        key, mark = "budget.warned", json.dumps([f"{now:%Y-%m}", level])
        if not level or await self._kit.store.value(key) == mark:
            return
        await self._kit.store.set_value(key, mark)
        title = f"the fleet comes to {month:.2f} {currency} this month, of a budget of {budget.monthly:.2f}"
        body = "nothing is taken down for it; what would add to the cost is refused once it is over"
        log.warning("budget.near", month=round(month, 2), budget=budget.monthly, currency=currency)
        await self._kit.notifier.notify(Notice(NoticeKind.BUDGET, "", title, body, now))
