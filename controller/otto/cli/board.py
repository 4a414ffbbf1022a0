"""What is known of each site while it is being watched: events in, rows out."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from otto.model.progress import Progress
from otto.model.run import Outcome
from otto.model.status import Phase, SiteStatus, Truth
from otto.reconcile.events import Event, SiteGone, StatusChanged, StepChanged, StepProgress, site_of


@dataclass(frozen=True, slots=True)
class Row:
    """One site, as a line of the table.

    Attributes:
        site: its name.
        began: monotonic time it was first heard of, or last left Ready.
        status: its newest status, None before the first.
        step: the step under way, "" for none.
        progress: what last happened inside that step.
        settled: monotonic time it last became Ready, None while it is not.
        gone: whether it was destroyed and forgotten.
    """

    site: str
    began: float
    status: SiteStatus | None = None
    step: str = ""
    progress: Progress | None = None
    settled: float | None = None
    gone: bool = False

    @property
    def phase(self) -> Phase:
        """Where the site is in its life; Pending before it was looked at."""
        if self.gone:
            return Phase.DESTROYED
        return self.status.phase if self.status else Phase.PENDING

    @property
    def ready(self) -> bool:
        """Whether it was seen Ready, and nothing goes on."""
        return self.status is not None and self.status.ready and self.status.phase is Phase.READY

    @property
    def message(self) -> str:
        """The status' own words."""
        return self.status.message if self.status else ""

    def seconds(self, now: float) -> float:
        """How long the site has taken so far, or took to become Ready."""
        return (now if self.settled is None else self.settled) - self.began


class Board:
    """Every watched site.

    Only what happened since the watching began counts: a status that an earlier controller left behind
    says nothing about now.

    Args:
        sites: those to begin with.
        now: monotonic time.
    """

    def __init__(self, sites: Iterable[str], now: float) -> None:
        self._rows: dict[str, Row] = {site: Row(site, now) for site in sites}

    def rows(self) -> list[Row]:
        """All rows, by name."""
        return [self._rows[site] for site in sorted(self._rows)]

    def row(self, site: str) -> Row | None:
        """One site's row."""
        return self._rows.get(site)

    def apply(self, event: Event, now: float) -> Row:
        """Take note of an event; the row it concerns, as it is now."""
        site = site_of(event)
        row = _after(self._rows.get(site) or Row(site, now), event, now)
        self._rows[site] = row
        return row


def _after(row: Row, event: Event, now: float) -> Row:
    match event:
        case StatusChanged(status=status):
            return _with_status(row, status, now)
        case StepChanged(step=step) if step.outcome is Outcome.RUNNING:
            return replace(row, step=step.kind, progress=None, gone=False)
        case StepChanged():
            return replace(row, step="", progress=None)
        case StepProgress(step=name, progress=progress):
            return replace(row, step=name, progress=progress)
        case SiteGone():
            return replace(row, gone=True, step="", progress=None)


def _with_status(row: Row, status: SiteStatus, now: float) -> Row:
    was_ready = row.ready
    row = replace(row, status=status, gone=False)
    if not row.ready:
        return replace(row, settled=None, began=now if was_ready else row.began)
    settled = row.settled if was_ready and row.settled is not None else now
    return replace(row, settled=settled, step="", progress=None)


def why(status: SiteStatus) -> str:
    """Why a site is not Ready, in one line: its message, or else the first condition that does not hold."""
    if status.message not in ("", status.phase.value):
        return f"{status.phase.value}: {status.message}"
    failing = [item for item in status.conditions.values() if item.status is Truth.FALSE]
    if failing:
        return f"{status.phase.value}: {failing[0].type.value} does not hold: {failing[0].message}"
    return status.phase.value
