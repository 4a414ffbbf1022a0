"""One story of healing: a damage, what saw it and when, and when the site was Ready again."""

import contextlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from otto.model.run import Outcome, Run
from otto.model.status import Phase

from .client import Visit, Visitors, tell
from .damage import Harm, Moment, do
from .harness import Home, Json, eventually, step, steps_of
from .machine import Machine

# What a story may take before it is given up; far above every limit, so that a slow one is told as slow.
_GIVEN_UP = 240.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds from the damage to the first sign, and to Ready again, on a machine at rest.

    The suite shares its machine, and time taken by others is not OttO's. So what is asserted is this figure
    times how much slower than at rest the machine was (`Machine.slowdown`), measured right before and right
    after the story, when the site is at rest and whatever keeps the machine busy is not ours. It is never
    less than the figure. The figure, the factor and what was measured are all printed.
    """

    seen: float
    ready: float


@dataclass(frozen=True, slots=True)
class Told:
    """What happened, when, and what it is held to; `host` is the one whose signs count, "" for all."""

    story: str
    moment: Moment
    within: Limits
    slowdown: float
    host: str


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What came of a story."""

    story: str
    seen_by: str
    seen: float
    ready: float
    within: Limits
    slowdown: float
    runs: int
    steps: str
    visits: int = 0
    in_flight: int = 0
    failed: int = 0

    def row(self) -> dict[str, str]:
        """A row of the table at the end."""
        return {
            "story": self.story,
            "seen": f"{self.seen:.2f}",
            "limit": f"{self.within.seen:g}",
            "ready": f"{self.ready:.2f}",
            "limit ": f"{self.within.ready:g}",
            "slowdown": f"x{self.slowdown:.2f}",
            "visits": str(self.visits or "-"),
            "failed": f"{self.failed} of {self.in_flight} in flight" if self.visits else "-",
            "seen by": self.seen_by,
            "done": self.steps,
        }


@dataclass
class Healing:
    """Tells stories over one home.

    Attributes:
        home: whose sites are harmed.
        machine: what tells how busy the machine is.
        record: takes what came of each story.
    """

    home: Home
    machine: Machine
    record: Callable[[str, object], None]

    def heals(
        self,
        story: str,
        harm: Harm,
        *,
        site: str,
        seen_by: frozenset[str],
        within: Limits,
        mended: Callable[[], bool] = lambda: True,
        visitors: Visitors | None = None,
        only: str = "",
    ) -> list[Json]:
        """Do the damage to a site that is Ready, wait until it is Ready again, and hold it to the limits.

        Args:
            story: what happens, for the table.
            harm: the damage.
            site: whose host it is done to.
            seen_by: tiers of which one has to be among the signs of the first run's story.
            within: the limits.
            mended: whether what was harmed is as it was, seen from outside.
            visitors: who ask meanwhile.
            only: where something else is wrong with the site as well, the host whose signs count; the
                site need not be Ready then, before and after.

        Returns:
            The runs that healed it, oldest first, as `otto history --json` tells them.
        """
        if not only:
            self.at_rest(site)
        before = {run.id for run in self._runs(site)}
        slow = self.machine.slowdown()
        with visitors or contextlib.nullcontext():
            if visitors:
                eventually("answers to visitors", lambda: len(visitors.visits) > 50, 30)
            moment = do(harm, self.home)
            self._wait(story, site, before, lambda: (bool(only) or self._is_ready(site)) and mended())
            if visitors:
                self._wait_for_all_servers(visitors)
        runs = [run for run in reversed(self.home.runs(site)) if run["id"] not in before]
        if not only:
            self.at_rest(site)
        slow = max(1.0, slow, self.machine.slowdown())
        outcome = _outcome(Told(story, moment, within, slow, only), runs, visitors)
        self.record("healing", json.dumps(outcome.row()))
        _judge(outcome, runs[0], seen_by)
        if visitors:
            _judge_visits(visitors, moment)
        return runs

    def at_rest(self, site: str) -> None:
        """Wait until a site is Ready, nothing is being done about it, and nothing is known to differ."""

        def rests() -> bool:
            runs = self._runs(site)
            ended = bool(runs) and runs[0].outcome is Outcome.SUCCEEDED
            return ended and self._is_ready(site) and self._agrees(site)

        eventually(f"{site} at rest", rests, _GIVEN_UP)

    def facts_are_fresh(self) -> None:
        """Wait for the end of a look at facts, so that a damage has the whole interval before it is seen."""

        def looks() -> float:
            return self.home.metric("otto_observations_total", tier="facts", result="succeeded")

        had = looks()
        eventually("a look at facts", lambda: looks() > had, 60)

    def _wait(self, story: str, site: str, before: set[str], mended: Callable[[], bool]) -> None:
        def healed() -> bool:
            new = [run for run in self._runs(site) if run.id not in before]
            return bool(new) and new[0].outcome is Outcome.SUCCEEDED and mended()

        try:
            eventually(f"{site} healed of: {story}", healed, _GIVEN_UP)
        except AssertionError as error:
            told = f"{error}\n{self.home.site(site)}\n{self.home.told()[-6000:]}"
            raise AssertionError(told) from None

    def _wait_for_all_servers(self, visitors: Visitors) -> None:
        """Ready says that every server has its share again; the visitors have to see it, too."""
        every = visitors.servers()
        since = time.time()
        eventually(f"answers by {sorted(every)}", lambda: visitors.servers(since) == every, 30)

    def _is_ready(self, site: str) -> bool:
        status = self.home.peek(site)
        return status is not None and status.ready and status.phase is Phase.READY

    def _agrees(self, site: str) -> bool:
        return not any(value for value in self.home.metrics("otto_differences", site=site).values())

    def _runs(self, site: str) -> tuple[Run, ...]:
        return self.home.peek_runs(site)


