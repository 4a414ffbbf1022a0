"""`otto status --watch`: one line, or one JSON object, per change; and the picture on a terminal."""

import asyncio
import io
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from rich.console import Console
from tests.unit.cli.conftest import Stage
from tests.unit.cli.test_schemas import check

from otto.cli.board import Board
from otto.cli.livestatus import StatusPicture, fitting
from otto.cli.presenting import JsonPresenter, PlainPresenter, Presenter
from otto.cli.watching import StoreEye, Watch
from otto.desk.seen import Seen
from otto.model.canonical import to_data
from otto.model.catalogue import RememberedSpec
from otto.model.host import Endpoint, HostState, LiveHost
from otto.model.problem import Problem
from otto.model.run import Outcome, Run, StepRecord
from otto.model.status import Condition, ConditionType, Phase, SiteStatus, Truth
from otto.testing import START, FakeClock, MemoryStore, site_spec

REASON = "acme-web-2: services/nginx: want active, have inactive"
READY = SiteStatus(
    "acme",
    Phase.READY,
    START,
    {"Ready": Condition(ConditionType.READY, Truth.TRUE, "Verified", "", START)},
    endpoints=(Endpoint("10.0.0.1", 80, "http://10.0.0.1/"),),
)
OBSERVE = StepRecord("observe", START, START + timedelta(seconds=1), Outcome.SUCCEEDED, summary=REASON)
RUN = Run("r1", "acme", "probe", START, steps=(OBSERVE,))
ORPHAN = LiveHost("i-1", "acme-web-9", "acme", "web", HostState.RUNNING, "10.0.0.9", START)
PROBLEM = Problem("specs/x.yaml", 1, 1, "", "names no site")


def step(kind: str, outcome: Outcome) -> StepRecord:
    ended = None if outcome is Outcome.RUNNING else START + timedelta(seconds=4)
    return StepRecord(kind, START + timedelta(seconds=2), ended, outcome, ("acme-web-2",), "done")


def phase(name: Phase, message: str = "") -> SiteStatus:
    return replace(READY, phase=name, message=message or name.value)


class Watched:
    """A store that is watched, and what was printed."""

    def __init__(
        self, home: Path, kind: type[PlainPresenter] | type[JsonPresenter], site: str | None
    ) -> None:
        self.clock = FakeClock()
        self.store = MemoryStore()
        self.output = io.StringIO()
        console = Console(file=self.output, width=200, markup=False, highlight=False, emoji=False)
        self.shown: Presenter = kind(console, Board((), 0.0), self.clock)
        self.watch = Watch(StoreEye(self.store, site, home, self.clock), site, self.shown, self.clock)

    async def lines(self) -> list[str]:
        """What one more look printed."""
        self.clock.move(5)
        before = self.output.tell()
        await self.watch.look()
        return self.output.getvalue()[before:].splitlines()


@pytest.fixture
def plain(tmp_path: Path) -> Watched:
    return Watched(tmp_path, PlainPresenter, None)


def without_time(lines: list[str]) -> list[str]:
    return [line[10:] for line in lines]


async def test_drift_and_healing_line_by_line(plain: Watched) -> None:
    store = plain.store
    await store.save_status(READY)
    assert without_time(await plain.lines()) == ["no controller is running", "acme  Ready  http://10.0.0.1/"]
    await store.save_status(phase(Phase.PLANNING, REASON))
    await store.save_run(RUN)
    assert without_time(await plain.lines()) == [
        f"acme  Planning: {REASON}",
        f"acme    observe (1.0s): {REASON}",
    ]
    await store.save_status(phase(Phase.CONFIGURING))
    await store.save_run(replace(RUN, steps=(OBSERVE, step("configure", Outcome.RUNNING))))
    assert without_time(await plain.lines()) == ["acme  Configuring"]
    done = (OBSERVE, step("configure", Outcome.SUCCEEDED), step("verify", Outcome.SUCCEEDED))
    await store.save_run(replace(RUN, steps=done, ended_at=START, outcome=Outcome.SUCCEEDED))
    await store.save_status(READY)
    assert without_time(await plain.lines()) == [
        "acme    configure (2.0s): done",
        "acme    verify (2.0s): done; 4.0s from the first sign to the last check",
        "acme  Ready  http://10.0.0.1/",
    ]


@pytest.mark.parametrize("reading", range(1, 3))
async def test_what_changes_while_the_first_look_reads_is_told(tmp_path: Path, reading: int) -> None:
    watched = Watched(tmp_path, PlainPresenter, None)
    await watched.store.save_status(READY)
    readings = 0
    read = watched.store.remembered

    async def remembered() -> Mapping[str, RememberedSpec]:
        nonlocal readings
        readings += 1
        if readings == reading:
            await watched.store.save_status(phase(Phase.PLANNING, REASON))
        return await read()

    watched.store.remembered = remembered  # type: ignore[method-assign]
    lines = without_time(await watched.lines() + await watched.lines() + await watched.lines())
    assert lines[-1] == f"acme  Planning: {REASON}"
    assert readings >= reading


