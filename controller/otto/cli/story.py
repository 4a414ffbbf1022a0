"""The story of a run: what was seen first and by which tier, what was done, and how long all of it took.

A run begins with a step `observe`, whose detail holds the signs and the differences; runs of earlier versions
have none. What the store holds may be another version's: what does not fit is left out.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from otto.cli.text import lasting, seconds_taken, took
from otto.model.run import Outcome, Run, StepRecord
from otto.reconcile.told import readable

OBSERVE = "observe"
_QUIET = frozenset({OBSERVE, "plan", "guard"})


@dataclass(frozen=True, slots=True)
class Sighting:
    """One sign: by which tier, of which host ("" for the site), what, and when."""

    tier: str
    what: str
    at: datetime
    host: str = ""

    @property
    def words(self) -> str:
        """Host and what was seen of it."""
        return f"{self.host}: {self.what}" if self.host else self.what


@dataclass(frozen=True, slots=True)
class Differs:
    """One difference that the run set out to mend, in the record's words."""

    layer: str
    path: str
    want: str
    have: str
    cause: str
    tier: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """What is told of a run.

    Attributes:
        summary: what was seen, in a line.
        began: when the first sign was seen.
        signs: in the order in which they were seen.
        differences: what the run set out to mend.
        verified: when all checks had passed, None when they did not.
    """

    summary: str
    began: datetime
    signs: tuple[Sighting, ...]
    differences: tuple[Differs, ...]
    verified: datetime | None

    @property
    def whole(self) -> timedelta | None:
        """From the first sign until everything was seen to be well; None when it was not."""
        return self.verified - self.began if self.verified else None

    @property
    def first(self) -> Sighting | None:
        """The first sign."""
        return self.signs[0] if self.signs else None


def story(run: Run) -> Story | None:
    """The story of a run, None for one that does not tell what was seen."""
    seen = next((step for step in run.steps if step.kind == OBSERVE), None)
    if seen is None:
        return None
    signs = tuple(sorted(readable(Sighting, seen.detail.get("signs")), key=lambda sign: sign.at))
    return Story(
        seen.summary,
        seen.started_at,
        signs,
        readable(Differs, seen.detail.get("differences")),
        _verified(run),
    )


def done(run: Run) -> list[str]:
    """The steps that did something, each with its hosts and how long it took."""
    return [_step(step) for step in run.steps if step.kind not in _QUIET]


def doing(run: Run, now: datetime, *, because: bool = True) -> tuple[str, ...]:
    """The step that a run is at; before that what it mends, if `because` asks for it."""
    told = story(run) if because else None
    lines = [f"because {told.summary}"] if told and told.summary else []
    step = next((item for item in reversed(run.steps) if item.ended_at is None), None)
    if step is not None:
        hosts = f" ({', '.join(step.hosts)})" if step.hosts and step.kind != OBSERVE else ""
        lines.append(f"{step.kind}{hosts}, {lasting((now - step.started_at).total_seconds())} so far")
    return tuple(lines)


def length(run: Run, now: datetime) -> str:
    """How long a run took, from the first sign where it tells of one."""
    told = story(run)
    return took(min(told.began, run.started_at) if told else run.started_at, run.ended_at, now)


def whole_words(told: Story) -> str:
    """`6.2s from the first sign to the last check`, "" when it did not come to that."""
    return (
        f"{seconds_taken(told.whole.total_seconds())} from the first sign to the last check"
        if told.whole
        else ""
    )


def _step(step: StepRecord) -> str:
    hosts = f" ({', '.join(step.hosts)})" if step.hosts else ""
    ended = f" {seconds_taken((step.ended_at - step.started_at).total_seconds())}" if step.ended_at else ""
    how = "" if step.outcome is Outcome.SUCCEEDED else f" {step.outcome.value}"
    return f"{step.kind}{hosts}{ended}{how}"


def _verified(run: Run) -> datetime | None:
    ends = [
        step.ended_at for step in run.steps if step.kind == "verify" and step.outcome is Outcome.SUCCEEDED
    ]
    return ends[-1] if ends else None
