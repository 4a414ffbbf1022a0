"""Edges of the guard in the loop: what two sites do at once, what fails half-way, what is said twice."""

from dataclasses import replace
from datetime import timedelta

from otto.model.errors import TransientError
from otto.model.history import GrantKind
from otto.model.notice import NoticeKind
from otto.model.observed import Applied
from otto.model.plan import Action, ActionKind, Circumstances, Plan, Step, StepKind
from otto.model.policy import Budget, FleetLimits, FleetPolicy, Policy
from otto.model.status import Phase
from otto.model.verdict import Allowed, NeedsApproval
from otto.reconcile.bookkeeper import Bookkeeper
from otto.reconcile.gatekeeper import Gatekeeper
from otto.reconcile.headcount import Headcount
from otto.reconcile.waves import Waves
from otto.testing import World, site_spec

from .stage import NIGHT, WIDE, Stage, due, held, ids, names, push, rules, told, web


def scale_in(site: str, count: int) -> Plan:
    hosts = tuple(f"{site}-web-{number}" for number in range(2, 2 + count))
    actions = tuple(Action(name, ActionKind.SCALE_IN, host=name, asked=True) for name in hosts)
    there = {f"{site}-web-{number}": "web" for number in range(1, 9)}
    about = Circumstances("lab", there, ("spec",))
    return Plan(site, "wish", (Step(StepKind.PROVISION, hosts, actions),), about)


# Two at once


async def test_two_sites_that_are_judged_at_once_do_not_take_the_same_limit_twice() -> None:
    world = World()
    world.policies.policy = FleetPolicy(limits=FleetLimits(count=3, share=0.0, reason="a test"))
    kit = world.kit()
    gate = Gatekeeper(kit, Bookkeeper(kit), Headcount(kit), Waves(kit, dict))
    first, second = scale_in("one", 2), scale_in("two", 2)
    assert isinstance((await gate.judge(first, site_spec("one"), Applied())).verdict, Allowed)
    verdict = (await gate.judge(second, site_spec("two"), Applied())).verdict
    assert isinstance(verdict, NeedsApproval)
    assert rules(verdict.reasons) == {"guard.fleet.count"}
    await gate.take(first, site_spec("one"))
    figures = (await gate.judge(second, site_spec("two"), Applied())).verdict.reasons[0].figures  # type: ignore[union-attr]
    assert figures["have"] == "4"  # and what is on record by now is not counted once more


async def test_so_many_hosts_change_at_once_and_the_rest_waits_its_turn(stage: Stage) -> None:
    sites = [site_spec(name, web=web(5)) for name in ("one", "two")]
    stage.world.push(*sites)
    async with stage.controller().running():
        await stage.calm(40)
        assert {item.phase for item in await stage.world.store.statuses()} == {Phase.READY}
        gate = stage.world.infrastructure.failures.hold("apply")
        await push(stage, *[replace(item, web=web(5, size="medium")) for item in sites])
        waiting = [name for name in ("one", "two") if await held(stage, name)]
        assert len(waiting) == 1
        assert await held(stage, waiting[0]) == {"guard.fleet.changing"}
        gate.open()
        await stage.calm(60)
        assert {item.phase for item in await stage.world.store.statuses()} == {Phase.READY}
        assert {host.size for host in stage.world.hosts if "web" in host.name} == {"medium"}


# What fails half-way


async def test_a_site_whose_time_is_over_is_not_called_destroyed_before_it_is(stage: Stage) -> None:
    stage.world.push(site_spec("one", policy=Policy(ttl=600.0)))
    async with stage.controller().running():
        await stage.calm(5)
        stage.world.infrastructure.failures.always("destroy", TransientError("the provider is away"))
        await stage.calm(700)
        assert (await stage.status("one")).phase is not Phase.DESTROYED
        assert len(await names(stage)) == 3
        stage.world.infrastructure.failures.stop("destroy")
        await stage.calm(400)
        assert await names(stage) == set()
        assert (await stage.status("one")).phase is Phase.DESTROYED


async def test_what_is_tried_again_and_again_is_not_counted_as_taken_each_time(stage: Stage) -> None:
    stage.world.push(site_spec("one"), site_spec("two"))
    async with stage.controller().running():
        await stage.calm(10)
        stage.world.infrastructure.failures.next("destroy", TransientError("the provider is away"), times=8)
        await stage.world.store.set_intent("one", "destroy", on=True)
        for _ in range(9):
            await due(stage, "one")
        assert await names(stage) == set()
        count = sum(
            item.site == "one"
            for item in await stage.world.ledger.removals(stage.world.clock.now() - timedelta(hours=1))
        )
        assert count > 12  # as the record has it
        await push(stage, site_spec("two", web=web(1)))
        assert await held(stage, "two") == set()


