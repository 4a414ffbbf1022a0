"""Reconcile one zone: look at it, decide, act, and say when to look again."""

from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from otto.decide.dns.summarize import ZoneFindings
from otto.decide.schedule import jittered
from otto.decide.wording import left_alone
from otto.model.catalogue import RememberedDomain
from otto.model.errors import OttoError, StaleError, TransientError, WaitingError
from otto.model.run import Outcome
from otto.model.verdict import Verdict, Waiting
from otto.model.zonememory import DesiredZone
from otto.reconcile.domains.givingup import GivingUp
from otto.reconcile.domains.memory import ZoneBook
from otto.reconcile.domains.observer import ZoneLook, ZoneObserver, longest_kept, of_servers, remembered
from otto.reconcile.domains.runner import ZoneEnding, ZoneRunner, stale
from otto.reconcile.domains.statuses import ZoneStatuses
from otto.reconcile.domains.targets import TargetBook
from otto.reconcile.domains.wishes import Wishes
from otto.reconcile.fleet import Fleet
from otto.reconcile.gatekeeper import Gatekeeper
from otto.reconcile.kit import Kit
from otto.reconcile.look import SupersededError
from otto.reconcile.pace import Next, Pace
from otto.reconcile.turns import TurnBegan, TurnEnded, ZoneWished

log = structlog.get_logger("otto.domains")

# How often a zone may move under a run before somebody is told.
_MOST_STALE = 3


