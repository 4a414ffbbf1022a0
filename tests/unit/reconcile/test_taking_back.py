"""What failed, or was given up, goes back: first where it hurts, step by step, whatever else is on hold."""

from dataclasses import replace
from datetime import timedelta

import pytest

from otto.model.history import GrantKind
from otto.model.policy import Overrun, Policy, Window, Windows
from otto.model.probing import Answer
from otto.model.rollout import RolloutState
from otto.model.run import Outcome
from otto.model.spec import Check, SiteSpec
from otto.model.status import Phase
from otto.model.strategy import Strategy
from otto.reconcile.control import ask

from .rollouts import BAD, FREE, STEPS, STILL, WORKS, content, moments, rolling, rollout, served, until
from .stage import Stage, due, push, rules, say, told, web

# The world begins at midnight, and the window is open for that many seconds.
BRIEF = Window(allow=True, cron="0 0 * * *", lasts=30.0)
SLOW = replace(STEPS, soak=25.0)


@pytest.mark.parametrize("overrun", [Overrun.HOLD, Overrun.FINISH])
async def test_a_wish_that_fails_as_its_window_closes_goes_back_at_once(
    stage: Stage, overrun: Overrun
) -> None:
    stage.world.push(rolling(policy=Policy("auto", windows=Windows((BRIEF,), overrun))))
    stage.loop = replace(stage.loop, verifyDeadline=20.0)
    async with stage.controller().running():
        await stage.calm(29.0)
        await content(stage, BAD)
        await stage.calm(60)
        assert (await rollout(stage)).state is RolloutState.REVERTED
        assert set((await served(stage)).values()) == {WORKS}
        assert stage.world.hosts["one-balancer-1"].disabled == set()


async def test_an_image_that_fails_goes_back_outside_its_window(stage: Stage) -> None:
    spec = rolling(policy=replace(FREE, windows=Windows((BRIEF,))), rollout=SLOW)
    stage.world.push(spec)
    async with stage.controller().running():
        await stage.calm(5)
        stage.world.images.ids["newer"] = "img-newer"
        await push(stage, replace(spec, web=web(3, image="newer")))
        await until(stage, "soak", "one-web-2")
        given_up = (await rollout(stage)).digest
        await say(stage, GrantKind.QUARANTINE, plan=given_up, reason="no")
        await stage.calm(120)
        images = {host.image for host in stage.world.hosts if host.role.value == "web"}
        assert images == {stage.world.images.ids["base"]}


async def test_where_repairs_wait_for_a_window_going_back_does(stage: Stage) -> None:
    windows = Windows((BRIEF,), repairs=True)
    stage.world.push(rolling(policy=Policy("auto", windows=windows), rollout=SLOW))
    async with stage.controller().running():
        await stage.calm(5)
        await content(stage, STILL)
        await until(stage, "soak", "one-web-2")
        await say(stage, GrantKind.QUARANTINE, plan=(await rollout(stage)).digest, reason="no")
        await stage.calm(60)
        assert "guard.window.site" in rules((await stage.status("one")).held)
        await say(stage, GrantKind.OVERRIDE, until=stage.world.clock.now() + timedelta(hours=1))
        await due(stage, "one")
        await stage.calm(120)
        assert set((await served(stage)).values()) == {WORKS}


async def test_a_paused_rollout_that_is_given_up_goes_back(stage: Stage) -> None:
    stage.world.push(rolling(rollout=SLOW))
    async with stage.controller().running():
        await stage.calm(5)
        await content(stage, STILL)
        await until(stage, "soak", "one-web-1")
        await say(stage, GrantKind.PAUSE, reason="let me see")
        await stage.calm(60)
        found = await rollout(stage)
        assert found.state is RolloutState.PAUSED
        assert await served(stage) == {"1": STILL, "2": WORKS, "3": WORKS}
        await say(stage, GrantKind.QUARANTINE, plan=found.digest, reason="no")
        await told(stage)
        await stage.calm(60)
        assert (await rollout(stage)).state is RolloutState.REVERTED
        assert set((await served(stage)).values()) == {WORKS}


async def test_while_paused_a_server_that_somebody_sets_aside_comes_back(stage: Stage) -> None:
    stage.world.push(rolling(rollout=SLOW))
    async with stage.controller().running():
        await stage.calm(5)
        await content(stage, STILL)
        await until(stage, "soak", "one-web-1")
        await say(stage, GrantKind.PAUSE)
        await stage.calm(60)
        balancer = stage.world.hosts["one-balancer-1"]
        balancer.disabled.add("one-web-3")
        await due(stage, "one")
        await stage.calm(60)
        assert balancer.disabled == set()
        assert await served(stage) == {"1": STILL, "2": WORKS, "3": WORKS}
        assert (await rollout(stage)).state is RolloutState.PAUSED


