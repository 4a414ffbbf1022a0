"""The parts of observation one by one: rounds, silences, the facts desk, the census."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest

from otto.config import FactsSettings, ProbesSettings
from otto.model.errors import TransientError
from otto.model.host import Host, HostFacts
from otto.model.observed import Seen, Unseen
from otto.model.spec import Role
from otto.reconcile.kit import Kit
from otto.reconcile.observation.factsdesk import FactsDesk
from otto.reconcile.observation.rounds import Rounds
from otto.reconcile.observation.silences import Silences
from otto.testing import FakeClock, World, settle


def host(name: str) -> Host:
    return Host(name, Role.WEB, f"id-{name}", "10.0.0.1", "10.0.0.1", 22, "otto", 80, "key")


class Hosts:
    """Port `Configuration`, as far as facts go: notes every run, and answers as told."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.runs: list[list[str]] = []
        self.mute: set[str] = set()
        self.hung: dict[str, asyncio.Event] = {}
        self.broken: Exception | None = None

    async def facts(self, hosts: Sequence[Host]) -> AsyncIterator[tuple[str, Seen[HostFacts] | Unseen]]:
        self.runs.append([item.name for item in hosts])
        if self.broken:
            raise self.broken
        late = []
        for item in hosts:
            if item.name in self.hung:
                late.append(item)
            elif item.name in self.mute:
                yield item.name, Unseen("no answer", self.clock.now())
            else:
                yield item.name, Seen(HostFacts(fact="f"), self.clock.now())
        for item in late:
            await self.hung[item.name].wait()
            yield item.name, Unseen("no answer", self.clock.now())


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def hosts(world: World) -> Hosts:
    return Hosts(world.clock)


@pytest.fixture
def kit(world: World, hosts: Hosts) -> Kit:
    settings = {"facts": FactsSettings(batch=3, concurrency=1), "probes": ProbesSettings(confirmations=2)}
    return replace(world.kit(), configuration=hosts, **settings)  # type: ignore[arg-type]


async def test_questions_of_the_same_moment_share_a_run(kit: Kit, hosts: Hosts) -> None:
    desk = FactsDesk(kit)
    await asyncio.gather(desk.ask([host("a")]), desk.ask([host("b")]), desk.ask([host("b"), host("c")]))
    assert hosts.runs == [["a", "b", "c"]]


async def test_a_run_takes_no_more_hosts_than_a_batch(kit: Kit, hosts: Hosts) -> None:
    await FactsDesk(kit).ask([host(name) for name in "abcdefg"])
    assert [len(run) for run in hosts.runs] == [3, 3, 1]


async def test_a_hung_host_delays_nobody_in_its_run(kit: Kit, hosts: Hosts) -> None:
    desk = FactsDesk(kit)
    hosts.hung["b"] = asyncio.Event()
    stuck = asyncio.create_task(desk.ask([host("b")]))
    fine = asyncio.create_task(desk.ask([host("a")]))
    await settle()
    assert fine.done()
    assert not stuck.done()
    hosts.hung["b"].set()
    assert isinstance((await stuck)["b"], Unseen)


async def test_fresh_facts_are_not_asked_for_again(kit: Kit, hosts: Hosts, world: World) -> None:
    desk = FactsDesk(kit)
    await desk.facts([host("a")])
    await desk.facts([host("a")])
    assert len(hosts.runs) == 1
    world.clock.move(46)
    await desk.facts([host("a")])
    assert len(hosts.runs) == 2


async def test_facts_in_doubt_are_asked_for_again_and_not_believed_meanwhile(kit: Kit, hosts: Hosts) -> None:
    desk = FactsDesk(kit)
    await desk.facts([host("a")])
    desk.doubt(["id-a"])
    hosts.mute.add("a")
    assert isinstance((await desk.facts([host("a")]))["a"], Unseen)
    assert len(hosts.runs) == 2


