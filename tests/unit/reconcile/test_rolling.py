"""How changes reach running servers: step by step, watched, and taken back when they do not hold."""

from dataclasses import replace

from otto.model.errors import TransientError
from otto.model.history import GrantKind
from otto.model.notice import NoticeKind
from otto.model.rollout import RolloutState
from otto.model.run import Outcome
from otto.model.spec import Algorithm, Check
from otto.model.status import ConditionType, Phase, Truth
from otto.model.strategy import Amount, Rollout, Strategy

from .rollouts import BAD, FREE, content, moments, rolling, served
from .stage import Stage, due, ids, names, push, say, told, web


async def test_content_goes_out_server_by_server_out_of_rotation_and_back(started: Stage) -> None:
    await content(started, "<h1>It works still</h1>")
    await started.calm(20)
    steps = [
        (kind, (number,)) for number in "123" for kind in ("set-aside", "deploy", "try", "return", "soak")
    ]
    assert moments(await started.last_run("one")) == steps
    assert set((await served(started)).values()) == {"<h1>It works still</h1>"}
    status = await started.status("one")
    assert status.rollout is not None
    assert status.rollout.state is RolloutState.DONE
    assert status.rollout.done == ("one-web-1", "one-web-2", "one-web-3")


async def test_the_first_bad_server_stops_the_rest_and_goes_back(started: Stage) -> None:
    before = (await started.status("one")).digest
    await content(started, BAD)
    await started.calm(30)
    assert set((await served(started)).values()) == {"<h1>It works</h1>"}
    back, failed = (await started.world.store.runs("one"))[:2]
    assert failed.outcome is Outcome.FAILED
    assert "contains" in failed.message
    assert [number for kind, number in moments(failed) if kind == "deploy"] == [("1",)]
    assert back.outcome is Outcome.SUCCEEDED
    assert back.digest == before
    status = await started.status("one")
    assert status.phase is Phase.READY
    assert status.rollout is not None
    assert status.rollout.state is RolloutState.REVERTED
    assert status.conditions[ConditionType.IN_SYNC.value].reason == "Quarantined"
    (found,) = status.rollout.quarantined.values()
    assert found.failures[0].expected.startswith("a body that contains")
    assert found.failures[0].received == repr(BAD)
    assert found.failures[0].host == "one-web-1"
    kinds = [notice.kind for notice in started.world.notifier.notices]
    assert kinds == [NoticeKind.ROLLOUT]


async def test_what_failed_is_not_tried_again_until_its_inputs_change(started: Stage) -> None:
    await content(started, BAD)
    await started.calm(30)
    runs = len(await started.world.store.runs("one", 100))
    await started.calm(600)
    assert len(await started.world.store.runs("one", 100)) == runs
    await content(started, "<h1>It works again</h1>")
    await started.calm(30)
    assert set((await served(started)).values()) == {"<h1>It works again</h1>"}
    status = await started.status("one")
    assert status.rollout is not None
    assert status.rollout.state is RolloutState.DONE
    assert status.conditions[ConditionType.IN_SYNC.value].reason == "NoDifference"


async def test_healing_goes_on_towards_what_held(started: Stage) -> None:
    await content(started, BAD)
    await started.calm(30)
    started.world.hosts.remove("one-web-2")
    await started.calm(60)
    assert await names(started) == {"one-balancer-1", "one-web-1", "one-web-2", "one-web-3"}
    assert set((await served(started)).values()) == {"<h1>It works</h1>"}


async def test_a_person_has_it_tried_again(started: Stage) -> None:
    await content(started, BAD)
    await started.calm(30)
    (grant,) = await started.world.ledger.grants(site="one", kind=GrantKind.QUARANTINE)
    started.world.push(rolling(checks=(Check("/", contains="It fails"),)))
    await started.world.ledger.revoke(grant)
    await told(started)
    await started.calm(60)
    assert set((await served(started)).values()) == {BAD}


