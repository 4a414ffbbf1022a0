"""What was done to sites."""

from dataclasses import dataclass
from typing import ClassVar

from otto.desk import names
from otto.desk.house import House
from otto.desk.question import Question
from otto.desk.sources import StatusSource
from otto.model.caller import Scope
from otto.model.errors import UsageError
from otto.model.run import Run

MOST = 1000
"""Runs that may be asked for at once."""


@dataclass(frozen=True, slots=True)
class SeeRuns(Question[tuple[Run, ...]]):
    """The newest runs, newest first, of a site or of all.

    Attributes:
        site: the site, None for all.
        limit: how many.
        run: of the site the one run whose id begins so, "" for all of them.
    """

    word: ClassVar = "runs"
    scope: ClassVar = Scope.READ

    site: str | None = None
    limit: int = 20
    run: str = ""

    async def answer(self, house: House) -> tuple[Run, ...]:
        """See `Question`.

        Raises:
            UsageError: there is no such site or run, or several runs fit.
        """
        if not 0 < self.limit <= MOST:
            raise UsageError(f"{self.limit} is no number of runs to ask for", mend=f"1 to {MOST}")
        async with house.quick() as store:
            if self.run and self.site is not None:
                return (await _one(store, self.site, self.run),)
            runs = await store.runs(self.site, self.limit)
            if self.site is not None and not runs:
                # A destroyed and forgotten site keeps its history; one that never was has none.
                await names.require_known(self.site, store)
            return runs


async def _one(store: StatusSource, site: str, run: str) -> Run:
    found = [item for item in await store.runs(site, MOST) if item.id.startswith(run)]
    if len(found) == 1 or any(item.id == run for item in found):
        return next(item for item in found if len(found) == 1 or item.id == run)
    if found:
        ids = ", ".join(item.id for item in found[:5])
        raise UsageError(f"{run[:40]!r} fits {len(found)} runs of {site}", mend=f"give more of it: {ids}")
    await names.require_known(site, store)
    raise UsageError(f"{site} has no run {run[:40]!r}", mend=f"otto history {site} lists them")
