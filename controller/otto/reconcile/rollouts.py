"""Which wish a site goes towards: the newest, or, while that is quarantined, the last that was verified."""

from dataclasses import replace
from datetime import datetime

import structlog

from otto.decide.rollout import UNDERWAY, Course, cannot_go_back, renewed, taken_up
from otto.decide.rolloutwords import (
    failed_notice,
    frozen_by,
    no_way_back,
    quarantine_entry,
    stuck_notice,
    waiting_for,
)
from otto.model.canonical import short
from otto.model.desired import Desired
from otto.model.history import OTTO, Grant, GrantKind
from otto.model.observed import Applied
from otto.model.plan import Plan
from otto.model.rollout import Quarantine, RolloutState, RolloutStatus
from otto.reconcile.aim import Aim
from otto.reconcile.gatekeeper import Gatekeeper
from otto.reconcile.kit import Kit
from otto.reconcile.look import Look, RolloutFailedError, SupersededError
from otto.reconcile.standins import StandIns

log = structlog.get_logger("otto.rollout")

_GOING_BACK = frozenset({RolloutState.REVERTING, RolloutState.STUCK})
_BACK = frozenset({RolloutState.REVERTING, RolloutState.REVERTED, RolloutState.STUCK})
# Quarantined wishes that are kept with all that failed, of each site.
_KEPT = 5


