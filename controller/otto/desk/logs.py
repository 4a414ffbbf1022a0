"""What the controller wrote down."""

import asyncio
import json
from dataclasses import dataclass
from typing import ClassVar

from otto.adapters import logfile
from otto.adapters.logfile import NOWHERE, Entry, Wanted
from otto.desk.house import House
from otto.desk.question import Question
from otto.model.caller import Scope
from otto.model.errors import UsageError

_MOST = 10_000
LEVELS = ("debug", "info", "warning", "error")


@dataclass(frozen=True, slots=True)
class Logged:
    """Entries of the log.

    Attributes:
        entries: each as JSON, oldest first.
        place: where they end, for the question what came since.
    """

    entries: tuple[str, ...]
    place: str

    @property
    def exists(self) -> bool:
        """Whether there is a log at all."""
        return self.place != NOWHERE


@dataclass(frozen=True, slots=True)
class SeeLog(Question[Logged]):
    """The newest entries of the controller's log, or what came since a place in it.

    Attributes:
        site: of one site, "" for all.
        run: of one run, "" for all; a prefix will do.
        level: least level.
        lines: so many of the newest, at most.
        since: a place that an earlier answer named, "" for the newest entries.
    """

    word: ClassVar = "log"
    scope: ClassVar = Scope.READ

    site: str = ""
    run: str = ""
    level: str = "debug"
    lines: int = 50
    since: str = ""

    async def answer(self, house: House) -> Logged:
        """See `Question`; who is limited to some sites sees what was written about those.

        Raises:
            UsageError: there is no such level, or far too many are asked for.
        """
        if self.level not in LEVELS:
            raise UsageError(f"there is no level {self.level[:20]!r}", mend=f"use one of {', '.join(LEVELS)}")
        if not 0 <= self.lines <= _MOST:
            raise UsageError(f"{self.lines} entries cannot be told at once", mend=f"ask for {_MOST} at most")
        if house.log is None:
            return Logged((), NOWHERE)
        wanted = Wanted(self.site, self.run, self.level, await self._seen(house))
        if self.since:
            found = await asyncio.to_thread(logfile.since, house.log, self.since, wanted)
        else:
            found = await asyncio.to_thread(logfile.newest, house.log, self.lines, wanted)
        return _logged(*found)

    async def _seen(self, house: House) -> frozenset[str] | None:
        if self.site:
            await house.require_seen(self.site)
            return None
        return await house.seen()


def _logged(entries: list[Entry], place: str) -> Logged:
    return Logged(tuple(json.dumps(entry) for entry in entries), place)
