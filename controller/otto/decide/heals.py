"""Repairs that succeeded, out of the record of runs."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from otto.model.difference import UNWISHED
from otto.model.history import Heal
from otto.model.run import Outcome, Run


def heals(runs: Iterable[Run], since: datetime) -> tuple[Heal, ...]:
    """The heals that ended since then, oldest first: runs that put right what no spec had caused."""
    found = [
        Heal(run.ended_at, paths)
        for run in runs
        if run.outcome is Outcome.SUCCEEDED and run.ended_at is not None and run.ended_at > since
        if (paths := _paths(run))
    ]
    return tuple(sorted(found, key=lambda heal: heal.at))


def _paths(run: Run) -> tuple[str, ...]:
    """What the run saw that nobody wished, as its step `observe` keeps it."""
    seen = next((step.detail.get("differences") for step in run.steps if step.kind == "observe"), None)
    items = [item for item in seen if isinstance(item, Mapping)] if isinstance(seen, list) else []
    return tuple(sorted({str(item.get("path")) for item in items if item.get("cause") in UNWISHED}))
