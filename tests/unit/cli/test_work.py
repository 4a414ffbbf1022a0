"""A controller that runs already, asked over its real socket and followed through the store."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.unit.cli.conftest import MemoryComposition, Stage

from otto.cli import presence, waiting
from otto.cli.follower import Follower
from otto.cli.work import RemoteWork
from otto.config import Settings
from otto.desk.intents import Destroy
from otto.model.errors import TransientError, UsageError
from otto.model.plan import StepKind
from otto.model.run import Run, StepRecord
from otto.model.saying import Speaker
from otto.model.status import Phase, SiteStatus
from otto.reconcile.controller import Controller
from otto.reconcile.destroy import DESTROY
from otto.reconcile.events import Event, SiteGone, StatusChanged, StepChanged
from otto.testing import START, FakeClock, MemoryStore, site_spec

VERIFY = frozenset({StepKind.VERIFY})


@asynccontextmanager
async def controller(stage: Stage) -> AsyncIterator[Controller]:
    settings = Settings(home=stage.home)
    made = MemoryComposition(stage.world).make_controller(stage.world.kit(), settings)
    async with made.running():
        yield made


def ann(by: str | None) -> Speaker:
    return Speaker(by or "ann", START, "ann")


class Impatient(FakeClock):
    """Short waits are over at once, long ones never: the controller works between our looks."""

    async def sleep(self, seconds: float) -> None:
        await (asyncio.sleep(0) if seconds < 10 else asyncio.Event().wait())


def remote(stage: Stage) -> RemoteWork:
    return RemoteWork(stage.world.store, Impatient(), Settings(home=stage.home), ann)


async def test_a_running_controller_is_found(stage: Stage) -> None:
    assert presence.find(stage.home) is None
    async with controller(stage):
        found = await asyncio.to_thread(presence.find, stage.home)
    assert found
    assert found.pid == os.getpid()
    assert presence.find(stage.home) is None


@pytest.mark.parametrize("left", ["nothing", "a file", "a dead socket"])
def test_no_controller(stage: Stage, left: str) -> None:
    path = stage.home / "control.sock"
    if left == "a file":
        path.touch()
    if left == "a dead socket":
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
    assert presence.find(stage.home) is None
    assert presence.find(stage.home / "missing") is None


async def test_a_site_is_asked_for_and_answers(stage: Stage) -> None:
    stage.world.push(site_spec())
    async with controller(stage):
        work = remote(stage)
        heard: list[Event] = []
        await work.begin()
        work.subscribe(heard.append)
        first = await waiting.look(work, ["acme"], VERIFY, 600.0)
        assert [answer.ok for answer in first] == [True]
        second = await waiting.look(work, ["acme"], frozenset({StepKind.CONFIGURE}), 600.0)
        assert second[0].run
        assert "configure" in {step.kind for step in second[0].run.steps}
    kinds = {type(event) for event in heard}
    assert kinds == {StatusChanged, StepChanged}


async def test_a_site_is_destroyed_by_the_controller_that_runs(stage: Stage) -> None:
    stage.world.push(site_spec(), site_spec("shop"))
    async with controller(stage):
        work = remote(stage)
        await waiting.look(work, ["acme", "shop"], VERIFY, 600.0)
        wish = Destroy(("acme", "shop"), "no longer needed", "bob")
        answers = await waiting.destroy(work, wish, 600.0)
        assert [(answer.site, answer.ok) for answer in answers] == [("acme", True), ("shop", True)]
    assert not list(stage.world.hosts)
    asked = [record.entry for record in stage.world.ledger.log if record.entry.what == DESTROY]
    assert {(entry.site, entry.who, entry.reason) for entry in asked} >= {
        ("acme", "bob", "no longer needed"),
        ("shop", "bob", "no longer needed"),
    }


async def test_a_controller_that_knows_no_such_site_says_so(stage: Stage) -> None:
    async with controller(stage):
        with pytest.raises(UsageError, match="there is no site 'nobody'"):
            await remote(stage).due("nobody", VERIFY)


async def test_a_controller_that_has_gone(stage: Stage) -> None:
    with pytest.raises(TransientError, match="the controller stopped just now"):
        await remote(stage).due("acme", VERIFY)


async def test_the_follower_tells_nothing_of_before(stage: Stage) -> None:
    stage.world.push(site_spec())
    async with controller(stage):
        await waiting.look(remote(stage), ["acme"], VERIFY, 600.0)
    heard: list[Event] = []
    follower = Follower()
    follower.listeners.append(heard.append)
    for _ in range(2):
        await follower.look(stage.world.store)
    assert heard == []


async def test_the_follower_tells_of_sites_that_are_gone(stage: Stage) -> None:
    stage.world.push(site_spec())
    async with controller(stage):
        await waiting.look(remote(stage), ["acme"], VERIFY, 600.0)
    heard: list[Event] = []
    follower = Follower()
    follower.listeners.append(heard.append)
    await follower.look(stage.world.store)
    await stage.world.store.forget("acme")
    await follower.look(stage.world.store)
    assert heard == [SiteGone("acme")]


@pytest.mark.parametrize(
    ("phase", "steps", "told"),
    [
        (Phase.PLANNING, ["observe", "plan"], ["Planning", "observe", "plan"]),
        (Phase.CONFIGURING, ["observe", "plan", "guard"], ["observe", "plan", "guard", "Configuring"]),
        (Phase.CONFIGURING, ["guard", "configure"], ["guard", "Configuring", "configure"]),
        (Phase.VERIFYING, ["configure", "verify"], ["configure", "Verifying", "verify"]),
        (
            Phase.PLANNING,
            ["plan", "configure", "observe", "plan"],
            ["plan", "configure", "Planning", "observe", "plan"],
        ),
        (Phase.READY, ["configure", "verify"], ["configure", "verify", "Ready"]),
    ],
)
async def test_what_came_between_two_looks_is_told_in_its_order(
    phase: Phase, steps: list[str], told: list[str]
) -> None:
    store = MemoryStore()
    heard: list[str] = []

    def hear(event: Event) -> None:
        if isinstance(event, StatusChanged):
            heard.append(event.status.phase.value)
        elif isinstance(event, StepChanged):
            heard.append(event.step.kind)

    follower = Follower()
    follower.listeners.append(hear)
    await follower.look(store)
    records = tuple(StepRecord(kind, START, START, summary=str(n)) for n, kind in enumerate(steps))
    await store.save_run(Run("r1", "acme", "look", START, steps=records))
    await store.save_status(SiteStatus("acme", phase, START))
    await follower.look(store)
    assert heard == told


async def test_an_answer_that_does_not_come_is_not_waited_for_for_ever(stage: Stage) -> None:
    stage.world.push(site_spec())
    stage.world.configuration.failures.hold("configure")
    async with controller(stage):
        answers = await waiting.look(remote(stage), ["acme"], VERIFY, 1.0)
    assert not answers[0].ok
    assert answers[0].words.startswith("no answer within 1 s; it is ")