async def test_a_refused_configuration_goes_back(started: Stage) -> None:
    play = started.world.configuration.failures
    play.next("configure:one-web-1", TransientError("nginx: [emerg] unknown directive"))
    await push(started, rolling(domains=("www.one.example", "more.one.example")))
    await started.calm(60)
    status = await started.status("one")
    assert status.rollout is not None
    assert status.rollout.state is RolloutState.REVERTED
    assert "unknown directive" in status.rollout.reason
    assert {host.domains for host in started.world.hosts if host.role.value == "web"} == {
        ("www.one.example",)
    }


async def test_a_canary_goes_first_alone(stage: Stage) -> None:
    stage.world.push(rolling(4, rollout=Rollout(Strategy.CANARY, Amount(2), Amount(2), soak=1.0)))
    async with stage.controller().running():
        await stage.calm(5)
        await content(stage, "<h1>It works still</h1>")
        await stage.calm(30)
        batches = [hosts for kind, hosts in moments(await stage.last_run("one")) if kind == "try"]
        assert batches == [("1",), ("2", "3"), ("4",)]


async def test_images_are_replaced_server_by_server_after_one_approval(started: Stage) -> None:
    before = await ids(started)
    started.world.images.ids["newer"] = "img-newer"
    newer = web(3, image="newer")
    await push(started, replace(rolling(), web=newer))
    waiting = await started.status("one")
    assert waiting.phase is Phase.AWAITING_APPROVAL
    await started.approve("one", waiting.plan)
    await started.calm(90)
    after = await ids(started)
    assert {name for name in after if after[name] != before[name]} == {"one-web-1", "one-web-2", "one-web-3"}
    assert {host.image for host in started.world.hosts if host.role.value == "web"} == {"img-newer"}
    applied = [
        sorted(c.host for c in plan.changes if c.host) for plan in started.world.infrastructure.applied
    ]
    assert applied[1:] == [["one-web-1"], ["one-web-2"], ["one-web-3"]]
    assert (await started.status("one")).phase is Phase.READY


async def test_a_bad_image_is_taken_back_from_the_one_server_that_got_it(started: Stage) -> None:
    before = await ids(started)
    started.world.images.ids["bad"] = "img-bad"
    checks = (Check("/", contains="No"),)
    await push(started, replace(rolling(policy=FREE), web=web(3, image="bad"), checks=checks))
    await started.calm(120)
    after = await ids(started)
    assert {name for name in after if after[name] != before[name]} == {"one-web-1"}
    images = {host.image for host in started.world.hosts if host.role.value == "web"}
    assert images == {started.world.images.ids["base"]}
    status = await started.status("one")
    assert status.phase is Phase.READY
    assert status.rollout is not None
    assert status.rollout.state is RolloutState.REVERTED


async def test_a_pause_stops_between_two_batches_and_ends_by_a_word(started: Stage) -> None:
    pause = await say(started, GrantKind.PAUSE, reason="lunch")
    await content(started, "<h1>It works still</h1>")
    await started.calm(60)
    assert set((await served(started)).values()) == {"<h1>It works</h1>"}
    status = await started.status("one")
    newest = started.world.source.head
    assert newest is not None
    waits = f"commit {newest[:12]} waits: the rollout is paused by ada: lunch"
    assert status.message == f"{waits} (to go on: otto rollout resume one)"
    condition = status.conditions[ConditionType.IN_SYNC.value]
    assert (condition.status, condition.reason, condition.message) == (Truth.FALSE, "Paused", waits)
    assert status.ready
    await started.world.ledger.revoke(pause)
    await told(started)
    await started.calm(60)
    assert set((await served(started)).values()) == {"<h1>It works still</h1>"}
    assert (await started.status("one")).conditions[ConditionType.IN_SYNC.value].reason == "NoDifference"


async def test_undone_a_site_goes_back_to_what_held_before(started: Stage) -> None:
    await content(started, "<h1>It works still</h1>")
    await started.calm(30)
    now = await started.status("one")
    await say(started, GrantKind.QUARANTINE, plan=now.digest, reason="too ugly")
    await told(started)
    await started.calm(60)
    assert set((await served(started)).values()) == {"<h1>It works</h1>"}
    status = await started.status("one")
    assert status.phase is Phase.READY
    assert status.message == "the newest commit was taken back: too ugly"


