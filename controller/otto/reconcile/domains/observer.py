"""Looks at zones, the cheapest way first: a serial, and all of the zone only when there is a reason."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from otto.decide.dns import planning
from otto.decide.dns.names import absolute
from otto.decide.dns.policy import as_policy
from otto.decide.dns.wanted import Wanted
from otto.decide.schedule import jittered
from otto.decide.sifting import Sifted, sift
from otto.model.canonical import digest
from otto.model.difference import Difference
from otto.model.domain import RecordType
from otto.model.observed import CheckFailure
from otto.model.zone import Targets, ZonePlan
from otto.model.zonememory import DesiredZone, ZoneMemory
from otto.reconcile.domains.aside import aside
from otto.reconcile.domains.memory import ZoneBook
from otto.reconcile.kit import Kit

log = structlog.get_logger("otto.domains")

# What made a zone due that is answered by a look at all of it.
_IN_FULL = frozenset({"asked"})

Said = Callable[[], Awaitable[frozenset[str]]]


@dataclass(frozen=True, slots=True)
class ZoneLook:
    """What a look at all of a zone found.

    Attributes:
        desired: what should be.
        last: the wish that was put in place last.
        found: what would be changed, without what is only told of.
        differences: everything that differs.
        acted: what is to be put right.
        reported: what is only told of, as the policy says.
        conflicts: record sets of others where the spec wants its own.
        at: when it was.
    """

    desired: DesiredZone
    last: DesiredZone | None
    found: ZonePlan
    differences: tuple[Difference, ...]
    acted: tuple[Difference, ...]
    reported: tuple[Difference, ...]
    conflicts: tuple[Difference, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class _Standing:
    """A look after which nothing was to be done: while nothing changes, it need not be repeated.

    Attributes:
        wish: names what was desired, and what its policy said.
        serial: of the zone then.
        until: when it is looked at in full again all the same.
        said: what people had said of it, where its plan waits for them; None where none waits.
    """

    wish: str
    serial: int | None
    until: datetime
    said: frozenset[str] | None = None


class ZoneObserver:
    """Looks at zones; remembers which need no second look."""

    def __init__(self, kit: Kit, book: ZoneBook) -> None:
        self._kit = kit
        self._book = book
        self._standing: dict[str, _Standing] = {}
        self._doubted: set[str] = set()

    async def stands(self, desired: DesiredZone, cause: str, said: Said) -> bool:
        """Whether all is as it was at the last look, by the zone's serial alone.

        Args:
            desired: what should be.
            cause: what made the zone due.
            said: finds out what people say of it now.

        Raises:
            OttoError: its server does not answer.
        """
        known = self._standing.get(desired.zone) or self._remembered(self._book.of(desired.zone))
        if (
            desired.zone in self._doubted
            or known is None
            or known.wish != _wish(desired)
            or self._now() >= known.until
        ):
            return False
        if _IN_FULL & set(cause.split("+")) or (known.said is not None and known.said != await said()):
            return False
        with self._kit.calling("dns"):
            serial = await self._kit.zones.serial(desired.spec)
        self._kit.metrics.zone_looked("serial")
        if serial != known.serial:
            log.info("zone.moved", zone=desired.zone, before=known.serial, after=serial)
        return serial == known.serial

    async def look(self, desired: DesiredZone) -> ZoneLook:
        """All of a zone, and what would be changed of it.

        Raises:
            OttoError: it cannot be read, or its provider cannot serve what is desired.
        """
        last = self._book.of(desired.zone).desired
        found = await self.plan(desired)
        size, now = max(found.managed, len(found.changes)), self._now()
        return await aside(size, lambda: _looked(found, desired, last, now))

    async def plan(self, desired: DesiredZone) -> ZonePlan:
        """What would be changed.

        Raises:
            OttoError: as `look`.
        """
        with self._kit.calling("dns"):
            found = await self._kit.zones.plan(desired.spec, desired.targets)
        self._kit.metrics.zone_looked("full")
        return found

    async def check(self, desired: DesiredZone) -> tuple[CheckFailure, ...]:
        """What nameservers answer otherwise than desired, whoever is to blame for that.

        Raises:
            OttoError: nothing can be asked from here.
        """
        targets: Targets = desired.targets
        with self._kit.calling("dns"):
            failures = await self._kit.zones.check(desired.spec, targets)
        self._kit.metrics.zone_looked("check")
        return failures

    def settle(
        self, look: ZoneLook, said: frozenset[str] | None = None, latest: datetime | None = None
    ) -> datetime:
        """Take it that nothing is to be done while nothing changes.

        Args:
            look: what was seen.
            said: what people had said of the zone, where its plan waits for them.
            latest: when it is to be looked at again at the latest.

        Returns:
            When it is looked at again in full.
        """
        until = self._now() + timedelta(seconds=jittered(self._kit.dns.refresh, self._kit.rng))
        until = min(until, latest) if latest is not None else until
        desired = look.desired
        self._standing[desired.zone] = _Standing(_wish(desired), look.found.serial, until, said)
        self._doubted.discard(desired.zone)
        return until

    def until(self, zone: str) -> datetime | None:
        """When a zone is looked at in full again at the latest, None where that is not known."""
        known = self._standing.get(zone)
        return known.until if known else None

    def doubt(self, zone: str) -> None:
        """Have the next look be one at all of the zone, whatever is remembered of it."""
        self._standing.pop(zone, None)
        self._doubted.add(zone)

    def forget(self, zone: str) -> None:
        """Drop all that is known of a zone."""
        self._standing.pop(zone, None)
        self._doubted.discard(zone)

    def _remembered(self, memory: ZoneMemory) -> _Standing | None:
        """What an earlier start of the controller left behind."""
        if not memory.settled or memory.desired is None or memory.read_at is None or memory.failures:
            return None
        until = memory.read_at + timedelta(seconds=self._kit.dns.refresh)
        return _Standing(_wish(memory.desired), memory.serial, until)

    def _now(self) -> datetime:
        return self._kit.clock.now()


def _looked(found: ZonePlan, desired: DesiredZone, last: DesiredZone | None, at: datetime) -> ZoneLook:
    """What was found, sorted out."""
    differences = planning.differences(found, desired, last)
    sifted: Sifted = sift(differences, as_policy(desired.spec.policy).drift, {})
    left = planning.without(found, sifted.reported)
    conflicts = planning.conflicts(found, desired)
    return ZoneLook(desired, last, left, differences, sifted.acted, sifted.reported, conflicts, at)


def remembered(memory: ZoneMemory, look: ZoneLook) -> ZoneMemory:
    """What is to be remembered after a look after which nothing is left to be put right."""
    serial, settled = look.found.serial, not look.reported
    return replace(memory, desired=look.desired, serial=serial, read_at=look.at, settled=settled)


def about(found: Iterable[Difference], zone: str) -> frozenset[str]:
    """The checks that differences of record sets are about."""
    parts = (item.path.split("/") for item in found if item.path.startswith("records/"))
    return frozenset(f"{zone if name == '@' else f'{name}.{zone}'} {kind}" for _, name, kind in parts)


def unexpected(failures: Iterable[CheckFailure], look: ZoneLook) -> tuple[CheckFailure, ...]:
    """Wrong answers that are not by what the look found and leaves as it is.

    To ask again mends none of the others: somebody else's records stand there, or the policy only tells.
    """
    told = about(look.reported, look.desired.zone)
    others = about(look.conflicts, look.desired.zone)
    return tuple(item for item in failures if item.check not in told and not _in_the_way(item.check, others))


def of_servers(failures: Iterable[CheckFailure], look: ZoneLook) -> tuple[CheckFailure, ...]:
    """Those of `unexpected` that the zone's own servers answer.

    A resolver may keep what it was told before for as long as that record's TTL said: no run hangs on it.
    """
    resolvers = look.desired.spec.resolvers
    return tuple(item for item in unexpected(failures, look) if item.target not in resolvers)


def longest_kept(failures: Iterable[CheckFailure], look: ZoneLook, want: Wanted) -> int | None:
    """Seconds that resolvers may keep what they answer otherwise; None when they do not."""
    late = {*unexpected(failures, look)} - {*of_servers(failures, look)}
    checks = {item.check for item in late}
    zone = look.desired.zone
    kept = [item.ttl for item in want.sets if f"{absolute(item.name, zone)} {item.type}" in checks]
    return max(kept, default=0) if late else None


def _in_the_way(check: str, others: frozenset[str]) -> bool:
    """Whether something of others stands there: of the same key, or a CNAME beside which nothing may be."""
    name, _, kind = check.partition(" ")
    for other in others:
        there, _, type_ = other.partition(" ")
        if there == name and (type_ == kind or RecordType.CNAME in (kind, type_)):
            return True
    return False


def _wish(desired: DesiredZone) -> str:
    return f"{desired.digest} {digest(desired.spec.policy)}"
