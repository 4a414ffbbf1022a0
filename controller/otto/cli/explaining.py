"""The answer to "why", on a page that fits 80 columns."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from rich.table import Table

from otto.cli.colours import colour_of, outcome_colour
from otto.cli.tables import blank, facts, words
from otto.cli.text import clock_time, date_time, lasting, seconds_taken
from otto.model.canonical import short
from otto.model.why import Blocker, Chain, Check, RunTaken, StepTaken, Why

if TYPE_CHECKING:
    from rich.console import RenderableType

_DAY = 86_400.0
_NAMES = len("blocked by")


def page(answer: Why, now: datetime) -> "Iterator[RenderableType]":
    """Everything, part by part."""
    head = words(answer.site, "bold")
    head.append("  ")
    head.append_text(words(answer.phase.value, colour_of(answer.phase)))
    if answer.since:
        head.append_text(words(f"  for {lasting((now - answer.since).total_seconds())}", "dim"))
    yield head
    yield ""
    yield facts([*_state(answer, now), *_blocked(answer, now), *_error(answer, now)], _NAMES)
    yield ""
    yield facts(_chain(answer.chain, now), _NAMES)
    if answer.chain.run and answer.chain.run.steps:
        yield ""
        yield _steps(answer.chain.run.steps)


def _state(answer: Why, now: datetime) -> Iterator[tuple[str, str]]:
    yield "ready", "yes" if answer.ready else "no"
    yield "since", _at(answer.since, now)
    told_below = answer.error is not None and answer.message.startswith(answer.error.message)
    yield "message", "" if told_below else answer.message
    if answer.doing:
        on = f" on {', '.join(answer.doing.hosts)}" if answer.doing.hosts else ""
        yield "doing", f"{answer.doing.step}{on}, {_ago(answer.doing.since, now)} so far"
    seen = f"{_ago(answer.seen_at, now)} ago" if answer.seen_at else "never"
    yield "seen", seen


def _blocked(answer: Why, now: datetime) -> Iterator[tuple[str, str]]:
    if not answer.blockers:
        yield "blocked by", "nothing"
    for blocker in answer.blockers:
        since = f", {_ago(blocker.since, now)} so far" if blocker.since else ""
        yield "blocked by", f"{blocker.kind.value}: {blocker.what}{since}"
        yield "unblock", "; ".join(_ways(blocker, now))


def _ways(blocker: Blocker, now: datetime) -> Iterator[str]:
    if blocker.until:
        left = (blocker.until - now).total_seconds()
        when = f"in {lasting(left)}, at {clock_time(blocker.until)}" if left > 0 else "any moment now"
        yield f"OttO goes on by itself {when}"
    if blocker.unblock:
        yield blocker.unblock


def _error(answer: Why, now: datetime) -> Iterator[tuple[str, str]]:
    error = answer.error
    if error is None:
        return
    over = "; a later run succeeded" if error.over else ""
    yield "last error", error.message
    yield "mend", error.mend
    yield "when", f"{_ago(error.at, now)} ago{f' in run {error.run}' if error.run else ''}{over}"


def _chain(chain: Chain, now: datetime) -> Iterable[tuple[str, str]]:
    yield "commit", _commit(chain) or "none yet"
    yield "digest", short(chain.digest)
    run = chain.run
    yield "plan", short(run.plan) if run else ""
    yield "run", _run(run, now) if run else "none yet"
    yield "check", _check(chain.check, now) if chain.check else "none yet"


def _commit(chain: Chain) -> str:
    if not chain.commit:
        return ""
    parts = [short(chain.commit), chain.file]
    if chain.newest and chain.newest != chain.commit:
        parts.append(f"(newest of the repository: {short(chain.newest)})")
    return "  ".join(part for part in parts if part)


def _run(run: RunTaken, now: datetime) -> str:
    lasted = seconds_taken((run.ended_at - run.started_at).total_seconds()) if run.ended_at else ""
    ended = f", took {lasted}" if lasted else ""
    return f"{run.id}  {run.cause}, {run.outcome.value}, {_ago(run.started_at, now)} ago{ended}"


def _check(check: Check, now: datetime) -> str:
    return f"{check.outcome.value} {_ago(check.at, now)} ago: {check.summary}"


def _steps(steps: Iterable[StepTaken]) -> Table:
    table = blank("STEP", "TOOK", "OUTCOME", "WHAT")
    for column in table.columns[:3]:
        column.no_wrap = True
    for step in steps:
        table.add_row(
            words(step.kind, "bold"),
            words("" if step.seconds is None else seconds_taken(step.seconds)),
            words(step.outcome.value, outcome_colour(step.outcome)),
            words(": ".join(part for part in (_hosts(step), step.summary) if part)),
        )
    return table


def _hosts(step: StepTaken) -> str:
    """What was seen names its hosts itself."""
    return "" if step.kind == "observe" else ", ".join(step.hosts)


def _ago(at: datetime, now: datetime) -> str:
    return lasting((now - at).total_seconds())


def _at(at: datetime | None, now: datetime) -> str:
    if at is None:
        return "not on record"
    return clock_time(at) if (now - at).total_seconds() < _DAY else date_time(at)
