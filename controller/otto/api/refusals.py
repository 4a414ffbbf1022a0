"""Refusals, on record: each of a kind at once, many of them with their number, and never to fill a disk."""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from otto.model.errors import OttoError
from otto.model.history import AuditEntry
from otto.model.text import one_line
from otto.ports import Ledger

log = structlog.get_logger("otto.api")

WHO = "api"
_QUIET = 60.0  # seconds between two records of the same
_HOUR, _MOST = 3600.0, 240  # records an hour about one caller, or about all that nobody knows
_REMEMBERED = 1000
_LONGEST = 200

_Key = tuple[str, str, str]


@dataclass(slots=True)
class _Told:
    """What was said of refusals of one kind to one caller at one address.

    Attributes:
        at: when the record heard of them.
        untold: how many it did not hear of since.
        reason: why the last one was refused.
        what: the last one.
    """

    at: float
    untold: int = 0
    reason: str = ""
    what: str = ""


class Refusals:
    """Writes refusals into the audit record.

    Args:
        ledger: whose record.
        now: the time of day, in UTC.
        monotonic: seconds that never go back.
        scrub: takes secrets out of a text: people put tokens into paths.
    """

    def __init__(
        self,
        ledger: Ledger,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        scrub: Callable[[str], str] = str,
    ) -> None:
        self._ledger = ledger
        self._now = now
        self._monotonic = monotonic
        self._scrub = scrub
        self._told: OrderedDict[_Key, _Told] = OrderedDict()
        self._forgotten = 0
        self._began = float("-inf")
        self._written: Counter[str] = Counter()
        self._timer: asyncio.TimerHandle | None = None
        self._settling: set[asyncio.Task[None]] = set()

    async def note(self, kind: str, who: str, address: str, reason: str, what: str) -> None:
        """Take note of a refusal.

        Args:
            kind: what was the matter, one of a few words.
            who: the caller's name, "" where nobody was let in.
            address: where from.
            reason: the same for people; no secret, and nothing that was sent but what a route names.
            what: method and path.
        """
        key, now = (kind, who, address), self._monotonic()
        told = self._told.pop(key, None) or _Told(float("-inf"))
        told.untold += 1
        told.reason, told.what = (one_line(self._scrub(text), _LONGEST) for text in (reason, what))
        self._keep(key, told)
        if now - told.at >= _QUIET and self._may_write(who, now):
            await self._tell(key, told)
        else:
            self._see_to_the_rest()

    async def settle(self, *, everything: bool = False) -> None:
        """Have the record hear of what it did not hear of yet, as far as it is time for that.

        Args:
            everything: whether it is time for all of it: the controller stops.
        """
        now = self._monotonic()
        for key, told in tuple(self._told.items()):
            due = told.untold and (everything or now - told.at >= _QUIET)
            if due and (everything or self._may_write(key[1], now)):
                await self._tell(key, told)
        if self._forgotten:
            count, self._forgotten = self._forgotten, 0
            summary = f"{_counted(count)} refused, from more addresses than were kept in mind"
            await self._append(
                AuditEntry(self._now(), WHO, "refuse", summary=summary, detail={"count": str(count)})
            )

    async def _tell(self, key: _Key, told: _Told) -> None:
        kind, who, address = key
        count, told.untold, told.at = told.untold, 0, self._monotonic()
        self._written[who] += 1
        log.warning("api.refusal", kind=kind, caller=who, client=address, reason=told.reason, count=count)
        entry = AuditEntry(
            self._now(),
            who or WHO,
            "refuse",
            summary=f"{_counted(count)} refused, the last one {told.what}",
            reason=told.reason,
            detail={"kind": kind, "from": address, "count": str(count)},
        )
        if not await self._append(entry):
            told.untold += count
            self._see_to_the_rest()

    async def _append(self, entry: AuditEntry) -> bool:
        """Whether the record took it."""
        try:
            await self._ledger.append(entry)
        except OttoError as error:
            log.warning("api.unrecorded", summary=entry.summary, error=error.message)
            return False
        return True

    def _may_write(self, who: str, now: float) -> bool:
        # Strangers, who are as many as they like, do not use up what is there for those who have a name.
        if now - self._began >= _HOUR:
            self._began = now
            self._written.clear()
        return self._written[who] < _MOST

    def _keep(self, key: _Key, told: _Told) -> None:
        self._told[key] = told
        while len(self._told) > _REMEMBERED:
            _, gone = self._told.popitem(last=False)
            self._forgotten += gone.untold

    def _see_to_the_rest(self) -> None:
        """Settle in a while: those who were refused may never come again."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_QUIET, self._begin)

    def _begin(self) -> None:
        self._timer = None
        task = asyncio.ensure_future(self.settle())
        self._settling.add(task)
        task.add_done_callback(self._settled)

    def _settled(self, task: asyncio.Task[None]) -> None:
        self._settling.discard(task)
        if not task.cancelled() and (self._forgotten or any(told.untold for told in self._told.values())):
            self._see_to_the_rest()


def _counted(count: int) -> str:
    return "1 request" if count == 1 else f"{count} requests"
