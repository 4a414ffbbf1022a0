"""What stands in a rollout's way: windows, protection, freezes, errors, old roles, and nobody else's site."""

from dataclasses import replace
from datetime import timedelta

import pytest

from otto.model.errors import TerminalError, TransientError
from otto.model.history import GrantKind
from otto.model.notice import NoticeKind
from otto.model.policy import Overrun, Policy, Window, Windows
from otto.model.probing import Answer
from otto.model.rollout import RolloutState
from otto.model.spec import Check
from otto.model.status import Phase
from otto.reconcile.control import ask
from otto.testing import site_spec

from .rollouts import BAD, FREE, STEPS, STILL, WORKS, content, rolling, rollout, served, until
from .stage import Stage, ids, push, rules, say, told, web


@pytest.mark.parametrize(("overrun", "changed"), [(Overrun.HOLD, "1"), (Overrun.FINISH, "123")])
async def test_a_window_that_closes_holds_the_next_batch_or_lets_it_finish(
    stage: Stage, overrun: Overrun, changed: str
) -> None:
    # The world begins at midnight, and the window is open for that many seconds.
    closing = Windows((Window(allow=True, cron="0 0 * * *", lasts=30.0),), overrun)
    slow = replace(STEPS, soak=25.0)
    stage.world.push(rolling(rollout=slow, policy=Policy("auto", windows=closing)))
    async with stage.controller().running():
        await stage.calm(5)
        await content(stage, STILL)
        await stage.calm(120)
        assert {name for name, page in (await served(stage)).items() if page == STILL} == set(changed)
        assert stage.world.hosts["one-balancer-1"].disabled == set()
        status = await stage.status("one")
        assert ("window" in status.message) is (overrun is Overrun.HOLD)
        runs = len(await stage.world.store.runs("one", 100))
        await stage.calm(120)
        assert len(await stage.world.store.runs("one", 100)) == runs
        await say(stage, GrantKind.OVERRIDE, until=stage.world.clock.now() + timedelta(hours=1))
        await told(stage)
        await stage.calm(120)
        assert set((await served(stage)).values()) == {STILL}
        assert (await stage.status("one")).phase is Phase.READY


async def test_while_a_window_holds_the_rest_a_lost_server_is_mended_and_the_changed_one_stays(
    stage: Stage,
) -> None:
    closing = Windows((Window(allow=True, cron="0 0 * * *", lasts=30.0),), Overrun.HOLD)
    policy = Policy("auto", windows=closing)
    stage.world.push(rolling(rollout=replace(STEPS, soak=25.0), policy=policy))
    async with stage.controller().running():
        await stage.calm(5)
        await content(stage, STILL)
        await stage.calm(60)
        stage.world.hosts.remove("one-web-3")
        await stage.calm(120)
        assert await served(stage) == {"1": STILL, "2": WORKS, "3": WORKS}
        assert stage.world.hosts["one-balancer-1"].disabled == set()
        runs = await stage.world.store.runs("one", 100)
        await stage.calm(120)
        assert await stage.world.store.runs("one", 100) == runs


async def test_a_server_lost_outside_a_window_is_mended_to_its_end(stage: Stage) -> None:
    closing = Windows((Window(allow=True, cron="0 0 * * *", lasts=30.0),), Overrun.HOLD)
    stage.world.push(rolling(policy=Policy(windows=closing)))
    async with stage.controller().running():
        await stage.calm(60)
        stage.world.hosts.remove("one-web-3")
        await stage.calm(60)
        assert await served(stage) == dict.fromkeys("123", WORKS)
        assert (await stage.status("one")).phase is Phase.READY


async def test_a_protected_site_keeps_its_servers_whatever_image_is_wanted(stage: Stage) -> None:
    protected = rolling(policy=Policy(protect=True))
    stage.world.push(protected)
    async with stage.controller().running():
        await stage.calm(5)
        before = await ids(stage)
        stage.world.images.ids["newer"] = "img-newer"
        await push(stage, replace(protected, web=web(3, image="newer")))
        await stage.calm(60)
        status = await stage.status("one")
        assert "guard.protect" in rules(status.held)
        assert await ids(stage) == before
        assert stage.world.configuration.rotation.moves == []


