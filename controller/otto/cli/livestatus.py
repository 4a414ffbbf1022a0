"""The live picture of `otto status --watch`: the table, what goes on at each site, and the newest events."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Group
from rich.live import Live
from rich.text import Text

from otto.cli import statuspage
from otto.cli.board import Board
from otto.cli.presenting import PlainPresenter
from otto.cli.story import doing
from otto.cli.text import counted
from otto.desk.seen import Seen
from otto.model.run import Run
from otto.model.status import SiteStatus
from otto.ports import Clock

if TYPE_CHECKING:
    from rich.console import Console

_TAIL = 8
# Lines that are no sites: heading, cost, remarks, space.
_REST = 8


class StatusPicture(PlainPresenter):
    """A presenter that keeps the newest lines, and draws them below the table.

    Args:
        console: a terminal.
        clock: the time.
        site: the site it was asked for, None for all.
        place: where the sites are, in words.
    """

    def __init__(self, console: "Console", clock: Clock, site: str | None, place: str) -> None:
        super().__init__(console, Board((), clock.monotonic()), clock)
        self._site = site
        self._place = place
        self._lines: deque[Text] = deque(maxlen=_TAIL)
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="ellipsis")

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def draw(self, seen: Seen, runs: Sequence[Run]) -> None:
        """Draw how things are now."""
        self._live.update(self.picture(seen, runs), refresh=True)

    def picture(self, seen: Seen, runs: Sequence[Run]) -> Group:
        """The picture; where all sites do not fit, those that are Ready are only counted."""
        now = self._clock.now()
        shown, left = fitting(seen, self._console.height - _REST - _TAIL)
        doings = _doing(shown.statuses, runs, now)
        parts = [statuspage.page(shown, self._site, self._place, now, doings, every=seen.statuses)]
        if left:
            parts.append(
                Group(
                    Text(f"and {counted(left, 'site')} more that {'is' if left == 1 else 'are'} Ready", "dim")
                )
            )
        return Group(*parts, Text(), *(self._cut(line) for line in self._lines))

    def _say(self, site: str, words: str, style: str) -> None:
        self._lines.append(self._line(site, words, style))

    def _cut(self, line: Text) -> Text:
        cut = line.copy()
        cut.truncate(self._console.width, overflow="ellipsis")
        return cut


def fitting(seen: Seen, room: int) -> tuple[Seen, int]:
    """What fits into so many lines, and how many Ready sites are left out for it."""
    if len(seen.statuses) <= max(1, room):
        return seen, 0
    unready = tuple(status for status in seen.statuses if not status.ready or status.message)
    few = unready or seen.statuses[:1]
    return replace(seen, statuses=few), len(seen.statuses) - len(few)


def _doing(statuses: Sequence[SiteStatus], runs: Sequence[Run], now: datetime) -> Mapping[str, Sequence[str]]:
    """What goes on at each site; why, where its status does not say so itself."""
    silent = {status.site for status in statuses if status.message in ("", status.phase.value)}
    return {run.site: doing(run, now, because=run.site in silent) for run in runs if run.ended_at is None}
