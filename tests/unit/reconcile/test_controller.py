"""The controller as a whole over a world in memory: start, dependencies, destruction, trouble."""

import pytest

from otto.model.errors import TransientError, UsageError
from otto.model.policy import Policy
from otto.model.run import Outcome, Run
from otto.model.status import Phase
from otto.reconcile.control import ask
from otto.reconcile.events import StatusChanged
from otto.testing import site_spec

from .stage import Stage


async def test_every_site_is_brought_up_from_the_start(stage: Stage) -> None:
    stage.world.push(site_spec("one"), site_spec("two"))
    async with stage.controller().running():
        await stage.calm(5)
        assert [item.phase for item in await stage.world.store.statuses()] == [Phase.READY, Phase.READY]


async def test_the_phases_of_a_site_are_told_in_order(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(5)
    phases = [event.status.phase.value for event in stage.events if isinstance(event, StatusChanged)]
    assert list(dict.fromkeys(phases)) == [
        "Planning",
        "Provisioning",
        "Configuring",
        "Deploying",
        "Verifying",
        "Ready",
    ]


async def test_a_push_through_the_socket_is_decided_at_once(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running() as controller:
        await stage.calm(5)
        commit = stage.world.push(site_spec("two"))
        answer = await ask(stage.home / "control.sock", {"op": "push", "refs": []})
        assert answer == {"done": True, "exit": 0}
        assert controller.fleet.catalogue.commit == commit


async def test_a_dependent_site_waits_with_a_reason_and_comes_when_the_other_is_ready(stage: Stage) -> None:
    stage.world.infrastructure.failures.next("apply", TransientError("the provider is away"), times=1)
    stage.world.push(site_spec("first"), site_spec("second", depends_on=("first",)))
    async with stage.controller().running():
        await stage.calm()
        waiting = await stage.status("second")
        assert "waits for first" in waiting.message
        assert waiting.phase is Phase.PENDING
        await stage.calm(10)
        assert (await stage.status("first")).ready
        assert (await stage.status("second")).ready


async def test_a_repository_that_is_away_at_start_makes_nobody_an_orphan(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(5)
    stage.world.restart()
    stage.world.source.failures.always("fetch", TransientError("the remote is away"))
    async with stage.controller().running() as controller:
        await stage.calm(5)
        assert (await stage.status("one")).phase is Phase.READY
        assert "the remote is away" in controller.watcher.state.error
        stage.world.source.failures.stop("fetch")
        stage.world.push(site_spec("two"))
        await stage.calm(120)
        assert (await stage.status("two")).ready


async def test_an_unknown_error_of_the_source_is_taken_for_passing(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running() as controller:
        await stage.calm(5)
        stage.world.source.failures.always("fetch", ZeroDivisionError("inside"))
        await stage.calm(60)
        assert "ZeroDivisionError" in controller.watcher.state.error
        stage.world.source.failures.stop("fetch")
        stage.world.push(site_spec("two"))
        await stage.calm(300)
        assert (await stage.status("two")).ready


async def test_a_store_in_trouble_never_ends_the_loop(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        stage.world.store.failures.always("save_status", TransientError("the disk is full"))
        await stage.calm(5)
        stage.world.store.failures.stop("save_status")
        await stage.calm(700)
        assert (await stage.status("one")).ready


async def test_runs_a_killed_controller_left_open_are_closed_and_not_replayed(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    run = Run("20260101T000000-abcdef", "one", "push", stage.world.clock.now())
    await stage.world.store.save_run(run)
    async with stage.controller().running():
        await stage.calm(5)
    closed = await stage.world.store.run(run.id)
    assert closed is not None
    assert closed.outcome is Outcome.INTERRUPTED


async def test_an_unasked_replacement_waits_until_that_very_plan_is_approved(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(5)
        stage.world.images.ids["base"] = "img-rebuilt"
        await stage.calm(60)
        waiting = await stage.status("one")
        assert waiting.phase is Phase.AWAITING_APPROVAL
        assert "otto approve one" in waiting.conditions["Allowed"].message
        plan = (await stage.world.store.runs("one"))[0].plan
        await stage.approve("one", plan)
        await stage.calm(60)
        assert (await stage.status("one")).phase is Phase.READY


async def test_a_site_with_the_policy_always_waits_for_its_first_approval(stage: Stage) -> None:
    stage.world.push(site_spec("one", policy=Policy("always")))
    async with stage.controller().running():
        await stage.calm(5)
        assert (await stage.status("one")).phase is Phase.AWAITING_APPROVAL
        assert not await stage.world.infrastructure.inventory("one")


async def test_a_torn_down_site_comes_back_at_the_next_start_and_a_destroyed_one_does_not(
    stage: Stage,
) -> None:
    stage.world.push(site_spec("one"), site_spec("two"))
    store = stage.world.store
    async with stage.controller().running() as controller:
        await stage.calm(5)
        for site, intents in (("one", ("destroy", "teardown")), ("two", ("destroy",))):
            for intent in intents:
                await store.set_intent(site, intent, on=True)
            controller.kit.queue.add(site, "asked")
        await stage.calm(5)
        assert not await stage.world.infrastructure.inventory()
    stage.world.restart()
    async with stage.controller().running():
        await stage.calm(5)
        assert (await stage.status("one")).phase is Phase.READY
        assert (await stage.status("two")).phase is Phase.DESTROYED


async def test_a_start_asks_for_no_site_alone_but_those_that_were_taken_down(stage: Stage) -> None:
    stage.world.push(*(site_spec(name) for name in ("one", "two", "three")))
    stage.world.store.failures.next("intents", AssertionError("asked for one site"))
    controller = stage.controller()
    try:
        await controller.start()
    finally:
        await controller.stop()
    assert stage.world.queue.depth() == 3


async def test_a_destroyed_site_comes_back_when_its_spec_says_something_else(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running() as controller:
        await stage.calm(5)
        await stage.world.store.set_intent("one", "destroy", on=True)
        controller.kit.queue.add("one", "asked")
        await stage.calm(5)
        assert (await stage.status("one")).phase is Phase.DESTROYED
        stage.world.push(site_spec("one", domains=("other.example",)))
        await ask(stage.home / "control.sock", {"op": "push", "refs": []})
        await stage.calm(5)
        assert (await stage.status("one")).phase is Phase.READY


async def test_a_failing_site_backs_off_and_a_new_commit_is_acted_on_at_once(stage: Stage) -> None:
    stage.world.infrastructure.failures.always("plan", TransientError("the provider is away"))
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(600)
        tries = stage.world.infrastructure.failures.count("plan")
        assert tries < 12
        stage.world.infrastructure.failures.stop("plan")
        stage.world.push(site_spec("one", domains=("other.example",)))
        await ask(stage.home / "control.sock", {"op": "push", "refs": []})
        await stage.calm()
        assert (await stage.status("one")).ready


async def test_one_stuck_site_holds_up_no_other(stage: Stage) -> None:
    gate = stage.world.infrastructure.failures.hold("apply")
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await gate.reached()
        stage.world.infrastructure.failures.unhold("apply")
        stage.world.push(site_spec("two"))
        await ask(stage.home / "control.sock", {"op": "push", "refs": []})
        await stage.calm(5)
        assert (await stage.status("two")).ready
        assert not (await stage.status("one")).ready
        gate.open()
        await stage.calm(5)
        assert (await stage.status("one")).ready


async def test_the_socket_refuses_what_it_does_not_know(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        socket = stage.home / "control.sock"
        with pytest.raises(UsageError, match="unknown operation"):
            await ask(socket, {"op": "dance"})
        with pytest.raises(UsageError, match="no site"):
            await ask(socket, {"op": "due", "site": "nosuch"})
        assert socket.stat().st_mode & 0o777 == 0o600
    assert await ask(socket, {"op": "info"}) is None


async def test_a_play_is_made_ready_for_hosts_that_are_made_and_for_none_that_wait(stage: Stage) -> None:
    stage.world.push(site_spec("one"), site_spec("two", policy=Policy(approval="always")))
    async with stage.controller().running():
        await stage.calm(5)
        assert {item.site: item.phase for item in await stage.world.store.statuses()} == {
            "one": Phase.READY,
            "two": Phase.AWAITING_APPROVAL,
        }
    assert stage.world.configuration.foresaw == ["one"]