class Rollouts:
    """Keeps how every site's rollout stands, and who or what stopped it.

    What may not be put in place is a grant of the ledger, whoever said it, OttO or a person; how far a
    rollout came is kept beside it. The first decides, the second tells.
    """

    def __init__(self, kit: Kit, gate: Gatekeeper, standins: StandIns) -> None:
        self._kit = kit
        self._gate = gate
        self._standins = standins
        self._known: dict[str, RolloutStatus] = {}

    def status(self, site: str) -> RolloutStatus | None:
        """How the site's last rollout stands, as far as this process has come to know it."""
        return self._known.get(site)

    async def aim(self, desired: Desired, applied: Applied) -> Aim:
        """What a site goes towards now.

        Args:
            desired: what the newest spec asks for.
            applied: what is in place.

        Raises:
            WaitingError: that must not be put in place, and there is nothing to go back to.
        """
        site = desired.site
        status = await self._load(site)
        grants = await self._kit.ledger.grants(site=site)
        now = self._kit.clock.now()
        held = {
            grant.plan: grant for grant in grants if grant.kind is GrantKind.QUARANTINE and grant.holds(now)
        }
        quarantine = held.get(desired.digest)
        if quarantine is None:
            await self._over(desired, applied, status)
            return Aim(desired, desired, None, self._paused(desired, applied, grants, now))
        last = next(
            (item for item in (applied.desired, applied.previous) if item and item.digest not in held), None
        )
        barred = await self._standins.barred(last) if last else {}
        roles, module = self._kit.configuration.roles(), self._module(desired)
        why_not = cannot_go_back(last, roles, module, barred.values())
        if last is None or why_not:
            await self._stuck(status, desired, why_not)
            raise no_way_back(desired, quarantine, why_not)
        if status.state not in _BACK or status.digest != desired.digest:
            status = await self._given_up(status, desired, quarantine)
        known = status.quarantined.get(desired.digest)
        return Aim(last, desired, quarantine, None, renewed(status, known))

    async def begin(self, look: Look, course: Course, judged: Plan) -> None:
        """A course is about to be taken, or taken up again.

        Args:
            look: where the run started from.
            course: its steps; none while they are not known yet.
            judged: the plan as it was allowed.
        """
        desired, now = look.desired, self._kit.clock.now()
        status = await self._load(desired.site)
        if look.beside:  # an older wish is mended or put back: that is no rollout of its own
            pass
        elif status.digest != desired.digest or status.state not in UNDERWAY:
            status = replace(
                status,
                digest=desired.digest,
                state=RolloutState.RUNNING,
                began_at=now,
                batches=course.steps,
                done=(),
                reason="",
                before=look.observed.applied.verified,
                plan=judged.digest,
                actions=judged.actions,
            )
            self._kit.metrics.rollouts.began()
        else:
            status = taken_up(status, course, judged)
        # Without steps it is not known yet what becomes of those that an earlier run had begun with.
        await self._save(replace(status, current=(), moment="") if course else status)
        log.info("rollout.began", digest=short(desired.digest), batches=[list(item) for item in course.steps])

    async def go_on(self, look: Look, *, takes: bool = False) -> None:
        """Asked before each batch.

        Args:
            look: where the run started from. One that mends, or takes back, is no rollout that is paused.
            takes: whether living servers go with the batch.

        Raises:
            WaitingError: somebody paused the rollout, or a freeze began that holds such a batch.
        """
        desired, now = look.desired, self._kit.clock.now()
        if takes:
            for grant in await self._kit.ledger.grants(site=desired.site, kind=GrantKind.FREEZE):
                if grant.holds(now):
                    raise frozen_by(grant)
        if look.beside:
            return
        grants = await self._kit.ledger.grants(site=desired.site, kind=GrantKind.PAUSE)
        paused = next((grant for grant in grants if grant.holds(now)), None)
        if paused is not None:
            await self._pause(await self._load(desired.site), paused)
            raise waiting_for(paused, desired)

    async def heed(self, desired: Desired) -> None:
        """Asked now and then while a batch is watched, too.

        Raises:
            SupersededError: somebody gave the rollout up: the site goes back.
        """
        grants = await self._kit.ledger.grants(site=desired.site, kind=GrantKind.QUARANTINE)
        now = self._kit.clock.now()
        if any(grant.plan == desired.digest and grant.holds(now) for grant in grants):
            raise SupersededError

    def begun(self, look: Look) -> tuple[str, ...]:
        """Servers that were being changed towards the same wish when an earlier run ended."""
        status = self._known.get(look.desired.site)
        mine = status is not None and status.digest == look.desired.digest and status.state in UNDERWAY
        return status.current if status is not None and mine else ()

    def failed_on(self, look: Look) -> tuple[str, ...]:
        """Servers on which the wish failed that a run takes back."""
        status = self._known.get(look.desired.site)
        return status.current if status is not None and look.beside and status.state in _GOING_BACK else ()

    async def moment(self, desired: Desired, moment: str, names: tuple[str, ...]) -> None:
        """What is being done to a batch."""
        status = await self._load(desired.site)
        await self._save(replace(status, current=names, moment=moment, since=self._kit.clock.now()))

    async def batch_done(self, desired: Desired, names: tuple[str, ...]) -> None:
        """A batch was changed, verified and watched."""
        status = await self._load(desired.site)
        done = (*status.done, *(name for name in names if name not in status.done))
        await self._save(replace(status, done=done, current=(), moment="", since=self._kit.clock.now()))

    async def ended(self, look: Look) -> None:
        """A wish holds."""
        status = await self._load(look.desired.site)
        if look.beside:
            if status.state in _GOING_BACK:
                await self._reverted(status)
        elif status.state is RolloutState.RUNNING:
            await self._save(replace(status, state=RolloutState.DONE, current=(), moment=""))
            self._kit.metrics.rollouts.ended("done")
            log.info("rollout.done", digest=short(status.digest))

    async def at_rest(self, aim: Aim) -> None:
        """Nothing differs from what a site goes towards."""
        status = await self._load(aim.desired.site)
        if aim.quarantine is not None and status.state in _GOING_BACK:
            await self._reverted(status)

    async def failed(self, look: Look, error: RolloutFailedError) -> None:
        """A wish does not hold where it was put in place: it is not tried again until its inputs change."""
        desired, now = look.desired, self._kit.clock.now()
        status = await self._load(desired.site)
        mine = status.digest == desired.digest
        await self._spent(desired.site, status.plan if mine else "")
        changed = {*error.hosts, *(status.done if mine else ()), *(status.current if mine else ())}
        found = Quarantine(
            desired.digest, desired.commit, now, error.message, error.failures, tuple(sorted(changed))
        )
        kept = dict(list(status.quarantined.items())[-(_KEPT - 1) :])
        await self._save(
            replace(
                status,
                digest=desired.digest,
                state=RolloutState.REVERTING,
                reason=error.message,
                quarantined=kept | {desired.digest: found},
                before=look.observed.applied.verified,
                plan=status.plan if mine else "",
                actions=status.actions if mine else (),
            )
        )
        # Last: from here on the site goes the other way, whoever looks at it next.
        await self._kit.ledger.grant(
            Grant(GrantKind.QUARANTINE, desired.site, OTTO, now, reason=error.message, plan=desired.digest)
        )
        await self._gate.audit(quarantine_entry(desired, found))
        await self._kit.notifier.notify(failed_notice(desired.site, found))
        self._kit.metrics.rollouts.ended("failed")
        log.warning("rollout.failed", digest=short(desired.digest), reason=error.message)

    async def stuck(self, look: Look, reason: str) -> None:
        """Going back does not hold either."""
        await self._stuck(await self._load(look.desired.site), look.desired, reason)

    def forget(self, site: str) -> None:
        """Drop a site that is gone."""
        self._known.pop(site, None)
        self._kit.metrics.rollouts.gone(site)

    def _paused(
        self, desired: Desired, applied: Applied, grants: tuple[Grant, ...], now: datetime
    ) -> Grant | None:
        pauses = (grant for grant in grants if grant.kind is GrantKind.PAUSE and grant.holds(now))
        return next(pauses, None) if applied.verified != desired.digest else None

    async def _given_up(self, status: RolloutStatus, desired: Desired, said: Grant) -> RolloutStatus:
        """A person had a wish taken back: nothing of it failed, and what it changed goes back."""
        mine, known = status.digest == desired.digest and status.state in UNDERWAY, dict(status.quarantined)
        await self._spent(desired.site, status.plan if mine else "")
        if mine:
            hosts, digest = tuple(sorted({*status.done, *status.current})), desired.digest
            known[digest] = Quarantine(digest, desired.commit, said.at, said.reason, (), hosts, said.by)
        given_up = replace(
            status,
            digest=desired.digest,
            state=RolloutState.REVERTING,
            reason=said.reason,
            moment="",
            quarantined=dict(list(known.items())[-_KEPT:]),
            plan=status.plan if mine else "",
            actions=status.actions if mine else (),
        )
        return await self._save(given_up)

    async def _reverted(self, status: RolloutStatus) -> None:
        await self._save(replace(status, state=RolloutState.REVERTED, current=(), moment=""))
        self._kit.metrics.rollouts.ended("reverted")
        log.warning("rollout.reverted", digest=short(status.digest), reason=status.reason)

    async def _spent(self, site: str, plan: str) -> None:
        """An approval holds for one time: what is tried again, or comes again, is asked for again."""
        for grant in await self._kit.ledger.grants(site=site, kind=GrantKind.APPROVE) if plan else ():
            if grant.plan == plan:
                await self._kit.ledger.revoke(grant)

    async def _over(self, desired: Desired, applied: Applied, status: RolloutStatus) -> None:
        """A wish that is in place, or another one: what was told of the last rollout is told no longer."""
        if status.state is RolloutState.DONE or (
            status.digest == desired.digest and applied.verified != desired.digest
        ):
            return
        await self._save(replace(status, state=RolloutState.DONE, current=(), moment="", reason=""))

    async def _pause(self, status: RolloutStatus, paused: Grant) -> None:
        words = f"paused by {paused.by}" + (f": {paused.reason}" if paused.reason else "")
        await self._save(replace(status, state=RolloutState.PAUSED, current=(), moment="", reason=words))

    async def _stuck(self, status: RolloutStatus, desired: Desired, why: str) -> None:
        if status.state is RolloutState.STUCK:
            return
        await self._save(replace(status, state=RolloutState.STUCK, reason=why or status.reason, moment=""))
        self._kit.metrics.rollouts.ended("stuck")
        await self._kit.notifier.notify(stuck_notice(desired.site, why, self._kit.clock.now()))
        log.error("rollout.stuck", digest=short(desired.digest), reason=why)

    def _module(self, desired: Desired) -> str:
        return self._kit.infrastructure.module(desired.spec.provider)

    async def _load(self, site: str) -> RolloutStatus:
        if site not in self._known:
            self._known[site] = status = await self._kit.store.rollout(site)
            if status.digest:
                self._kit.metrics.rollouts.stands(status)
        return self._known[site]

    async def _save(self, status: RolloutStatus) -> RolloutStatus:
        if status != self._known.get(status.site):
            await self._kit.store.save_rollout(status)
            self._known[status.site] = status
            self._kit.metrics.rollouts.stands(status)
        return status