async def test_a_freeze_holds_the_next_batch_that_takes_a_server_and_a_thaw_lets_it_go_on(
    stage: Stage,
) -> None:
    slow = rolling(rollout=replace(STEPS, soak=20.0), policy=FREE)
    stage.world.push(slow)
    async with stage.controller().running():
        await stage.calm(5)
        before = await ids(stage)
        stage.world.images.ids["newer"] = "img-newer"
        await push(stage, replace(slow, web=web(3, image="newer")))
        await until(stage, "soak", "one-web-1")
        freeze = await say(stage, GrantKind.FREEZE, reason="fair")
        await stage.calm(60)
        after = await ids(stage)
        assert {name for name in after if after[name] != before[name]} == {"one-web-1"}
        assert (
            "frozen" in (await stage.status("one")).message or "froze" in (await stage.status("one")).message
        )
        assert stage.world.hosts["one-balancer-1"].disabled == set()
        await stage.world.ledger.revoke(freeze)
        await told(stage)
        await stage.calm(120)
        assert {host.image for host in stage.world.hosts if host.role.value == "web"} == {"img-newer"}


async def test_what_failed_once_is_tried_again_by_a_persons_word_alone(started: Stage) -> None:
    failures = started.world.configuration.failures
    failures.next("deploy:one-web-1", TransientError("no space left on device"))
    await content(started, STILL)
    await started.calm(60)
    assert set((await served(started)).values()) == {WORKS}
    assert (await rollout(started)).state is RolloutState.REVERTED
    (grant,) = await started.world.ledger.grants(site="one", kind=GrantKind.QUARANTINE)
    await started.world.ledger.revoke(grant)
    await told(started)
    await started.calm(60)
    assert set((await served(started)).values()) == {STILL}
    assert (await rollout(started)).state is RolloutState.DONE


async def test_roles_that_changed_since_leave_no_way_back_and_a_person_decides(started: Stage) -> None:
    started.world.configuration.digests["nginx"] = "another"
    await content(started, BAD)
    await started.calm(60)
    status = await started.status("one")
    assert (await rollout(started)).state is RolloutState.STUCK
    assert "cannot be taken back: what configures its hosts changed since: nginx" in status.message
    assert (await served(started))["2"] == WORKS
    await content(started, STILL)
    await started.calm(60)
    assert set((await served(started)).values()) == {STILL}
    assert started.world.hosts["one-balancer-1"].disabled == set()
    assert (await rollout(started)).state is RolloutState.DONE


async def test_an_image_that_is_gone_leaves_no_way_back_and_the_site_says_which(stage: Stage) -> None:
    spec = rolling(policy=FREE)
    stage.world.push(spec)
    async with stage.controller().running():
        await stage.calm(5)
        stage.world.images.ids["bad"] = "img-bad"
        checks = (Check("/", contains="nowhere"),)
        gone = TerminalError("there is no image img-base any more")
        stage.world.push(replace(spec, web=web(3, image="bad"), checks=checks))
        await ask(stage.home / "control.sock", {"op": "push", "refs": []})
        await until(stage, "verify", "one-web-1")
        stage.world.infrastructure.failures.always("apply:one-web-1", gone)
        await stage.calm(60)
        status = await stage.status("one")
        assert status.phase is Phase.DEGRADED
        assert status.message == "there is no image img-base any more"
        assert status.rollout is not None
        assert status.rollout.state is RolloutState.STUCK
        assert (await stage.last_run("one")).message == status.message
        kinds = [notice.kind for notice in stage.world.notifier.notices]
        assert kinds == [NoticeKind.ROLLOUT, NoticeKind.ROLLOUT]
        assert stage.world.hosts["one-balancer-1"].disabled == {"one-web-1"}
        assert {name: page for name, page in (await served(stage)).items() if name != "1"} == {
            "2": WORKS,
            "3": WORKS,
        }
        stage.world.infrastructure.failures.stop("apply:one-web-1")
        await stage.calm(900)
        assert (await rollout(stage)).state is RolloutState.REVERTED
        assert stage.world.hosts["one-balancer-1"].disabled == set()


