"""Refusals, on record: each of a kind at once, many of them with their number, and never to fill a disk."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from otto.model.errors import OttoError
from otto.model.history import AuditEntry
from otto.ports import Ledger

log = structlog.get_logger("otto.api")

WHO = "api"
_QUIET = 60.0  # seconds between two records of the same
_HOUR, _MOST = 3600.0, 240  # records an hour, whatever happens
_REMEMBERED = 1000
_LONGEST = 200


@dataclass(slots=True)
class _Told:
    at: float
    untold: int = 0


class Refusals:
    """Writes refusals into the audit record.

    Args:
        ledger: whose record.
        now: the time of day, in UTC.
        monotonic: seconds that never go back.
    """

    def __init__(self, ledger: Ledger, now: Callable[[], datetime], monotonic: Callable[[], float]) -> None:
        self._ledger = ledger
        self._now = now
        self._monotonic = monotonic
        self._told: OrderedDict[tuple[str, str, str], _Told] = OrderedDict()
        self._began = float("-inf")
        self._written = 0

    async def note(self, kind: str, who: str, address: str, reason: str, what: str) -> None:
        """Take note of a refusal.

        Args:
            kind: what was the matter, one of a few words.
            who: the caller's name, "" where nobody was let in.
            address: where from.
            reason: the same for people; no secret, and nothing that was sent but what a route names.
            what: method and path.
        """
        count = self._count((kind, who, address))
        if not count:
            return
        log.warning("api.refusal", kind=kind, caller=who, client=address, reason=reason, count=count)
        times = "1 request" if count == 1 else f"{count} requests"
        entry = AuditEntry(
            self._now(),
            who or WHO,
            "refuse",
            summary=f"{times} refused, the last one {what[:_LONGEST]}",
            reason=reason[:_LONGEST],
            detail={"kind": kind, "from": address, "count": str(count)},
        )
        try:
            await self._ledger.append(entry)
        except OttoError as error:
            log.warning("api.unrecorded", kind=kind, error=error.message)

    def _count(self, key: tuple[str, str, str]) -> int:
        """How many refusals the record is to hear of now; 0 when it is to wait."""
        now = self._monotonic()
        told = self._told.pop(key, None)
        quiet = told is not None and now - told.at < _QUIET
        if quiet or not self._may_write(now):
            told = told or _Told(float("-inf"))
            told.untold += 1
            self._keep(key, told)
            return 0
        self._written += 1
        self._keep(key, _Told(now))
        return 1 + (told.untold if told else 0)

    def _may_write(self, now: float) -> bool:
        if now - self._began >= _HOUR:
            self._began, self._written = now, 0
        return self._written < _MOST

    def _keep(self, key: tuple[str, str, str], told: _Told) -> None:
        self._told[key] = told
        while len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)
