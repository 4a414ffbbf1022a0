"""A controller that is killed -9, whenever that is: the next one brings everything to its end, once.

One site, told in order. At every boundary of a step, and in the middle of an apply and of a play, the
controller is killed the moment its log tells that it is there: alone, so that its children live on. With its
whole process group it is killed where its children are at work; elsewhere it has none but such as wait.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from otto.model.run import Outcome

from .harness import Home, Json, eventually, fetch, free_port, site_spec
from .journal import Journal
from .remains import answering, children, hosts, remains

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("survival"), pytest.mark.timeout(600)]

SITE, SECOND = "solo", "duet"
WEB, OTHER, BALANCER = "solo-web-1", "solo-web-2", "solo-balancer-1"
HOSTS = [BALANCER, WEB, OTHER]
# Seconds between two looks at facts, instead of 30: a restart has to be watched for more than one.
FACTS = 6.0
# What is not called while nothing differs; facts are asked for by `ansible`.
TOOLS = ("terraform", "ansible-playbook")


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment of a run: a step has begun, is at it, or has ended."""

    event: str
    step: str

    def __call__(self, line: Json) -> bool:
        return bool(line.get("event") == self.event and line.get("step") == self.step)

    def __str__(self) -> str:
        return f"{self.event} of {self.step}"


def moments() -> list[Moment]:
    """All of them, in the order in which a run comes to them."""
    found = []
    for step in ("observe", "plan", "guard", "provision", "configure", "deploy", "verify"):
        found.append(Moment("step.started", step))
        if step in ("provision", "configure"):
            found.append(Moment("step.progress", step))
        found.append(Moment("step.finished", step))
    return found


def with_children() -> list[Moment]:
    """Those at which Terraform, its provider or Ansible may be at work."""
    begun = [Moment("step.started", step) for step in ("plan", "provision", "configure", "deploy", "verify")]
    return [moment for moment in moments() if moment in begun or moment.event == "step.progress"]


@dataclass
class Chain:
    """One change after another, each interrupted at a moment.

    Attributes:
        changes: how many there were.
    """

    home: Home
    journal: Journal
    changes: int = 0

    def change(self) -> None:
        """Something that takes all steps: a host is gone, and there is new content."""
        self.changes += 1
        self.home.remove_container(WEB)
        self.home.write("sites/small/index.html", page(self.changes))
        self.home.push(f"Page {self.changes}")

    def reach(self, moment: Moment) -> None:
        """Wait until a run comes to the moment; what needs it no longer is changed anew."""

        def there(line: Json) -> bool:
            if line.get("event") == "run.finished" and line.get("outcome") == "succeeded":
                self.change()
            return moment(line)

        self.journal.wait(str(moment), there, 90)

    def pass_over(self) -> None:
        """What the killed one wrote last is no moment of the next one's life."""
        for line in self.journal.all():
            if line.get("event") == "run.finished" and line.get("outcome") == "succeeded":
                self.change()


def page(number: int) -> str:
    return f"<!doctype html><title>A small site</title><p>A small site, page {number}.</p>\n"


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    home = Home.make(
        OTTO_API_PORT=str(free_port()),
        OTTO_LOG_FORMAT="json",
        OTTO_LOG_LEVEL="debug",
        OTTO_FACTS_INTERVAL=str(FACTS),
    )
    try:
        home.start()
        home.clone()
        home.empty()
        yield home
    finally:
        home.close()


@pytest.fixture
def journal(home: Home) -> Journal:
    return Journal(home.home.parent / "up.log")


def check(home: Home, *expected: str) -> None:
    """What has to be so after whatever happened: everything once, and nothing left."""
    assert hosts(home) == sorted(expected)
    names = {host.rsplit("-", 2)[0] for host in expected}
    for name in names:
        for run in home.runs(name):
            assert run["outcome"] != Outcome.RUNNING, run
            assert all(step["ended_at"] for step in run["steps"]), run
    assert home.process is not None
    assert answering(home) == home.process.pid
    assert remains(home, names) == []