async def test_one_missed_question_makes_nothing_unknown_and_several_do(kit: Kit, hosts: Hosts) -> None:
    desk = FactsDesk(kit)
    await desk.ask([host("a")])
    hosts.mute.add("a")
    await desk.ask([host("a")])
    assert isinstance(desk.view(host("a")), Seen)
    await desk.ask([host("a")])
    assert isinstance(desk.view(host("a")), Unseen)


async def test_a_run_that_breaks_answers_for_everybody(kit: Kit, hosts: Hosts) -> None:
    hosts.broken = TransientError("ansible broke down")
    found = await FactsDesk(kit).ask([host("a"), host("b")])
    assert {seen.reason for seen in found.values() if isinstance(seen, Unseen)} == {"ansible broke down"}


async def test_closing_answers_whoever_still_waits(kit: Kit, hosts: Hosts) -> None:
    desk = FactsDesk(kit)
    hosts.hung["a"] = asyncio.Event()
    waiting = asyncio.create_task(desk.ask([host("a")]))
    await settle()
    await desk.close()
    assert isinstance((await waiting)["a"], Unseen)


def rounds(clock: FakeClock, interval: float = 10.0, batch: int = 2) -> Rounds:
    return Rounds(clock, random.Random(1), interval=interval, jitter=0.1, batch=batch)  # noqa: S311


async def test_every_site_comes_once_an_interval_and_never_twice_at_a_time() -> None:
    clock = FakeClock()
    due = rounds(clock)
    for name in "abcd":
        due.join(name)
    seen: list[str] = []

    async def take() -> None:
        while True:
            batch = await due.batch()
            assert len(batch) <= 2
            seen.extend(batch)
            for name in batch:
                due.done(name)

    task = asyncio.create_task(take())
    await clock.advance(100)
    task.cancel()
    for name in "abcd":
        assert 9 <= seen.count(name) <= 11


async def test_a_site_that_is_out_is_not_handed_out_again_until_it_is_done() -> None:
    clock = FakeClock()
    due = rounds(clock)
    due.join("a")
    taking = asyncio.create_task(due.batch())
    await clock.advance(10)
    assert await taking == ("a",)
    due.soon("a")
    again = asyncio.create_task(due.batch())
    await clock.advance(100)
    assert not again.done()
    due.done("a")
    await clock.advance(11)
    assert await again == ("a",)


async def test_a_site_can_be_had_soon_and_one_that_left_never_comes() -> None:
    clock = FakeClock()
    due = rounds(clock, interval=1000)
    due.join("a")
    due.join("b")
    due.leave("b")
    taking = asyncio.create_task(due.batch())
    await settle()
    due.soon("a")
    due.soon("b")
    await settle()
    assert await taking == ("a",)


async def test_an_interval_of_nothing_turns_a_tier_off() -> None:
    clock = FakeClock()
    due = rounds(clock, interval=0)
    due.join("a")
    taking = asyncio.create_task(due.batch())
    await clock.advance(1000)
    assert not taking.done()
    taking.cancel()


def test_silence_is_proof_after_so_many_looks_that_count() -> None:
    silences = Silences(FakeClock(), 2, 0.34)
    for name in "bcd":
        silences.heard(host(name))
    silences.silent(host("a"))
    silences.silent(host("a"), counts=False)
    assert not silences.of([host("a")])["a"].confirmed
    silences.silent(host("a"))
    assert silences.of([host("a"), host("b")]).keys() == {"a"}
    assert silences.of([host("a")])["a"].confirmed
    silences.heard(host("a"))
    assert silences.of([host("a")]) == {}


@pytest.mark.parametrize(
    ("silent", "heard", "proof"), [(1, 0, True), (2, 1, False), (2, 4, True), (3, 5, False)]
)
def test_silence_of_many_at_once_proves_nothing(silent: int, heard: int, *, proof: bool) -> None:
    silences = Silences(FakeClock(), 1, 0.34)
    mute = [host(f"m{number}") for number in range(silent)]
    for item in mute:
        silences.silent(item)
    for number in range(heard):
        silences.heard(host(f"h{number}"))
    assert all(item.confirmed is proof for item in silences.of(mute).values())
