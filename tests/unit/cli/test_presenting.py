"""What is shown while it happens."""

import asyncio
import io
import json
import re
from collections.abc import Sequence

import pytest
from rich.console import Console
from tests.unit.cli.conftest import Stage

from otto.cli.board import Board
from otto.cli.choosing import presenter
from otto.cli.house import HomeHouse
from otto.cli.invocation import Invocation
from otto.cli.livetable import LivePresenter, table
from otto.cli.presenting import JsonPresenter, PlainPresenter
from otto.model.host import Endpoint
from otto.model.progress import Progress
from otto.model.run import Outcome, Run, StepRecord
from otto.model.status import Condition, ConditionType, Phase, SiteStatus, Truth
from otto.reconcile.events import Event, SiteGone, StatusChanged, StepChanged, StepProgress
from otto.testing import START, FakeClock

HOSTILE = "[red]x[/red] \x1b[2J\x07"
RUN = Run("r1", "acme", "push", START)


def status(phase: Phase, message: str = "", *, ready: bool = False) -> StatusChanged:
    truth = Truth.TRUE if ready else Truth.FALSE
    found = SiteStatus(
        "acme", phase, START, message=message, endpoints=(Endpoint("10.0.0.1", 80, "http://10.0.0.1/"),)
    )
    return StatusChanged(found.with_condition(Condition(ConditionType.READY, truth, "", "", START)))


def step(kind: str, outcome: Outcome, summary: str = "") -> StepChanged:
    ended = None if outcome is Outcome.RUNNING else START
    return StepChanged(RUN, StepRecord(kind, START, ended, outcome, summary=summary))


STORY: Sequence[Event] = (
    status(Phase.PENDING, "Pending"),
    step("provision", Outcome.RUNNING),
    status(Phase.PROVISIONING, "Provisioning"),
    status(Phase.PROVISIONING, "Provisioning"),
    StepProgress("acme", "provision", Progress("creating", 1, 4, "acme-web-1")),
    step("provision", Outcome.SUCCEEDED, "4 create"),
    step("configure", Outcome.FAILED, HOSTILE),
    status(Phase.DEGRADED, HOSTILE),
    status(Phase.READY, ready=True),
    status(Phase.READY, ready=True),
    SiteGone("acme"),
)


def lines(kind: type[PlainPresenter] | type[JsonPresenter]) -> list[str]:
    output = io.StringIO()
    console = Console(
        file=output, width=100, markup=False, highlight=False, emoji=False, force_terminal=False
    )
    with kind(console, Board((), 0.0), FakeClock()) as shown:
        for event in STORY:
            shown.event(event)
        shown.note("all is well", "ready")
    return output.getvalue().splitlines()


def test_plain_is_one_line_per_change() -> None:
    assert [line[10:] for line in lines(PlainPresenter)] == [
        "acme  Pending",
        "acme  Provisioning",
        "acme    provision (0.0s): 4 create",
        "acme    configure failed (0.0s): [red]x[/red] \\x1b[2J\\x07",
        "acme  Degraded: [red]x[/red] \\x1b[2J\\x07",
        "acme  Ready  http://10.0.0.1/",
        "acme  gone",
        "all is well",
    ]


def test_json_is_one_object_per_event() -> None:
    found = [json.loads(line) for line in lines(JsonPresenter)]
    assert [item["event"] for item in found] == [
        "status", "step", "status", "status", "progress", "step",
        "step", "status", "status", "status", "gone", "ready",
    ]  # fmt: skip
    assert found[4] == {
        "at": "2026-01-01T00:00:00+00:00",
        "site": "acme",
        "event": "progress",
        "step": "provision",
        "message": "creating",
        "done": 1,
        "total": 4,
        "host": "acme-web-1",
    }
    assert all(line.isascii() for line in lines(JsonPresenter))


def drawn(events: Sequence[Event], width: int = 80, now: float = 65.0) -> list[str]:
    board = Board(["other"], 0.0)
    for event in events:
        board.apply(event, 5.0)
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    with console.capture() as captured:
        console.print(table(board.rows(), now, frame=3, width=width))
    return [line.rstrip() for line in captured.get().splitlines()]


def test_the_table_at_80_columns() -> None:
    assert drawn(STORY[:5]) == [
        "   SITE   PHASE         PROGRESS                                            TIME",
        "⠸  acme   Provisioning  provision 1/4 acme-web-1: creating                 1m00s",
        "·  other  Pending                                                          1m05s",
    ]


def test_the_table_with_room_for_the_step() -> None:
    assert drawn(STORY[:5], width=110)[1].split() == [
        "⠸", "acme", "Provisioning", "provision", "1/4", "acme-web-1:", "creating", "1m00s",
    ]  # fmt: skip


def test_the_table_when_ready_shows_where() -> None:
    assert drawn(STORY[:10])[1].split() == ["✔", "acme", "Ready", "http://10.0.0.1/", "0s"]


def test_only_the_address_is_underlined_not_the_rest_of_its_column() -> None:
    board = Board([], 0.0)
    board.apply(status(Phase.READY, ready=True), 5.0)
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system="standard")
    with console.capture() as captured:
        console.print(table(board.rows(), 65.0))
    underlined = re.findall(r"\x1b\[4m(.*?)\x1b\[0m", captured.get())
    assert underlined == ["http://10.0.0.1/"]


@pytest.mark.parametrize("width", [40, 80, 110])
def test_hostile_and_long_words_leave_the_table_whole(width: int) -> None:
    message = HOSTILE + " very long words" * 40
    progress = StepProgress("acme", "configure", Progress(message, host="acme-web-1"))
    for events in ([status(Phase.DEGRADED, message)], [progress]):
        shown = drawn(events, width=width)
        assert len(shown) == 3
        assert all(len(line) <= width for line in shown)
        assert "\x1b" not in "".join(shown)


async def test_the_live_table_leaves_its_last_picture_and_the_cursor() -> None:
    output = io.StringIO()
    console = Console(file=output, width=80, height=20, force_terminal=True, color_system=None, markup=False)
    with LivePresenter(console, Board(["acme"], 0.0), FakeClock()) as shown:
        shown.event(STORY[2])
        await asyncio.sleep(0)
        shown.note("a note")
        shown.event(STORY[8])
    text = output.getvalue()
    assert "a note" in text
    assert "http://10.0.0.1/" in text.rsplit("SITE", 1)[1]
    assert text.endswith("\x1b[?25h")


@pytest.mark.parametrize(
    ("terminal", "plain", "json", "kind"),
    [
        (True, False, False, LivePresenter),
        (True, True, False, PlainPresenter),
        (False, False, False, PlainPresenter),
        (True, False, True, JsonPresenter),
    ],
)
def test_which_way(stage: Stage, *, terminal: bool, plain: bool, json: bool, kind: type) -> None:
    invocation = Invocation(stage.composition, {}, HomeHouse)
    invocation.out = Console(file=io.StringIO(), force_terminal=terminal)
    shown = presenter(invocation, FakeClock(), Board((), 0.0), plain=plain, json=json)
    assert type(shown) is kind
