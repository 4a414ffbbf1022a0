"""What is left alone costs no looks, and what is told of no longer holds is taken back."""

import dataclasses
from datetime import timedelta

from structlog.testing import capture_logs

from otto.model.errors import TransientError
from otto.model.history import Removal
from otto.model.plan import Action, ActionKind, Circumstances, Plan, Step, StepKind
from otto.model.policy import Budget, DriftPolicy, Ignored, Policy
from otto.reconcile.controller import Controller
from otto.reconcile.headcount import Headcount
from otto.reconcile.inspect import Inspector
from otto.reconcile.observation.census import CensusTaker
from otto.testing import World, site_spec

from .stage import Stage, push, told


async def test_ignored_drift_makes_the_site_due_no_more_often(stage: Stage) -> None:
    rule = Ignored("hosts/one-web-1/files/*", "a trial", stage.world.clock.now() + timedelta(days=1))
    stage.world.push(site_spec("one", policy=Policy(drift=DriftPolicy(ignore=(rule,)))))
    controller = stage.controller()
    async with controller.running():
        await stage.calm(5)
        host = stage.world.hosts["one-web-1"]
        host.files[next(iter(host.files))] = "edited"
        await _wait(stage, 120)
        seen = _signs(controller)
        assert seen > 0  # it was news once
        await _wait(stage, 600)
        assert _signs(controller) == seen


async def _wait(stage: Stage, seconds: int) -> None:
    for _ in range(seconds // 10):
        await stage.calm(10)


def _signs(controller: Controller) -> float:
    """How many signs were found so far."""
    families = controller.kit.metrics.registry.collect()
    return sum(
        sample.value for family in families for sample in family.samples if sample.name == "otto_signs_total"
    )


async def test_a_budget_taken_out_of_a_spec_is_shown_no_longer(stage: Stage) -> None:
    stage.world.push(site_spec("one", policy=Policy(budget=Budget(100.0))))
    controller = stage.controller()

    def used() -> float | None:
        name = "otto_site_budget_used_ratio"
        return controller.kit.metrics.registry.get_sample_value(name, {"site": "one"})

    async with controller.running():
        await _wait(stage, 120)
        assert used() is not None
        await push(stage, site_spec("one"))
        await _wait(stage, 120)
        assert used() is None


async def test_the_plan_of_a_site_that_is_kept_in_a_freeze_can_be_seen(stage: Stage) -> None:
    names = ("one", "two", "three", "four", "five")
    stage.world.push(*(site_spec(name) for name in names))
    async with stage.controller().running():
        await stage.calm(5)
        stage.world.withdraw(*names)
        await told(stage)
        inspector = Inspector(stage.world.kit())
        await inspector.load()
        assert (await inspector.plan("one")).differences == ()


async def test_the_first_list_may_fail_before_there_is_anything_to_list() -> None:
    world = World()
    taker = CensusTaker(world.kit())
    world.infrastructure.failures.next("inventory", TransientError("nobody is there"), times=3)
    with capture_logs() as logs:
        for _ in range(4):
            await taker.take()
        world.infrastructure.failures.next("inventory", TransientError("nobody is there"))
        await taker.take()
    assert [item["log_level"] for item in logs] == ["info", "warning", "warning"]


def _plan(site: str, kind: ActionKind) -> Plan:
    step = Step(StepKind.PROVISION, ("web",), (Action("web", kind, host="web"),))
    return Plan(site, "wish", (step,), Circumstances("lab", {"web": "web"}))


async def test_a_site_that_makes_hosts_leaves_what_others_only_tried_as_it_was() -> None:
    world = World()
    counter = Headcount(world.kit())
    tried = Removal("one", "web", ActionKind.REPLACE, world.clock.now())
    plan = _plan("one", ActionKind.REPLACE)
    counter.take(plan, (tried,))
    counter.take(plan, (dataclasses.replace(tried, at=tried.at + timedelta(minutes=1)),))
    other = _plan("two", ActionKind.CREATE)
    assert not counter.counts(tried, other)
    counter.take(other, ())
    assert not counter.counts(tried, other)
    await world.clock.advance(timedelta(days=32).total_seconds())
    counter.take(other, ())
    assert counter.counts(tried, other)
