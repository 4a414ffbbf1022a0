"""A controller that is killed at every step of a heal, and a restart over a fleet that is as it should be.

Each kill comes with the very line of the log that says a step begins or has ended. The next controller goes
on from what it sees, so the following kill comes one boundary further on: the whole chain is one heal.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from otto.model.run import Outcome

from .harness import Home, Json, eventually, free_port, site_spec

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("survival"), pytest.mark.timeout(600)]

SITE, WEB, OTHER, BALANCER = "shop", "shop-web-1", "shop-web-2", "shop-balancer-1"
STEPS = ("observe", "plan", "guard", "provision", "configure", "deploy", "verify")
BOUNDARIES = tuple((step, end) for step in STEPS for end in ("step.started", "step.finished"))
# Facts are looked at once in so many seconds; a restart is calm when this has passed twice.
FACTS = 4.0


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    home = Home.make(OTTO_LOG_FORMAT="json", OTTO_API_PORT=str(free_port()), OTTO_FACTS_INTERVAL=str(FACTS))
    home.start()
    try:
        home.clone()
        home.git("rm", "-q", "-r", "--ignore-unmatch", "specs", "sites")
        home.write(
            "sites/small/index.html", "<!doctype html><title>A small site</title><p>A small site.</p>\n"
        )
        home.write(f"specs/{SITE}.yaml", site_spec(SITE, web=2))
        home.push("A site")
        home.ready(SITE)
        yield home
    finally:
        home.close()


class Log:
    """What the controller says from now on."""

    def __init__(self, home: Home) -> None:
        self._path = home.home.parent / "up.log"
        self._offset = self._path.stat().st_size
        self._rest = b""

    def said(self, event: str, **fields: str) -> bool:
        """Whether it has said this by now; lines that were read once are not read again."""
        with self._path.open("rb") as file:
            file.seek(self._offset)
            text = self._rest + file.read()
            self._offset = file.tell()
        *lines, self._rest = text.split(b"\n")
        return any(_is(line, event, fields) for line in lines)


def _is(line: bytes, event: str, fields: dict[str, str]) -> bool:
    if not line.startswith(b"{"):
        return False
    said: Json = json.loads(line)
    return said.get("event") == event and all(said.get(name) == value for name, value in fields.items())


def await_moment(log: Log, event: str, seconds: float = 90, **fields: str) -> None:
    """Return within milliseconds of the moment in which the controller says something."""
    end = time.monotonic() + seconds
    while not log.said(event, **fields):
        assert time.monotonic() < end, f"never said: {event} {fields}"
        time.sleep(0.002)


def harm(home: Home, words: str) -> None:
    """One change that needs every step there is: a host that is gone, and new content for all."""
    home.write("sites/small/index.html", f"<!doctype html><p>A small site.</p><p>{words}</p>\n")
    home.push(words)
    home.remove_container(WEB)


def in_order(home: Home, before: dict[str, Json]) -> None:
    """The site is Ready, nothing exists twice, what was fine was not touched, and nothing is left over."""
    home.ready(SITE)
    after = home.containers()
    assert sorted(after) == [BALANCER, WEB, OTHER]
    assert [after[name] for name in (BALANCER, OTHER)] == [before[name] for name in (BALANCER, OTHER)]
    eventually(
        "every run at an end",
        lambda: all(run["outcome"] != Outcome.RUNNING.value for run in home.runs(SITE)),
        10,
    )
    folder = home.home / "sites" / SITE
    left = ("children.json", ".terraform.tfstate.lock.info")
    eventually("no lock and no child", lambda: not any((folder / name).exists() for name in left), 20)
    eventually("no run of Ansible", lambda: not list((home.home / "ansible").glob("run-*")), 20)
    assert home.json("diff", SITE)["differences"] == []


@pytest.mark.parametrize("group", [False, True], ids=["alone", "with its process group"])
def test_a_controller_killed_at_every_step_boundary_ends_where_it_should(home: Home, *, group: bool) -> None:
    before = home.containers()
    harm(home, f"Killed at every boundary, {'group' if group else 'alone'}")
    killed = []
    for kind, event in BOUNDARIES:
        log = Log(home)
        if home.process is None:
            home.start()
        if _is_over(home, log, kind, event):
            harm(home, f"Once more, for {event} of {kind}, {group}")
            await_moment(log, event, step=kind)
        home.kill(group=group)
        killed.append((kind, event))
    home.start()
    in_order(home, before)
    interrupted = [run for run in home.runs(SITE) if run["outcome"] == Outcome.INTERRUPTED.value]
    assert len(interrupted) >= len(STEPS), [run["outcome"] for run in home.runs(SITE)]
    assert tuple(killed) == BOUNDARIES


def _is_over(home: Home, log: Log, kind: str, event: str) -> bool:
    """Wait for a boundary; True when the heal came to its end without it: that step was done before."""
    end = time.monotonic() + 90
    while time.monotonic() < end:
        offset = log._offset
        if log.said(event, step=kind):
            return False
        log._offset = offset
        log._rest = b""
        if log.said("run.finished"):
            return True
        time.sleep(0.002)
    raise AssertionError(f"neither {event} of {kind} nor the end of a run\n{home.told()[-3000:]}")


@pytest.mark.parametrize("group", [False, True], ids=["alone", "with its process group"])
@pytest.mark.parametrize("kind", ["provision", "configure"])
def test_a_controller_killed_in_the_middle_of_a_step_ends_where_it_should(
    home: Home, kind: str, *, group: bool
) -> None:
    before, log = home.containers(), Log(home)
    harm(home, f"Killed in the middle of {kind}, {'group' if group else 'alone'}")
    await_moment(log, "step.started", step=kind)
    eventually(f"a child of {kind}", lambda: _at_work(home, kind), 30)
    home.kill(group=group)
    home.start()
    in_order(home, before)


def _at_work(home: Home, kind: str) -> bool:
    if kind == "configure":
        return bool(list((home.home / "ansible").glob("run-*/inventory.yml")))
    return "apply" in _text(home.home / "sites" / SITE / "children.json")


def test_what_was_harmed_while_no_controller_ran_is_mended_at_its_start(home: Home) -> None:
    before = home.containers()
    home.stop()
    home.remove_container(WEB)
    home.start()
    home.wait_for("mended", SITE, lambda status: status.ready and WEB in home.containers(), 120)
    in_order(home, before)


def test_a_restart_over_a_clean_fleet_runs_no_terraform_and_no_play(home: Home) -> None:
    home.write(f"specs/{SITE}-too.yaml", site_spec(f"{SITE}-too"))
    home.push("A second site")
    home.ready(SITE)
    home.ready(f"{SITE}-too")
    runs = {name: [run["id"] for run in home.runs(name)] for name in (SITE, f"{SITE}-too")}
    before = home.containers()
    home.stop()
    log = Log(home)
    home.start()
    await_moment(log, "controller.started")
    for name in runs:
        home.ready(name)
    eventually("two rounds of facts", lambda: home.metric("otto_observations_total", tier="facts") >= 4, 60)
    assert home.metric("otto_tool_calls_total", tool="terraform") == 0
    assert {name: [run["id"] for run in home.runs(name)] for name in runs} == runs
    assert home.containers() == before


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""
