"""What a controller in another process does, followed through the store."""

from collections.abc import Iterable
from typing import Protocol

from otto.model.run import Run
from otto.model.status import WORKING, Phase, SiteStatus
from otto.reconcile.events import Event, Listener, SiteGone, StatusChanged, StepChanged

_RUNS = 50
_STEPS = {
    Phase.PLANNING: frozenset({"observe", "plan", "guard"}),
    Phase.PROVISIONING: frozenset({"provision"}),
    Phase.CONFIGURING: frozenset({"set-aside", "drain", "configure", "dns"}),
    Phase.DEPLOYING: frozenset({"deploy"}),
    Phase.VERIFYING: frozenset({"try", "return", "soak", "verify"}),
    Phase.DESTROYING: frozenset({"destroy"}),
}


class Followed(Protocol):
    """What is read to follow it; a part of the port `Store`."""

    async def statuses(self) -> tuple[SiteStatus, ...]:
        """All statuses, by name."""

    async def runs(self, site: str | None = None, limit: int = 20) -> tuple[Run, ...]:
        """Runs, newest first."""


class Follower:
    """Turns what changed in the store into the events that the controller's own process sees."""

    def __init__(self, store: Followed) -> None:
        self._store = store
        self._statuses: dict[str, SiteStatus] | None = None
        self._runs: dict[str, Run] = {}
        self.listeners: list[Listener] = []

    async def look(self) -> None:
        """Compare with the last look. The first one only takes note."""
        statuses = {status.site: status for status in await self._store.statuses()}
        runs = await self._store.runs(limit=_RUNS)
        if self._statuses is not None:
            for event in _in_order([*self._of_runs(runs), *self._of_statuses(self._statuses, statuses)]):
                for listener in self.listeners:
                    listener(event)
        self._statuses = statuses
        self._runs = {run.id: run for run in runs}

    def _of_statuses(self, before: dict[str, SiteStatus], now: dict[str, SiteStatus]) -> list[Event]:
        moved = [StatusChanged(item) for name, item in now.items() if before.get(name) != item]
        return [*moved, *(SiteGone(name) for name in sorted(before.keys() - now.keys()))]

    def _of_runs(self, runs: Iterable[Run]) -> list[Event]:
        events: list[Event] = []
        for run in sorted(runs, key=lambda item: item.id):
            known = self._runs[run.id].steps if run.id in self._runs else ()
            events += [StepChanged(run, step) for step in run.steps if step not in known]
        return events


def _in_order(events: list[Event]) -> list[Event]:
    """As they came about: what a site says it is doing before that very step, what it is now at the end.

    Args:
        events: steps in their order, then statuses.
    """
    ordered: list[Event] = [event for event in events if isinstance(event, StepChanged)]
    last: list[Event] = []
    for event in events:
        if isinstance(event, StatusChanged) and event.status.phase in WORKING:
            ordered.insert(_place(event.status, ordered), event)
        elif not isinstance(event, StepChanged):
            last.append(event)
    return [*ordered, *last]


def _place(status: SiteStatus, events: list[Event]) -> int:
    """Where the status belongs: before the newest steps of its phase, else after all that were done."""
    own = _STEPS.get(status.phase, frozenset())
    kinds = [
        event.step.kind if isinstance(event, StepChanged) and event.run.site == status.site else ""
        for event in events
    ]
    place = next((n + 1 for n in reversed(range(len(kinds))) if kinds[n] in own), None)
    if place is None:
        return len(events)
    while place and kinds[place - 1] in own:
        place -= 1
    return place