def interrupted(home: Home) -> list[str]:
    """Ids of the runs of the site that were broken off."""
    return [run["id"] for run in home.runs(SITE) if run["outcome"] == Outcome.INTERRUPTED]


def restart(home: Home, *, group: bool) -> None:
    home.kill(group=group)
    home.start()


def test_a_new_site_comes_up_although_its_controller_dies_while_it_is_made(
    home: Home, journal: Journal
) -> None:
    home.write("sites/small/index.html", page(0))
    home.write(f"specs/{SITE}.yaml", site_spec(SITE, web=2))
    commit, _ = home.push("A site")
    for step in ("provision", "configure"):
        moment = Moment("step.progress", step)
        journal.wait(str(moment), moment, 60)
        restart(home, group=False)
    home.ready(SITE, commit)
    check(home, *HOSTS)
    assert len(interrupted(home)) == 2


@pytest.mark.parametrize(
    ("group", "instants"),
    [pytest.param(False, moments(), id="alone"), pytest.param(True, with_children(), id="with its group")],
)
def test_killed_at_every_moment_of_a_heal_it_goes_on_and_does_nothing_twice(
    home: Home, journal: Journal, group: bool, instants: list[Moment]
) -> None:
    before, known = home.containers(), set(interrupted(home))
    chain = Chain(home, journal)
    chain.change()
    over, broken = [], set()
    for moment in instants:
        chain.reach(moment)
        home.kill(group=group)
        last = home.peek_runs(SITE)[0]
        if last.outcome is Outcome.RUNNING:
            broken.add(last.id)
        else:
            over.append(moment)
        chain.pass_over()
        home.start()
    site = home.ready(SITE, home.git("rev-parse", "HEAD").strip())
    check(home, *HOSTS)
    # A run may be quicker than the one who kills it, once it comes to its last step.
    assert {moment.step for moment in over} <= {"verify"}
    assert len(broken) == len(instants) - len(over)
    assert set(interrupted(home)) - known == broken
    after = home.containers()
    assert {host for host in HOSTS if after[host] != before[host]} == {WEB}
    assert f"page {chain.changes}" in fetch(site["endpoints"][0]["url"], f"{SITE}.test")[2]


def test_what_was_damaged_while_nobody_watched_is_mended_at_the_next_start(home: Home) -> None:
    before = home.containers()
    home.kill()
    home.remove_container(WEB)
    home.start()
    eventually(f"{WEB} anew", lambda: home.containers().get(WEB, before[WEB]) != before[WEB], 60)
    home.ready(SITE)
    check(home, *HOSTS)
    after = home.containers()
    assert {host for host in HOSTS if after[host] != before[host]} == {WEB}


@pytest.mark.parametrize("end", [Home.stop, Home.kill], ids=["stopped", "killed"])
def test_a_restart_over_a_clean_fleet_plans_nothing_and_plays_nothing(
    home: Home, journal: Journal, end: Callable[[Home], object]
) -> None:
    home.write(f"specs/{SECOND}.yaml", site_spec(SECOND))
    if home.git("status", "--porcelain"):
        home.push("A second site")
    home.ready(SECOND)
    home.ready(SITE)
    runs, before = home.runs(SITE) + home.runs(SECOND), home.containers()
    journal.skip()
    end(home)
    home.start()
    eventually("the controller", lambda: answering(home), 60)
    tools: set[str] = set()

    def looked() -> bool:
        tools.update(tool for tool in TOOLS if any(tool in child for child in children(home)))
        return home.metric("otto_observations_total", tier="facts", result="succeeded") >= 4

    eventually("two looks at the facts of both sites", looked, 10 * FACTS)
    assert tools == set()
    assert home.metric("otto_tool_calls_total", tool="terraform") == 0
    assert home.metric("otto_runs_total") == 0
    assert [line for line in journal.all() if line.get("event") in ("run.started", "step.started")] == []
    assert home.runs(SITE) + home.runs(SECOND) == runs
    assert home.containers() == before
    for name in (SITE, SECOND):
        home.ready(name, seconds=1)
