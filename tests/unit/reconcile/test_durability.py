"""Whatever happens to the world, and whenever the controller is killed: in the end everything is in order."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otto.model.errors import TransientError
from otto.model.run import Outcome
from otto.model.spec import Algorithm, HostGroup, Role, SiteSpec
from otto.model.strategy import Rollout, Strategy
from otto.testing import SimHost, site_spec

from .story import MOST, STORE_CALLS, Story, Wait, edit

SITES = ("one", "two")
# One goes in steps, the other all at once.
ROLLOUTS = {"one": Rollout(soak=1.0), "two": Rollout(Strategy.ALL)}


@dataclass(frozen=True)
class Harm:
    """Something that happens to a host behind the controller's back; which one, counts round."""

    what: str
    host: int

    def happen(self, story: Story) -> None:
        hosts = list(story.world.hosts)
        if hosts:
            HARMS[self.what](story, hosts[self.host % len(hosts)])


@dataclass(frozen=True)
class Trouble:
    """Something of the outside that fails so many times."""

    call: str
    times: int

    def happen(self, story: Story) -> None:
        world = story.world
        of = world.store if self.call.startswith("save") else world.infrastructure
        of = world.configuration if self.call.startswith(("configure", "deploy")) else of  # type: ignore[assignment]
        of.failures.next(self.call, TransientError(f"{self.call} fails"), times=self.times)


@dataclass(frozen=True)
class Push:
    """A new wish for a site."""

    site: str
    web: int
    algorithm: Algorithm
    page: str

    def happen(self, story: Story) -> None:
        story.push(make_spec(self.site, self.web, self.algorithm), page=self.page)


@dataclass(frozen=True)
class Kill:
    """Kill -9 at the so-manieth point from now, or after so many seconds; start again after some more."""

    points: int
    down: float
    seconds: float = 8.0


@dataclass(frozen=True)
class Stop:
    """Ctrl-C, and a new start."""

    down: float


Event = Harm | Trouble | Push | Wait | Kill | Stop


def make_spec(site: str, web: int, algorithm: Algorithm) -> SiteSpec:
    of = ("one",) if site == "two" else ()
    spec = site_spec(site, depends_on=of, rollout=ROLLOUTS[site])
    return replace(spec, web=HostGroup(web, "small", "base"), algorithm=algorithm)


def kill(story: Story, host: SimHost) -> None:
    story.world.hosts.kill(host.name)


def pause(story: Story, host: SimHost) -> None:
    story.world.hosts.pause(host.name)


def remove(story: Story, host: SimHost) -> None:
    story.world.hosts.remove(host.name)


def cut(story: Story, host: SimHost) -> None:
    story.lost.add(host.id)
    host.cut = True


def join(story: Story, host: SimHost) -> None:
    host.cut = False


def deafen(story: Story, host: SimHost) -> None:
    """Its sshd answers no longer; it goes on serving, but counts as lost when that ends, too."""
    story.lost.add(host.id)
    host.answers = False


def stop_service(story: Story, host: SimHost) -> None:
    host.services = dict.fromkeys(host.services, "inactive")


def delete(story: Story, host: SimHost) -> None:
    if not story.is_worked_on(host.site):
        host.files = dict.fromkeys(host.files)


def deface(story: Story, host: SimHost) -> None:
    if host.role is Role.WEB and not story.is_worked_on(host.site):
        host.damage["index.html"] = "defaced"


def disable(story: Story, host: SimHost) -> None:
    if host.role is Role.BALANCER and host.backends:
        host.disabled.add(host.backends[0].name)


def lose_state(story: Story, host: SimHost) -> None:
    if host.site not in story.laws.children:
        story.world.infrastructure.forget_state(host.site)


def break_stream(story: Story, host: SimHost) -> None:
    story.world.hosts.hang_up()


HARMS: dict[str, Callable[[Story, SimHost], None]] = {
    f.__name__: f
    for f in (
        kill, pause, remove, cut, join, deafen, stop_service, edit, delete, deface, disable, lose_state,
        break_stream,
    )
}  # fmt: skip
CALLS = (
    "plan", "apply", "apply:one-web-1", "apply:two-balancer-1", "apply:one-web-2", "state", "inventory",
    "configure", "deploy", "configure:one-web-1", "deploy:two-web-1", *STORE_CALLS,
)  # fmt: skip

harms = st.builds(Harm, st.sampled_from(sorted(HARMS)), st.integers(0, 7))
troubles = st.builds(Trouble, st.sampled_from(CALLS), st.integers(1, 3))
pushes = st.builds(
    Push,
    st.sampled_from(SITES),
    st.integers(1, MOST),
    st.sampled_from([Algorithm.ROUNDROBIN, Algorithm.LEASTCONN]),
    st.sampled_from(["", "new", "newer"]),
)
waits = st.builds(Wait, st.sampled_from([0.1, 0.7, 2.0, 5.0, 40.0]))
kills = st.builds(Kill, st.integers(0, 60), st.sampled_from([0.0, 1.0, 30.0]))
stops = st.builds(Stop, st.sampled_from([0.0, 5.0]))
stories = st.lists(st.one_of(harms, harms, troubles, pushes, waits, kills, kills, stops), max_size=14)