async def test_where_it_failed_under_visitors_it_goes_back_first(stage: Stage) -> None:
    stage.world.push(rolling(rollout=replace(STEPS, soak=4.0)))
    async with stage.controller().running():
        await stage.calm(5)
        stage.world.push(files={"sites/one/index.html": STILL})
        await told(stage)
        await until(stage, "soak", "one-web-2")
        balancer = stage.world.hosts["one-balancer-1"].address
        text = "# pxname,svname,status,hrsp_2xx,hrsp_5xx\nweb,one-web-2,UP,50,50\n"
        stage.world.probe.answers[balancer, "/stats;csv"] = Answer(200, {}, text)
        for _ in range(100):
            await stage.world.clock.advance(0.1)
            if (await rollout(stage)).state is not RolloutState.RUNNING:
                break
        del stage.world.probe.answers[balancer, "/stats;csv"]
        await stage.calm(60)
        back = await stage.last_run("one")
        assert [hosts for kind, hosts in moments(back) if kind == "deploy"] == [("2",), ("1",)]
        assert (await rollout(stage)).state is RolloutState.REVERTED


async def test_undone_no_more_servers_are_out_at_once_than_the_spec_says(started: Stage) -> None:
    await content(started, STILL)
    await started.calm(30)
    await say(started, GrantKind.QUARANTINE, plan=(await started.status("one")).digest, reason="no")
    await told(started)
    await started.calm(60)
    steps = moments(await started.last_run("one"))
    assert [hosts for kind, hosts in steps if kind == "set-aside"] == [("1",), ("2",), ("3",)]
    assert [hosts for kind, hosts in steps if kind == "deploy"] == [("1",), ("2",), ("3",)]


async def test_checks_that_wait_for_a_window_say_nothing_of_what_is_in_place(stage: Stage) -> None:
    spec = rolling(policy=Policy("auto", windows=Windows((BRIEF,))))
    stage.world.push(spec)
    async with stage.controller().running():
        await stage.calm(60)
        plays = len(stage.world.configuration.requests)
        await push(stage, replace(spec, web=web(4), checks=(Check("/", contains="Another page"),)))
        await stage.calm(120)
        assert "guard.window.site" in rules((await stage.status("one")).held)
        assert len(stage.world.configuration.requests) == plays
        assert len(await stage.world.store.runs("one", 100)) == 2


async def test_a_balancer_mended_beside_a_paused_rollout_is_asked_what_it_says_of_its_servers(
    stage: Stage,
) -> None:
    stage.world.push(rolling(rollout=SLOW))
    async with stage.controller().running():
        await stage.calm(5)
        await content(stage, STILL)
        await until(stage, "soak", "one-web-1")
        await say(stage, GrantKind.PAUSE)
        await stage.calm(60)
        stage.world.hosts.remove("one-balancer-1")
        await stage.calm(60)
        run = await stage.last_run("one")
        assert {step.kind: step.summary for step in run.steps}["verify"] == "5 checks, 0 failed"
        assert (await stage.status("one")).phase is not Phase.DEGRADED


async def seconds_until_failed(stage: Stage, spec: SiteSpec, page: str) -> float:
    """How long the first run over a page took, which failed."""
    stage.loop = replace(stage.loop, verifyDeadline=45.0)
    async with stage.controller().running():
        before = len(await stage.world.store.runs("one", 100))
        stage.world.push(spec, files={"sites/one/index.html": page})
        await told(stage)
        await stage.calm(60)
        failed = list(reversed(await stage.world.store.runs("one", 100)))[before]
        assert failed.outcome is Outcome.FAILED
        assert failed.ended_at is not None
        return (failed.ended_at - failed.started_at).total_seconds()


@pytest.mark.parametrize("strategy", Strategy)
async def test_a_wrong_answer_that_servers_mean_is_not_waited_for(stage: Stage, strategy: Strategy) -> None:
    spec = rolling(rollout=replace(STEPS, strategy=strategy))
    stage.world.push(spec)
    async with stage.controller().running():
        await stage.calm(5)
    stage.world.restart()
    assert 3.0 <= await seconds_until_failed(stage, spec, BAD) < 6.0
    assert set((await served(stage)).values()) == {WORKS}


async def test_a_first_deployment_has_its_whole_deadline(stage: Stage) -> None:
    assert await seconds_until_failed(stage, rolling(), BAD) > 40.0


@pytest.mark.parametrize(("answer", "waits"), [(Answer(404, {}, ""), 2.0), (Answer(503, {}, ""), 20.0)])
async def test_a_server_that_is_starting_is_given_time(stage: Stage, answer: Answer, waits: float) -> None:
    stage.loop = replace(stage.loop, verifyDeadline=45.0)
    stage.world.push(rolling())
    async with stage.controller().running():
        await stage.calm(5)
        address = stage.world.hosts["one-web-1"].address
        stage.world.probe.answers[address, "/"] = answer
        stage.world.push(files={"sites/one/index.html": STILL})
        await ask(stage.home / "control.sock", {"op": "push", "refs": []})
        await until(stage, "verify", "one-web-1")
        await stage.world.clock.advance(waits)
        del stage.world.probe.answers[address, "/"]
        await stage.calm(60)
        assert (await rollout(stage)).state is RolloutState.DONE
        assert set((await served(stage)).values()) == {STILL}