def _outcome(told: Told, runs: list[Json], visitors: Visitors | None) -> Outcomes:
    noted = step(runs[0], "observe")["detail"]["signs"]
    signs = [sign for sign in noted if told.host in ("", sign["host"])]
    assert signs, f"history tells of no sign of {told.host}: {noted}"
    first = min(signs, key=lambda sign: str(sign["at"]))
    failed = visitors.failed() if visitors else []
    flying = [visit for visit in visitors.visits if visit.in_flight(told.moment)] if visitors else []
    return Outcomes(
        story=told.story,
        seen_by=", ".join(dict.fromkeys(sign["tier"] for sign in signs)),
        seen=_seconds(first["at"]) - told.moment.begun,
        ready=max(_seconds(run["ended_at"]) for run in runs) - told.moment.begun,
        within=told.within,
        slowdown=told.slowdown,
        runs=len(runs),
        steps=" | ".join(" ".join(name for name in steps_of(run) if name != "guard") for run in runs),
        visits=len(visitors.visits) if visitors else 0,
        in_flight=len(flying),
        failed=len(failed),
    )


def _judge(outcome: Outcomes, first: Json, seen_by: frozenset[str]) -> None:
    assert steps_of(first)[0] == "observe"
    assert step(first, "observe")["detail"]["differences"], "history does not tell what differed"
    tiers = set(outcome.seen_by.split(", "))
    assert seen_by & tiers, f"seen by {sorted(tiers)} only"
    assert outcome.seen >= 0, "a sign from before the damage"
    most_seen = outcome.within.seen * outcome.slowdown
    most_ready = outcome.within.ready * outcome.slowdown
    assert outcome.seen <= most_seen, f"seen after {outcome.seen:.2f} s, limit {most_seen:.2f} s: {outcome}"
    assert outcome.ready <= most_ready, (
        f"Ready after {outcome.ready:.2f} s, limit {most_ready:.2f} s: {outcome}"
    )


def _judge_visits(visitors: Visitors, moment: Moment) -> None:
    """Nobody but those whose requests were on their way at that moment may have noticed anything."""
    assert visitors.late < 1.0, f"the visitors were {visitors.late:.1f} s late themselves"
    noticed: list[Visit] = [visit for visit in visitors.failed() if not visit.in_flight(moment)]
    assert not noticed, "\n".join(tell(noticed, moment))


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
