"""Take a site down because somebody said so, and keep it down until somebody wants it back."""

import asyncio

from otto.decide.planning import removal
from otto.decide.wording import describe
from otto.model.canonical import digest
from otto.model.errors import OttoError, TerminalError, TransientError
from otto.model.history import OTTO, AuditEntry
from otto.model.observed import Applied, InfrastructureState
from otto.model.plan import Plan, Removing, StepKind
from otto.model.run import Outcome, Run
from otto.model.spec import Provider, Role, SiteSpec
from otto.model.status import SiteStatus
from otto.ports import Store
from otto.reconcile.bookkeeper import Bookkeeper
from otto.reconcile.gatekeeper import Gatekeeper, Judged
from otto.reconcile.kit import Kit
from otto.reconcile.recorder import Recorder, run_id

DESTROY = "destroy"
DESTROYED = "destroyed"
TEARDOWN = "teardown"


class Destroyer:
    """Takes sites down. Who wants it is on record first, so a killed controller goes on."""

    def __init__(self, kit: Kit, gate: Gatekeeper, books: Bookkeeper) -> None:
        self._kit = kit
        self._gate = gate
        self._books = books

    async def plan(
        self, site: str, spec: SiteSpec | None, status: SiteStatus | None, removing: Removing
    ) -> Plan:
        """What taking the site down comes to.

        Args:
            site: its name.
            spec: its last good spec, None when none is known.
            status: its status until now; names the provider when nothing else does.
            removing: who wants it.

        Raises:
            TerminalError: its provider may not be touched.
        """
        applied = await self._kit.store.applied(site)
        provider = applied.provider or (spec.provider if spec else None)
        provider = provider or Provider((status.provider if status else "") or "lab")
        if provider.value not in self._kit.providers:
            mend = "add it to CLOWD_PROVIDERS"
            raise TerminalError(f"provider {provider.value} may not be touched", mend=mend)
        state, live = await self._state(site), await self._kit.infrastructure.inventory(site)
        return removal(site, provider.value, state, live, removing)

    async def judge(self, plan: Plan, spec: SiteSpec | None) -> Judged:
        """What the guard says of it."""
        return await self._gate.judge(plan, spec, await self._kit.store.applied(plan.site))

    async def destroy(self, plan: Plan, spec: SiteSpec | None, why: str, *, keep_away: bool) -> None:
        """Carry the plan out: visitors go first, then everything the site has.

        Args:
            plan: from `plan`, and allowed.
            spec: the last good spec, None when none is known.
            why: who wanted it, in words.
            keep_away: whether a spec still wants the site, which then stays away all the same.
        """
        site, store = plan.site, self._kit.store
        now = self._kit.clock.now()
        recorder = Recorder(self._kit, Run(run_id(now), site, "destroy", now, plan=plan.digest))
        await self._gate.audit(AuditEntry(now, OTTO, "destroy", site, plan.digest, describe(plan), why))
        try:
            await self._drain(plan, recorder)
            await self._gate.take(plan, spec)
            async with recorder.step("destroy", _hosts(plan)) as notes:
                with self._kit.calling("terraform"):
                    provider = Provider(plan.about.provider)
                    await self._kit.infrastructure.destroy(site, provider, notes.report)
                notes.summary = "nothing of it is left"
        except Exception as error:
            await recorder.give_up(Outcome.FAILED, str(error))
            raise
        except BaseException:
            await asyncio.shield(recorder.give_up(Outcome.INTERRUPTED, "the controller stopped"))
            raise
        await recorder.end(Outcome.SUCCEEDED, "destroyed")
        await self._gate.used(site, plan.digest)
        if keep_away and spec is not None:
            # Not before: what counts as destroyed is taken down no further, and goes on costing.
            await store.set_value(_key(site), digest(_words(spec)))
            await store.set_intent(site, DESTROYED, on=True)
        await self._books.gone(site)
        await store.save_applied(site, Applied())
        await store.set_intent(site, DESTROY, on=False)

    async def _drain(self, plan: Plan, recorder: Recorder) -> None:
        """Let visitors finish. What nobody can reach any more has none; a balancer that resists is told of.

        Its names have left DNS by then.
        """
        step = plan.step(StepKind.DRAIN)
        if step is None:
            return
        state = await self._state(plan.site)
        balancers = tuple(host for host in state.of(Role.BALANCER) if host.name in step.hosts)
        if not balancers:
            return
        seconds = self._kit.settings.drainTimeout
        async with recorder.step("drain", step.hosts) as notes:
            try:
                await self._kit.configuration.drain(balancers, seconds, notes.report)
                notes.summary = "no visitor is left"
            except TransientError as error:
                # The site was to go; a balancer that cannot be stopped gently does not keep it.
                notes.summary = f"not drained: {error.message}"

    async def _state(self, site: str) -> InfrastructureState:
        try:
            return await self._kit.infrastructure.state(site) or InfrastructureState()
        except OttoError:
            return InfrastructureState()  # unreadable: the provider's own list has to do

    async def stays_away(self, site: str, spec: SiteSpec, intents: frozenset[str]) -> bool:
        """Whether a destroyed site is to stay away: until it is resumed, or its spec says something else."""
        if DESTROYED not in intents:
            return False
        if await self._kit.store.value(_key(site)) == digest(_words(spec)):
            return True
        await self._kit.store.set_intent(site, DESTROYED, on=False)
        await self._kit.store.set_intent(site, TEARDOWN, on=False)
        return False


async def end_teardowns(store: Store, sites: frozenset[str]) -> None:
    """Sites that went with the whole lab come back when the controller is started again."""
    for site in sites:
        intents = await store.intents(site)
        if TEARDOWN in intents and DESTROY not in intents:
            await store.set_intent(site, TEARDOWN, on=False)
            await store.set_intent(site, DESTROYED, on=False)


def _hosts(plan: Plan) -> tuple[str, ...]:
    step = plan.step(StepKind.DESTROY)
    return step.hosts if step else ()


def _key(site: str) -> str:
    return f"destroyed.{site}"


def _words(spec: SiteSpec) -> dict[str, object]:
    return {
        "provider": spec.provider,
        "web": spec.web,
        "balancer": spec.balancer,
        "algorithm": spec.algorithm,
        "content": spec.content,
        "domains": spec.domains,
        "checks": spec.checks,
        "labels": spec.labels,
    }
