"""How sites are."""

from dataclasses import dataclass
from typing import ClassVar

from otto.desk import names, seen
from otto.desk.house import House
from otto.desk.question import Question
from otto.desk.seen import Seen
from otto.model.caller import Scope
from otto.model.errors import UsageError
from otto.model.run import Run
from otto.model.status import SiteStatus

_MOST = 100


@dataclass(frozen=True, slots=True)
class SeeStatus(Question[Seen]):
    """Every site, or all that is known of one; of none where OttO has not run yet."""

    word: ClassVar = "status"
    scope: ClassVar = Scope.READ

    site: str | None = None

    async def answer(self, house: House) -> Seen:
        """See `Question`.

        Raises:
            UsageError: there is no such site.
        """
        if self.site is None and not house.has_store:
            return Seen()
        async with house.quick() as store:
            return await seen.look(store, self.site, await house.around(), house.now())


@dataclass(frozen=True, slots=True)
class SeeNames(Question[tuple[str, ...]]):
    """Names of all sites.

    Attributes:
        needed: whether it is an error that OttO has not run yet; else there are no sites then.
    """

    word: ClassVar = "names"
    scope: ClassVar = Scope.READ

    needed: bool = True

    async def answer(self, house: House) -> tuple[str, ...]:
        """See `Question`.

        Raises:
            UsageError: OttO has not run yet.
        """
        if not self.needed and not house.has_store:
            return ()
        async with house.quick() as store:
            return tuple(sorted(await names.names_in(store)))


@dataclass(frozen=True, slots=True)
class Progress:
    """What goes on at some sites.

    Attributes:
        statuses: of those that have one, by name.
        runs: the newest runs of each, newest first.
        intents: site -> what people asked for besides its spec.
    """

    statuses: tuple[SiteStatus, ...]
    runs: tuple[Run, ...]
    intents: dict[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class SeeProgress(Question[Progress]):
    """What goes on at some sites, for whoever waits for it; one that is gone is left out.

    Attributes:
        sites: their names.
        limit: newest runs of each.
    """

    word: ClassVar = "progress"
    scope: ClassVar = Scope.READ

    sites: tuple[str, ...]
    limit: int = 10

    async def answer(self, house: House) -> Progress:
        """See `Question`."""
        if not 0 < self.limit <= _MOST:
            raise UsageError(f"{self.limit} runs of each site are no number to ask for", mend=f"1 to {_MOST}")
        wanted = sorted(set(self.sites))
        async with house.quick() as store:
            statuses = tuple(item for item in await store.statuses() if item.site in self.sites)
            runs = [run for site in wanted for run in await store.runs(site, self.limit)]
            intents = {site: await store.intents(site) for site in wanted}
        return Progress(statuses, tuple(runs), intents)