async def test_a_lost_server_is_no_fault_of_the_wish(started: Stage) -> None:
    started.world.hosts.cut("one-web-1")
    await content(started, "<h1>It works still</h1>")
    await started.calm(5)
    started.world.hosts.join("one-web-1")
    await started.calm(120)
    assert not await started.world.ledger.grants(kind=GrantKind.QUARANTINE)
    assert set((await served(started)).values()) == {"<h1>It works still</h1>"}


async def test_one_server_alone_is_changed_in_place_and_goes_back_too(stage: Stage) -> None:
    stage.world.push(rolling(1))
    async with stage.controller().running():
        await stage.calm(5)
        await content(stage, BAD)
        await stage.calm(30)
        assert set((await served(stage)).values()) == {"<h1>It works</h1>"}
        kinds = {kind for kind, _ in moments((await stage.world.store.runs("one"))[1])}
        assert "set-aside" not in kinds


async def test_without_steps_a_change_that_does_not_hold_goes_back_as_well(stage: Stage) -> None:
    stage.world.push(rolling(2, rollout=Rollout(Strategy.ALL)))
    async with stage.controller().running():
        await stage.calm(5)
        await content(stage, BAD)
        await stage.calm(30)
        assert set((await served(stage)).values()) == {"<h1>It works</h1>"}


async def test_what_leaves_by_a_lower_count_is_out_of_rotation_first(started: Stage) -> None:
    await push(started, rolling(2))
    await started.calm(30)
    run = await started.last_run("one")
    assert moments(run)[0] == ("set-aside", ("3",))
    assert (await started.status("one")).phase is Phase.READY


async def test_balancers_change_after_the_servers(stage: Stage) -> None:
    two = replace(rolling(2), balancer=web(2))
    stage.world.push(two)
    async with stage.controller().running():
        await stage.calm(5)
        await push(stage, replace(two, algorithm=Algorithm.LEASTCONN))
        await stage.calm(30)
        steps = [(kind, hosts) for kind, hosts in moments(await stage.last_run("one")) if kind == "configure"]
        assert [hosts for _, hosts in steps] == [("1",), ("2",)]


async def test_sizes_change_in_place_server_by_server(started: Stage) -> None:
    before = await ids(started)
    await push(started, replace(rolling(), web=web(3, size="medium")))
    await started.calm(60)
    assert await ids(started) == before
    assert {host.size for host in started.world.hosts if host.role.value == "web"} == {"medium"}
    applied = started.world.infrastructure.applied[1:]
    assert [[c.host for c in plan.changes] for plan in applied] == [
        ["one-web-1"], ["one-web-2"], ["one-web-3"],
    ]  # fmt: skip
    run = await started.last_run("one")
    assert [step for step in moments(run) if step[0] != "provision"] == [
        (kind, (number,)) for number in "123" for kind in ("set-aside", "try", "return", "soak")
    ]
    status = await started.status("one")
    assert status.phase is Phase.READY
    assert {host.size for host in status.hosts if host.role.value == "web"} == {"medium"}


async def test_another_size_of_an_image_that_fails_goes_back_from_the_one_server_that_got_it(
    started: Stage,
) -> None:
    checks = (Check("/", contains="nowhere to be found"),)
    await push(started, replace(rolling(), web=web(3, size="medium"), checks=checks))
    await started.calm(60)
    assert {host.size for host in started.world.hosts} == {"small"}
    applied = started.world.infrastructure.applied[1:]
    assert [[c.host for c in plan.changes] for plan in applied] == [["one-web-1"], ["one-web-1"]]
    assert (await started.status("one")).phase is Phase.READY