# What is said twice


async def test_the_approval_of_a_destruction_serves_once(stage: Stage) -> None:
    stage.world.push(site_spec("one", policy=Policy(approvers=2)))
    async with stage.controller().running():
        await stage.calm(5)
        await stage.world.store.set_intent("one", "destroy", on=True)
        await due(stage, "one")
        plan = (await stage.status("one")).plan
        await stage.approve("one", plan, "ada")
        await stage.approve("one", plan, "grace")
        await due(stage, "one")
        assert await names(stage) == set()
        assert (await stage.status("one")).phase is Phase.DESTROYED
        await stage.world.store.set_intent("one", "destroyed", on=False)
        await due(stage, "one")
        assert (await stage.status("one")).phase is Phase.READY
        await stage.world.store.set_intent("one", "destroy", on=True)
        await due(stage, "one")
        assert await held(stage) == {"guard.destroy.approvers"}
        assert len(await names(stage)) == 3


async def test_an_approval_serves_once_although_the_run_fails_after_the_apply(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(5)
        await push(stage, site_spec("one", web=web(2, image="nginx")))
        plan = (await stage.status("one")).plan
        stage.world.configuration.failures.next("configure", TransientError("away"), times=99)
        await stage.approve("one", plan)
        await due(stage, "one")
        assert stage.world.hosts["one-web-1"].image == "sha256:nginx-1"
        assert await stage.world.ledger.grants(kind=GrantKind.APPROVE) == ()


async def test_a_repository_that_lost_much_is_told_of_once_however_often_people_push(stage: Stage) -> None:
    stage.world.push(*[site_spec(name) for name in ("one", "two", "three")])
    async with stage.controller().running():
        await stage.calm(10)
        stage.world.withdraw("one", "two", "three")
        await told(stage)
        (freeze,) = await stage.world.ledger.grants(kind=GrantKind.FREEZE)
        stage.world.push(files={"README": "words"})
        await told(stage)
        await push(stage, site_spec("four"))
        assert await stage.world.ledger.grants(kind=GrantKind.FREEZE) == (freeze,)
        notices = [item for item in stage.world.notifier.notices if item.kind is NoticeKind.FREEZE]
        assert len(notices) == 1


# What holds of a wish that waits


async def test_a_newer_policy_holds_for_mending_although_the_rest_of_its_spec_waits(stage: Stage) -> None:
    auto = Policy(approval="auto", limits=WIDE)
    stage.world.push(site_spec("one", policy=auto))
    async with stage.controller().running():
        await stage.calm(5)
        before = await ids(stage)
        await push(stage, site_spec("one", policy=replace(auto, protect=True, windows=NIGHT), web=web(3)))
        assert await held(stage) == {"guard.window.site"}
        # By the older policy, the wrong image of a living host was reason enough to make it anew.
        stage.world.hosts["one-web-1"].image = "another"
        stage.world.hosts.pause("one-web-2")
        await stage.calm(90)
        assert (await ids(stage))["one-web-1"] == before["one-web-1"]


async def test_protection_counts_as_applied_with_the_run_that_mends_something_meanwhile(stage: Stage) -> None:
    auto = Policy(approval="auto", limits=WIDE)
    stage.world.push(site_spec("one", policy=auto))
    async with stage.controller().running():
        await stage.calm(5)
        path = next(iter(stage.world.hosts["one-web-1"].files))
        stage.world.hosts["one-web-1"].files[path] = "edited"
        stage.world.hosts.remove("one-web-2")
        await push(stage, site_spec("one", policy=replace(auto, protect=True)))
        applied = (await stage.world.store.applied("one")).desired
        assert applied is not None
        assert applied.spec.policy.protect


# What it costs


async def test_looking_at_the_clock_asks_the_store_nothing_once_it_knows_when_sites_were_born(
    stage: Stage,
) -> None:
    policy = Policy(ttl=7200.0, budget=Budget(100.0))
    stage.world.push(*[site_spec(name, policy=policy) for name in ("one", "two", "three")])
    controller = stage.controller()
    async with controller.running():
        await stage.calm(10)
        await controller.reconciler.steward.look()
        before = stage.world.store.failures.count("applied")
        await controller.reconciler.steward.look()
        assert stage.world.store.failures.count("applied") == before


async def test_a_steward_that_stumbles_goes_on(stage: Stage) -> None:
    stage.world.push(site_spec("one", policy=Policy(ttl=600.0)))
    async with stage.controller().running():
        await stage.calm(5)
        stage.world.ledger.failures.next("grants", ValueError("what nobody expected"), times=5)
        await stage.world.clock.advance(700)
        await stage.calm(10)
        assert await names(stage) == set()