class ZoneReconciler:
    """Reconciles zones, one call at a time per zone (the queue sees to that).

    Args:
        kit: the ports.
        fleet: the specs in force.
        gate: asks the guard.
        targets: where sites are.
        book: what is remembered of zones.

    Attributes:
        troubles: zones that cannot be looked at, and why.
        observer: looks at zones.
    """

    def __init__(self, kit: Kit, fleet: Fleet, gate: Gatekeeper, targets: TargetBook, book: ZoneBook) -> None:
        self._kit = kit
        self._fleet = fleet
        self._gate = gate
        self._book = book
        self._pace = Pace(kit.settings, kit.rng)
        self._statuses = ZoneStatuses(kit, fleet, self._pace)
        self.observer = ZoneObserver(kit, book)
        self._runner = ZoneRunner(kit, gate, book, self.observer, statuses=self._statuses, latest=self.latest)
        self._giving_up = GivingUp(kit, fleet, gate, book, self._statuses)
        self._wishes: set[str] = set()
        self._targets = targets
        self._desired = Wishes(targets)
        self._stale: dict[str, int] = {}
        self._unrecorded: dict[str, int] = {}
        self.troubles: dict[str, str] = {}

    async def load(self) -> None:
        """Have the metrics tell of zones what was known before this start: a zone that stands is not read.

        One whose last look failed is: else its status would tell of that until the slow look comes round.
        """
        for status in await self._kit.store.statuses() if self._book.all() else ():
            memory = self._book.all().get(status.site)
            if memory is not None:
                self._kit.metrics.zone(status)
                if status.failures:
                    self.observer.doubt(status.site)
                if memory.read_at is not None:
                    self._seen(memory.zone, "full", memory.read_at, memory.serial)

    def wish(self, zone: str) -> None:
        """Have the next look end in a run, whether or not anything differs."""
        self._wishes.add(zone)

    def desired(self, known: RememberedDomain) -> DesiredZone:
        """What a zone should be, with its sites where they are now."""
        return self._desired.of(known)

    async def reconcile(self, zone: str, cause: str) -> Next:
        """Look at one zone and act; never raises but for cancellation."""
        with structlog.contextvars.bound_contextvars(site=zone):
            before = self._seen_by_sites(zone)
            self._kit.turns.publish(TurnBegan(zone, cause))
            try:
                after = await self._guarded(zone, cause)
            except Exception as error:
                # Not even the failure could be written down: the store itself is in trouble.
                log.exception("reconcile.unrecorded", kind=type(error).__name__)
                self._unrecorded[zone] = self._unrecorded.get(zone, 0) + 1
                return self._pace.after(self._unrecorded[zone])
            finally:
                self._kit.turns.publish(TurnEnded(zone))
                self._tell_sites(zone, before)
            self._unrecorded.pop(zone, None)
            return after

    async def _guarded(self, zone: str, cause: str) -> Next:
        try:
            after = await self._reconcile(zone, cause)
        except WaitingError as error:
            return await self._statuses.wait(zone, error)
        except SupersededError:
            return Next(0.0, "superseded")
        except StaleError as error:
            return await self._again(zone, error)
        except Exception as error:  # noqa: BLE001  (told, and tried again later)
            return await self._fail(zone, error)
        self.troubles.pop(zone, None)
        return after

    async def _again(self, zone: str, error: StaleError) -> Next:
        """The zone moved on under a run: it is planned anew at once, but not for ever."""
        self.observer.doubt(zone)
        self._stale[zone] = self._stale.get(zone, 0) + 1
        if self._stale[zone] < _MOST_STALE:
            return Next(0.0, "stale")
        return await self._fail(zone, stale(error))

    async def _fail(self, zone: str, error: Exception) -> Next:
        self.observer.doubt(zone)
        if not isinstance(error, OttoError):
            log.error("reconcile.failed", kind=type(error).__name__, exc_info=error)
            words = f"{type(error).__name__}: {error}"
            error = TransientError(words, mend="the log has the whole story")
        else:
            log.warning("reconcile.failed", error=str(error), kind=type(error).__name__)
        self.troubles[zone] = error.message
        return await self._statuses.failed(zone, error)

    async def _reconcile(self, zone: str, cause: str) -> Next:
        await self._runner.write_end(zone)
        intents = await self._kit.store.intents(zone)
        known = self._fleet.domain(zone)
        if "destroy" in intents:
            return await self._giving_up.give_up(zone, known)
        if known is None:
            return await self._orphan(zone)
        if await self._giving_up.stays_away(known.spec, intents):
            return await self._statuses.destroyed(zone)
        if "suspend" in intents or known.spec.suspend:
            by = "its spec" if known.spec.suspend else f"a person; to go on: otto resume {zone}"
            await self._statuses.write(ZoneFindings(zone, self._kit.clock.now(), suspended=by))
            self.observer.doubt(zone)
            return self._pace.slowest()
        return await self._converge(self.desired(known), cause)

    async def _orphan(self, zone: str) -> Next:
        now = self._kit.clock.now()
        if problems := self._fleet.problems(zone):
            waiting = f"waits for its first good spec: {problems[0]}"
            await self._statuses.write(ZoneFindings(zone, now, waiting=waiting))
            return self._pace.slowest()
        last = self._book.of(zone).desired
        if last is None:
            await self._giving_up.forget(zone)
            self.observer.forget(zone)
            return Next(None)
        await self._statuses.write(ZoneFindings(zone, now, orphaned=True, lost=self._adrift(last)))
        return self._pace.slowest()

    def _adrift(self, last: DesiredZone) -> tuple[str, ...]:
        """Sites that are no longer all where the records of a zone still lead."""
        now = self._targets.targets(last.targets)
        return tuple(sorted(site for site, at in last.targets.items() if not {*at} <= {*now.get(site, ())}))

    async def _converge(self, desired: DesiredZone, cause: str) -> Next:
        zone, asked = desired.zone, desired.zone in self._wishes
        self._kit.turns.publish(ZoneWished(desired, self._book.of(zone).desired))
        if not asked and await self.observer.stands(desired, cause, lambda: self._gate.signature(zone)):
            self._seen(zone, "serial", self._kit.clock.now(), self._book.of(zone).serial)
            await self._statuses.judged(desired)
            return self._no_later(self._usual(), self.observer.until(zone))
        look = await self.observer.look(desired)
        self._show(look)
        if look.acted or look.found or asked:
            return await self._run(look, cause, asked=asked)
        failures = await self.observer.check(desired)
        return await self._conclude(look, ZoneEnding(Outcome.SUCCEEDED, "", "", None, look, failures))

    async def _run(self, look: ZoneLook, cause: str, *, asked: bool) -> Next:
        zone = look.desired.zone
        failed = await self._statuses.failures(zone)
        await self._statuses.write(replace(self._findings(look), planning=True, failed=failed))
        ending = await self._runner.run(look, cause, asked=asked)
        self._wishes.discard(zone)
        self._stale.pop(zone, None)
        return await self._conclude(look, ending)

    async def _conclude(self, look: ZoneLook, ending: ZoneEnding) -> Next:
        """Keep what was learnt, write the status, and say when to look again."""
        zone, seen = look.desired.zone, ending.left or look
        self._show(seen)
        if ending.failures is not None:
            self._seen(zone, "check", self._kit.clock.now(), seen.found.serial)
        failed = await self._statuses.failures(zone) + 1 if _is_failure(ending, seen) else 0
        after = self._pace.after(failed) if failed else self._usual()
        until = None
        if ending.outcome is Outcome.WAITING:
            said = await self._gate.signature(zone)
            until = self.observer.settle(look, said, self._judged_anew(ending.verdict))
            after = self._no_later(after, until)
        elif not failed:
            until = self.observer.settle(seen, latest=self._asked_again(seen, ending))
        else:
            self.observer.doubt(zone)
        await self._remember(seen, ending)
        found = replace(
            self._findings(seen),
            failures=ending.failures,
            verdict=ending.verdict,
            plan=ending.plan,
            run=ending.run,
            error=ending.error,
            failed=failed,
            next_look=until or self._at(after),
        )
        await self._statuses.write(found)
        return after

    def _show(self, look: ZoneLook) -> None:
        """Have the metrics say what a look at all of a zone found."""
        self._kit.metrics.zone_differs(look.desired.zone, len(look.differences))
        self._seen(look.desired.zone, "full", look.at, look.found.serial)

    def _seen(self, zone: str, look: str, at: datetime, serial: int | None) -> None:
        self._kit.metrics.zone_seen(zone, look, at.timestamp(), serial)

    async def _remember(self, seen: ZoneLook, ending: ZoneEnding) -> None:
        """What the zone holds counts as put in place, once nothing is left to be put right."""
        memory = self._book.of(seen.desired.zone)
        if ending.failures is not None:
            memory = replace(memory, failures=ending.failures, checked=seen.desired.digest)
        if ending.left is not None and not seen.acted:
            memory = remembered(memory, seen)
        await self._book.keep(memory)

    def _findings(self, look: ZoneLook) -> ZoneFindings:
        lost = sorted(look.desired.spec.sites - look.desired.targets.keys())
        waiting = ""
        if look.reported and not look.acted:
            waiting = left_alone(look.reported)
        return ZoneFindings(
            look.desired.zone,
            self._kit.clock.now(),
            look.desired,
            differences=look.differences,
            conflicts=look.conflicts,
            foreign=len(look.found.foreign),
            lost=tuple(lost),
            waiting=waiting,
        )

    def _judged_anew(self, verdict: Verdict | None) -> datetime | None:
        """When a plan that waits for no person is judged anew, None for when somebody says something."""
        if not isinstance(verdict, Waiting):
            return None
        return verdict.until or self._kit.clock.now() + timedelta(seconds=self._kit.dns.interval)

    def _asked_again(self, seen: ZoneLook, ending: ZoneEnding) -> datetime | None:
        """When resolvers that still answer what was before are asked again, None where none does."""
        want = self._book.wanted(seen.desired)
        kept = longest_kept(ending.failures or (), seen, want)
        if kept is None:
            return None
        return self._kit.clock.now() + timedelta(seconds=max(kept, self._kit.dns.interval))

    def _no_later(self, after: Next, until: datetime | None) -> Next:
        return after if until is None else self._pace.no_later_than(after, until, self._kit.clock.now())

    def _usual(self) -> Next:
        return Next(jittered(self._kit.dns.interval, self._kit.rng))

    def _at(self, after: Next) -> datetime | None:
        return None if after.seconds is None else self._kit.clock.now() + timedelta(seconds=after.seconds)

    def latest(self, zone: str) -> str:
        """Digest of the newest wish, "" where no spec wants the zone any more."""
        known = self._fleet.domain(zone)
        return self.desired(known).digest if known else ""

    def _seen_by_sites(self, zone: str) -> object:
        memory = self._book.of(zone)
        return memory.desired and memory.desired.digest, memory.failures, self.troubles.get(zone)

    def _tell_sites(self, zone: str, before: object) -> None:
        """Have sites looked at whose names the zone answers for, when what it answers is something else."""
        if self._seen_by_sites(zone) == before:
            return
        memory, known = self._book.of(zone), self._fleet.domain(zone)
        following = (known.spec.sites if known else frozenset()) | (
            memory.desired.spec.sites if memory.desired else frozenset()
        )
        for site, spec in self._fleet.specs_in_force().items():
            if site in following or any(name == zone or name.endswith(f".{zone}") for name in spec.domains):
                self._kit.queue.add(site, "dns")


def _is_failure(ending: ZoneEnding, seen: ZoneLook) -> bool:
    """Whether it is tried again soon: a run failed, or answers are wrong that nobody was told to leave so."""
    return ending.outcome is Outcome.FAILED or bool(of_servers(ending.failures or (), seen))