async def test_balancers_are_made_anew_in_turn_and_the_other_one_serves(stage: Stage) -> None:
    two = replace(rolling(2, policy=FREE), balancer=web(2))
    stage.world.push(two)
    async with stage.controller().running():
        await stage.calm(5)
        before = await ids(stage)
        stage.world.images.ids["newer"] = "img-newer"
        await push(stage, replace(two, balancer=web(2, image="newer")))
        await stage.calm(60)
        after = await ids(stage)
        assert {name for name in after if after[name] != before[name]} == {"one-balancer-1", "one-balancer-2"}
        applied = stage.world.infrastructure.applied[1:]
        made = [sorted(c.host for c in plan.changes if "delete" in c.verbs) for plan in applied]
        assert made == [["one-balancer-1"], ["one-balancer-2"]]
        assert stage.world.configuration.drained == ["one-balancer-1", "one-balancer-2"]
        run = await stage.last_run("one")
        assert [hosts for kind, hosts in moments(run) if kind in ("try", "soak")] == [
            ("1",), ("1",), ("2",), ("2",),
        ]  # fmt: skip
        assert (await stage.status("one")).phase is Phase.READY


async def test_a_balancer_that_refuses_what_it_gets_keeps_the_other_one_as_it_was(stage: Stage) -> None:
    two = replace(rolling(2), balancer=web(2))
    stage.world.push(two)
    async with stage.controller().running():
        await stage.calm(5)
        play = stage.world.configuration.failures
        play.next("configure:one-balancer-1", TransientError("haproxy: [ALERT] unknown keyword"))
        await push(stage, replace(two, algorithm=Algorithm.LEASTCONN))
        await stage.calm(60)
        (failed,) = [run for run in await stage.world.store.runs("one") if run.outcome is Outcome.FAILED]
        assert [hosts for kind, hosts in moments(failed) if kind == "configure"] == [("1",)]
        status = await stage.status("one")
        assert status.rollout is not None
        assert status.rollout.state is RolloutState.REVERTED
        assert "unknown keyword" in status.rollout.reason
        balancers = [host for host in stage.world.hosts if host.role.value == "balancer"]
        assert {host.algorithm for host in balancers} == {Algorithm.ROUNDROBIN}


async def test_given_up_a_rollout_goes_back_at_once_even_while_it_is_watched(stage: Stage) -> None:
    stage.world.push(rolling(3, rollout=Rollout(soak=60.0)))
    async with stage.controller().running():
        await stage.calm(5)
        stage.world.push(files={"sites/one/index.html": "<h1>It works still</h1>"})
        await told(stage)
        await stage.calm(5)
        rollout = await stage.world.store.rollout("one")
        assert rollout.moment == "soak"
        await say(stage, GrantKind.QUARANTINE, plan=rollout.digest, reason="no")
        await stage.calm(1)
        await stage.calm(130)
        assert set((await served(stage)).values()) == {"<h1>It works</h1>"}


async def test_an_approved_image_that_is_given_up_goes_back_unasked(stage: Stage) -> None:
    stage.world.push(rolling(3, rollout=Rollout(soak=60.0)))
    async with stage.controller().running():
        await stage.calm(5)
        stage.world.images.ids["newer"] = "img-newer"
        await push(stage, replace(rolling(3, rollout=Rollout(soak=60.0)), web=web(3, image="newer")))
        await stage.approve("one", (await stage.status("one")).plan)
        await due(stage, "one")
        await stage.calm(5)
        rollout = await stage.world.store.rollout("one")
        assert rollout.moment == "soak"
        await say(stage, GrantKind.QUARANTINE, plan=rollout.digest, reason="no")
        await stage.calm(130)
        images = {host.image for host in stage.world.hosts if host.role.value == "web"}
        assert images == {stage.world.images.ids["base"]}
        assert (await stage.status("one")).phase is Phase.READY


async def test_a_new_server_is_in_rotation_before_the_others_are_replaced(stage: Stage) -> None:
    stage.world.push(rolling(1, policy=FREE))
    async with stage.controller().running():
        await stage.calm(5)
        stage.world.images.ids["newer"] = "img-newer"
        await push(stage, replace(rolling(2, policy=FREE), web=web(2, image="newer")))
        await stage.calm(60)
        assert (await stage.status("one")).phase is Phase.READY
        steps = moments(await stage.last_run("one"))
        assert ("set-aside", ("1",)) in steps
        assert {host.image for host in stage.world.hosts if host.role.value == "web"} == {"img-newer"}