async def tell(story: Story, events: list[Event]) -> None:
    """Have it all happen, then calm; check what has to be so whatever happened."""
    for name in SITES:
        story.push(make_spec(name, 2, Algorithm.ROUNDROBIN))
    story.start()
    for event in events:
        match event:
            case Wait(seconds):
                await story.pass_by(seconds)
            case Kill(points, down, seconds):
                await story.until_dead(points, seconds)
                await story.pass_by(down)
                story.start()
            case Stop(down):
                await story.stop()
                await story.pass_by(down)
                story.start()
            case _:
                event.happen(story)
        await story.pass_by(0.0)
    before = {host.name: host.id for host in story.world.hosts}
    await story.calm()
    await story.closed_runs()
    assert not story.laws.broken
    after = {host.name: host.id for host in story.world.hosts}
    replaced = {name for name in (before.keys() & after.keys()) - story.shrunk if before[name] != after[name]}
    assert {before[name] for name in replaced} <= story.lost
    await story.a_restart_does_nothing()


def run(events: list[Event]) -> None:
    Story.quietly(lambda story: tell(story, events))


@given(stories)
@settings(max_examples=40, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_happens_everything_is_in_order_in_the_end(events: list[Event]) -> None:
    run(events)


@pytest.mark.parametrize("points", range(0, 90, 5))
def test_killed_at_any_point_of_a_first_run_the_next_controller_brings_it_to_its_end(points: int) -> None:
    run([Kill(points, down=0.0, seconds=20.0)])


@pytest.mark.parametrize("points", range(0, 90, 5))
def test_killed_at_any_point_of_a_heal_nothing_is_made_twice(points: int) -> None:
    push = Push("one", 2, Algorithm.LEASTCONN, "new")
    run([Wait(40.0), Harm("remove", 1), push, Kill(points, down=1.0, seconds=20.0)])


def test_the_next_controller_waits_for_the_terraform_of_a_killed_one() -> None:
    async def tell_it(story: Story) -> None:
        story.push(make_spec("one", 2, Algorithm.ROUNDROBIN))
        story.start()
        while story.laws.at_work.get("one") != "apply":
            await story.pass_by(0.1)
        await story.kill()
        assert "one" in story.laws.children
        story.start()
        await story.pass_by(0.3)
        assert story.laws.at_work == {"one": "apply"}
        await story.calm()
        assert story.world.infrastructure.failures.count("apply") == 1
        assert not story.laws.broken

    Story.quietly(tell_it)


def test_a_newer_wish_supersedes_between_two_steps_and_never_within_one() -> None:
    async def tell_it(story: Story) -> None:
        story.push(make_spec("one", 2, Algorithm.ROUNDROBIN))
        process = story.start()
        while story.laws.at_work.get("one") != "apply":
            await story.pass_by(0.1)
        story.push(make_spec("one", 3, Algorithm.LEASTCONN))
        await process.controller.watcher.look()
        await story.calm()
        *_, first = await story.world.store.runs("one")
        assert first.outcome is Outcome.SUPERSEDED
        assert [step.kind for step in first.steps] == ["observe", "plan", "guard", "provision"]
        assert all(step.outcome is Outcome.SUCCEEDED for step in first.steps)
        assert not story.laws.broken

    Story.quietly(tell_it)


@pytest.mark.parametrize("call", STORE_CALLS)
def test_a_controller_ends_when_told_to_although_the_store_takes_nothing(call: str) -> None:
    async def tell_it(story: Story) -> None:
        story.push(make_spec("one", 2, Algorithm.ROUNDROBIN))
        story.start()
        while story.laws.at_work.get("one") != "apply":
            await story.pass_by(0.1)
        story.world.store.failures.always(call, TransientError("the disk is full"))
        async with asyncio.timeout(10):
            await story.stop()
        await story.calm()
        await story.closed_runs()

    Story.quietly(tell_it)


def test_the_end_of_a_run_that_the_store_did_not_take_is_written_later() -> None:
    async def tell_it(story: Story) -> None:
        story.push(make_spec("one", 2, Algorithm.ROUNDROBIN))
        story.start()
        while story.laws.at_work.get("one") != "configure":
            await story.pass_by(0.1)
        story.world.store.failures.always("save_run", TransientError("the disk is full"))
        await story.pass_by(10.0)
        story.world.store.failures.stop("save_run")
        await story.calm()
        await story.closed_runs()

    Story.quietly(tell_it)
