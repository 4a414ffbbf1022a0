"""What the status says, what is asked again, and what is kept when something fails half way."""

import pytest

from otto.model.errors import TransientError, WaitingError
from otto.model.plan import StepKind
from otto.model.spec import Algorithm
from otto.model.status import ConditionType, Phase
from otto.reconcile.control import ask
from otto.testing import site_spec

from .stage import Stage


async def push(stage: Stage) -> None:
    await ask(stage.home / "control.sock", {"op": "push", "refs": []})
    await stage.calm(3)


async def test_a_store_that_fails_during_a_push_loses_no_push(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(5)
        stage.world.store.failures.always("remember", TransientError("the disk is full"))
        stage.world.push(site_spec("two"))
        await push(stage)
        stage.world.store.failures.stop("remember")
        await stage.calm(300)
        assert (await stage.status("two")).ready


async def test_a_store_that_takes_no_values_never_ends_the_watch(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(5)
        stage.world.store.failures.always("set_value", TransientError("the disk is full"))
        stage.world.push(site_spec("two"))
        await stage.calm(120)
        stage.world.store.failures.stop("set_value")
        await stage.calm(300)
        assert (await stage.status("two")).ready


async def test_new_content_is_not_held_up_by_facts_that_are_known(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(5)
        stage.world.configuration.asked.clear()
        stage.world.push(files={"sites/one/index.html": "<h1>It works still</h1>"})
        await push(stage)
        assert (await stage.status("one")).ready
        # Once, after the play: what it left behind is to be known.
        assert sorted(stage.world.configuration.asked) == ["one-web-1", "one-web-2"]


async def test_a_host_that_serves_another_revision_than_it_says_is_asked_again(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(5)
        stage.world.configuration.asked.clear()
        stage.world.hosts["one-web-1"].revision = "another"
        stage.world.push(files={"sites/one/index.html": "<h1>It works still</h1>"})
        await push(stage)
        assert (await stage.status("one")).ready
        assert sorted(stage.world.configuration.asked) == ["one-web-1", "one-web-1", "one-web-2"]


async def test_new_hosts_are_configured_and_get_their_content_in_one_play(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(5)
        assert (await stage.status("one")).ready
        requests = stage.world.configuration.requests
        assert [(request.kind, request.archive is None) for request in requests] == [
            (StepKind.CONFIGURE, False)
        ]
        steps = [step.kind for step in (await stage.last_run("one")).steps]
        assert steps == ["observe", "plan", "guard", "provision", "configure", "deploy", "verify"]


async def test_content_for_other_hosts_than_are_configured_has_a_play_of_its_own(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(5)
        stage.world.configuration.requests.clear()
        stage.world.hosts["one-web-1"].services["nginx"] = "inactive"
        stage.world.push(files={"sites/one/index.html": "<h1>It works still</h1>"})
        await push(stage)
        assert (await stage.status("one")).ready
        asked = [
            (request.kind, [host.name for host in request.hosts])
            for request in stage.world.configuration.requests
        ]
        assert asked == [
            (StepKind.CONFIGURE, ["one-web-1"]),
            (StepKind.DEPLOY, ["one-web-1", "one-web-2"]),
        ]


@pytest.mark.parametrize("error", [WaitingError("the lock is held"), TransientError("away")])
async def test_a_site_whose_hosts_are_dead_is_not_ready_whatever_keeps_it_from_healing(
    stage: Stage, error: Exception
) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(5)
        stage.world.infrastructure.failures.always("plan", error)
        for host in [item.name for item in await stage.world.infrastructure.inventory("one")]:
            stage.world.hosts.remove(host)
        await stage.calm(60)
        status = await stage.status("one")
        assert not status.ready
        assert not status.holds(ConditionType.SERVING)
        assert status.phase is not Phase.READY


async def test_an_approval_is_used_up_by_the_run_it_allowed(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    ids = stage.world.images.ids
    first = ids["base"]
    async with stage.controller().running():
        await stage.calm(5)
        plans = []
        for image in ("second", first):
            ids["base"] = image
            await stage.calm(60)
            plans.append((await stage.world.store.runs("one"))[0].plan)
            await stage.approve("one", plans[-1])
            await stage.calm(60)
            assert (await stage.status("one")).phase is Phase.READY
        ids["base"] = "second"
        await stage.calm(60)
        assert (await stage.status("one")).phase is Phase.AWAITING_APPROVAL
        assert len(set(plans)) == 2


async def test_a_dependent_change_waits_for_the_other_sites_change_of_the_same_push(stage: Stage) -> None:
    stage.world.push(site_spec("zz"), site_spec("aa", depends_on=("zz",)))
    async with stage.controller().running():
        await stage.calm(60)
        assert (await stage.status("aa")).ready
        stage.world.configuration.failures.always("configure", TransientError("away"))
        stage.world.push(
            site_spec("zz", algorithm=Algorithm.LEASTCONN),
            site_spec("aa", depends_on=("zz",), domains=("new.example",)),
        )
        await push(stage)
        assert "waits for zz" in (await stage.status("aa")).message
        stage.world.configuration.failures.stop("configure")
        await stage.calm(60)
        assert (await stage.status("aa")).ready


async def test_a_new_site_whose_first_spec_is_bad_is_shown_as_such(stage: Stage) -> None:
    stage.world.push(site_spec("one"), site_spec("two", depends_on=("nosuch",)))
    async with stage.controller().running():
        await stage.calm(5)
        status = await stage.status("two")
        assert status.phase is Phase.PENDING
        assert "first good spec" in status.message
        assert not status.holds(ConditionType.VALID)


async def test_a_site_of_a_provider_that_may_not_be_touched_is_not_destroyed(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(5)
    stage.world.restart()
    controller = stage.controller()
    object.__setattr__(controller.kit, "providers", frozenset())
    await stage.world.store.set_intent("one", "destroy", on=True)
    async with controller.running():
        await stage.calm(5)
        assert await stage.world.infrastructure.inventory("one")
        assert "may not be touched" in (await stage.status("one")).message


async def test_a_missed_wakeup_of_a_suspended_site_is_made_good(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    await stage.world.store.set_intent("one", "suspend", on=True)
    async with stage.controller().running():
        await stage.calm(5)
        assert (await stage.status("one")).phase is Phase.SUSPENDED
        await stage.world.store.set_intent("one", "suspend", on=False)
        await stage.calm(600)
        assert (await stage.status("one")).phase is Phase.READY