async def test_how_a_rollout_stands_is_measured_by_the_next_controller_too(stage: Stage) -> None:
    stage.world.push(rolling())
    async with stage.controller().running():
        await stage.calm(5)
        await content(stage, BAD)
        await stage.calm(60)
    stage.world.restart()
    controller = stage.controller()
    async with controller.running():
        await stage.calm(5)
        lines = controller.kit.metrics.render()[0].decode().splitlines()
        assert 'otto_rollout_state{site="one",state="reverted"} 1.0' in lines
        assert 'otto_rollout_servers{site="one"} 3.0' in lines


async def test_one_sites_failure_leaves_another_alone(stage: Stage) -> None:
    two = site_spec("two", rollout=STEPS)
    stage.world.push(rolling(), two)
    async with stage.controller().running():
        await stage.calm(5)
        stage.world.push(files={"sites/one/index.html": BAD, "sites/two/index.html": STILL})
        await told(stage)
        await stage.calm(60)
        assert (await rollout(stage)).state is RolloutState.REVERTED
        assert (await rollout(stage, "two")).state is RolloutState.DONE
        pages = {
            stage.world.source.files(host.revision or "")["index.html"].decode()
            for host in stage.world.hosts
            if host.site == "two" and host.role.value == "web"
        }
        assert pages == {STILL}
        assert (await stage.status("two")).phase is Phase.READY


@pytest.mark.parametrize(
    ("answers", "errors", "state"),
    [(100, 6, RolloutState.REVERTED), (100, 5, RolloutState.DONE), (19, 19, RolloutState.DONE)],
)
async def test_more_errors_than_allowed_while_it_is_watched_end_it(
    stage: Stage, answers: int, errors: int, state: RolloutState
) -> None:
    stage.world.push(rolling(rollout=replace(STEPS, soak=4.0)))
    async with stage.controller().running():
        await stage.calm(5)
        stage.world.push(files={"sites/one/index.html": STILL})
        await told(stage)
        await until(stage, "soak", "one-web-2")
        await stage.world.clock.advance(0.3)
        balancer = stage.world.hosts["one-balancer-1"].address
        rows = [f"web,one-web-{number},UP,{answers - errors},{errors}" for number in (1, 2, 3)]
        text = "\n".join(["# pxname,svname,status,hrsp_2xx,hrsp_5xx", *rows])
        stage.world.probe.answers[balancer, "/stats;csv"] = Answer(200, {}, text)
        await stage.calm(120)
        found = await rollout(stage)
        assert found.state is state
        if state is RolloutState.REVERTED:
            (kept,) = found.quarantined.values()
            assert kept.failures[0].received == f"{errors} of {answers} answers are errors"
            assert kept.hosts == ("one-web-1", "one-web-2")
            assert set((await served(stage)).values()) == {WORKS}


async def test_an_undo_of_the_undone_wish_is_not_put_in_place_again(started: Stage) -> None:
    await content(started, STILL)
    await started.calm(30)
    newest = (await started.status("one")).digest
    await say(started, GrantKind.QUARANTINE, plan=newest, reason="too ugly")
    await told(started)
    await started.calm(60)
    runs = await started.world.store.runs("one", 100)
    await started.calm(600)
    assert await started.world.store.runs("one", 100) == runs
    assert set((await served(started)).values()) == {WORKS}


async def test_a_controller_that_starts_after_a_failed_rollout_leaves_it_taken_back(stage: Stage) -> None:
    stage.world.push(rolling())
    async with stage.controller().running():
        await stage.calm(5)
        await content(stage, BAD)
        await stage.calm(60)
    stage.world.restart()
    runs = await stage.world.store.runs("one", 100)
    async with stage.controller().running():
        await stage.calm(120)
        assert await stage.world.store.runs("one", 100) == runs
        assert (await rollout(stage)).state is RolloutState.REVERTED
        assert set((await served(stage)).values()) == {WORKS}