async def test_a_look_that_found_nothing_is_no_change(plain: Watched) -> None:
    await plain.store.save_status(READY)
    await plain.lines()
    later = START + timedelta(seconds=30)
    await plain.store.save_status(replace(READY, updated_at=later, next_look=later))
    assert await plain.lines() == []


async def test_json_is_one_object_per_change(tmp_path: Path) -> None:
    watched = Watched(tmp_path, JsonPresenter, None)
    await watched.store.save_status(READY)
    lines = await watched.lines()
    await watched.store.save_status(replace(READY, updated_at=START + timedelta(seconds=2)))
    assert await watched.lines() == []
    await watched.store.save_status(phase(Phase.DRIFTED, REASON))
    await watched.store.save_run(RUN)
    lines += await watched.lines()
    await watched.store.forget("acme")
    lines += await watched.lines()
    found = [json.loads(line) for line in lines]
    assert [item["event"] for item in found] == ["note", "status", "step", "status", "gone"]
    assert found[3]["message"] == REASON
    for item in found:
        check("event", item)


async def test_only_the_site_that_was_asked_for_is_told(tmp_path: Path) -> None:
    watched = Watched(tmp_path, PlainPresenter, "acme")
    await watched.store.save_status(READY)
    await watched.store.save_status(replace(READY, site="shop"))
    assert len(await watched.lines()) == 2
    await watched.store.save_status(replace(phase(Phase.DEGRADED), site="shop"))
    await watched.store.save_run(replace(RUN, site="shop"))
    assert await watched.lines() == []


async def test_troubles_beside_the_sites_come_and_go(plain: Watched) -> None:
    await plain.store.save_status(READY)
    await plain.lines()
    await plain.store.set_value("orphans", json.dumps([to_data(ORPHAN)]))
    await plain.store.set_value("problems", json.dumps([to_data(PROBLEM)]))
    problem, orphan = without_time(await plain.lines())
    assert problem == "spec of no site: specs/x.yaml:1:1: names no site"
    assert "1 host that no spec and no state owns: acme-web-9" in orphan
    assert await plain.lines() == []
    await plain.store.set_value("orphans", "[]")
    assert without_time(await plain.lines()) == [f"no longer so: {orphan}"]


async def test_a_site_nobody_looked_at_yet_is_told_once(plain: Watched) -> None:
    await plain.store.remember([RememberedSpec(site_spec("shop"), "c" * 40)])
    assert without_time(await plain.lines())[1:] == ["shop  Pending"]
    assert await plain.lines() == []


def drawn(seen: Seen, runs: tuple[Run, ...], home: Path, *, height: int = 40) -> str:
    clock = FakeClock()
    console = Console(file=io.StringIO(), width=100, height=height, markup=False, force_terminal=False)
    picture = StatusPicture(console, clock, None, f"over {home}")
    picture.note("a controller is running")
    with console.capture() as captured:
        console.print(picture.picture(seen, runs))
    return captured.get()


def test_the_picture_shows_why_and_what_goes_on(tmp_path: Path) -> None:
    going = replace(RUN, steps=(OBSERVE, step("configure", Outcome.RUNNING)))
    text = drawn(Seen((phase(Phase.CONFIGURING),)), (going,), tmp_path)
    assert "acme  Configuring" in text
    assert f"because {REASON}" in text
    assert "configure (acme-web-2), " in text
    assert "a controller is running" in text
    assert drawn(Seen((phase(Phase.CONFIGURING, REASON),)), (going,), tmp_path).count(REASON) == 1


def test_sites_that_are_ready_make_room_for_those_that_are_not(tmp_path: Path) -> None:
    many = tuple(replace(READY, site=f"s{n:03}") for n in range(50))
    seen = Seen((*many, replace(phase(Phase.DEGRADED, "no room"), site="worse")))
    text = drawn(seen, (), tmp_path, height=24)
    assert "worse  Degraded" in text
    assert "and 50 sites more that are Ready" in text
    assert len(text.splitlines()) < 24
    assert fitting(Seen(many), 10) == (Seen(many[:1]), 49)
    assert fitting(Seen(many), 60) == (Seen(many), 0)


def test_the_command_watches_a_site_that_there_is(stage: Stage) -> None:
    (stage.home / "otto.db").touch()
    asyncio.run(stage.world.store.save_status(READY))
    result = stage.otto("status", "acne", "--watch")
    assert result.exit_code == 1
    assert "did you mean acme?" in result.stderr
