"""What a push makes of a zone is kept as a pipeline, as it is of a site."""

from dataclasses import replace

import pytest

from otto.model.domain import DomainPolicy, DomainSpec, Record, RecordType
from otto.model.errors import TransientError, UsageError
from otto.model.pipeline import Pipeline, Trigger
from otto.model.run import Outcome
from otto.model.zone import RecordSet
from otto.testing import SimZone, site_spec

from .stage import Stage, told

ZONE = "one.example"
A = RecordType.A
SPEC = DomainSpec(ZONE, records=(Record("a", A, ("192.0.2.1",)),))
OTHER = replace(SPEC, records=(Record("a", A, ("192.0.2.2",)),))


async def pipelines(stage: Stage) -> tuple[Pipeline, ...]:
    return await stage.world.store.pipelines.pipelines(ZONE)


async def newest(stage: Stage) -> Pipeline:
    return (await pipelines(stage))[0]


async def push(stage: Stage, spec: DomainSpec) -> str:
    commit = stage.world.declare(spec)
    await told(stage)
    return commit


async def test_a_push_of_a_zone_goes_through_its_stages(stage: Stage) -> None:
    stage.world.declare(SPEC)
    async with stage.controller().running():
        await stage.calm(5)
        first = await newest(stage)
        await push(stage, OTHER)
        found = await newest(stage)
        run = await stage.last_run(ZONE)
    assert (first.outcome, first.event.trigger) == (Outcome.SUCCEEDED, Trigger.PUSH)
    assert (found.outcome, found.run, found.digest) == (Outcome.SUCCEEDED, run.id, run.digest)
    assert [item.kind.value for item in found.stages] == ["fetch", "validate", "deploy", "verify", "report"]
    assert found.message == "1 record set, 0 wrong answers"
    assert found.ended_at is not None
    assert any(line.startswith("dns: 1 update") for line in found.stages[2].log)


async def test_drift_and_a_restart_and_a_site_that_moves_are_none(stage: Stage) -> None:
    stage.world.push(site_spec("one", domains=("one.example",)))
    stage.world.declare(replace(SPEC, records=(*SPEC.records, Record("", A, site="one"))))
    async with stage.controller().running():
        await stage.calm(20)
        stage.world.zones.zones[ZONE].touch(RecordSet("a", "A", 300, ("192.0.2.66",)))
        await stage.calm(60)
        stage.world.hosts.remove("one-balancer-1")
        await stage.calm(60)
    stage.world.restart()
    async with stage.controller().running():
        await stage.calm(60)
        assert (await stage.status(ZONE)).ready
    assert [item.outcome for item in await pipelines(stage)] == [Outcome.SUCCEEDED]


async def test_a_plan_that_waits_keeps_it_open_until_a_newer_push(stage: Stage) -> None:
    stage.world.declare(replace(SPEC, policy=DomainPolicy(approval="always")))
    async with stage.controller().running():
        await stage.calm(5)
        held = await newest(stage)
        assert held.outcome is Outcome.WAITING
        assert "approval" in held.message
        await push(stage, replace(OTHER, policy=DomainPolicy(approval="auto")))
        last, before = (await pipelines(stage))[:2]
    assert (before.id, before.outcome) == (held.id, Outcome.SUPERSEDED)
    assert last.outcome is Outcome.SUCCEEDED


async def test_what_stands_in_the_way_is_waited_for_whether_or_not_something_was_done(stage: Stage) -> None:
    stage.world.zones.zones[ZONE] = SimZone({("a", "A"): RecordSet("a", "A", 300, ("192.0.2.77",))})
    stage.world.declare(replace(SPEC, records=(*SPEC.records, Record("b", A, ("192.0.2.1",)))))
    async with stage.controller().running():
        await stage.calm(60)
        held = await newest(stage)
        assert held.outcome is Outcome.WAITING
        assert "which is not OttO's" in held.message
        await push(stage, replace(SPEC, records=(Record("b", A, ("192.0.2.1",)),)))
        assert (await newest(stage)).outcome is Outcome.SUCCEEDED


async def test_a_bad_spec_fails_it_with_its_problem(stage: Stage) -> None:
    stage.world.declare(SPEC)
    async with stage.controller().running():
        await stage.calm(5)
        await push(stage, replace(SPEC, records=(Record("a", A, site="nobody"),)))
        found = await newest(stage)
    assert found.outcome is Outcome.FAILED
    assert 'there is no site "nobody" to follow' in found.message


async def test_a_server_that_is_away_fails_it_and_it_succeeds_when_that_is_back(stage: Stage) -> None:
    stage.world.declare(SPEC)
    async with stage.controller().running():
        await stage.calm(5)
        stage.world.zones.failures.next("apply", TransientError("no answer"))
        await push(stage, OTHER)
        await stage.calm(300)
        found = await newest(stage)
    assert len(await pipelines(stage)) == 2
    assert found.outcome is Outcome.SUCCEEDED


async def test_a_zone_that_vanishes_from_the_repository_is_told_what_becomes_of_its_records(
    stage: Stage,
) -> None:
    stage.world.declare(SPEC)
    async with stage.controller().running():
        await stage.calm(5)
        stage.world.withdraw(ZONE)
        await told(stage)
        found = await newest(stage)
        assert stage.world.zones.records(ZONE)
    assert found.outcome is Outcome.SUCCEEDED
    assert found.message == (
        "no spec wants this zone any more; its records stay until: otto destroy one.example"
    )


async def test_a_push_that_nobody_heard_of_is_told_at_the_start(stage: Stage) -> None:
    stage.world.declare(SPEC)
    async with stage.controller().running():
        await stage.calm(5)
    stage.world.restart()
    stage.world.declare(OTHER)
    async with stage.controller().running():
        await stage.calm(60)
    last, first = await pipelines(stage)
    assert (first.outcome, last.outcome) == (Outcome.SUCCEEDED, Outcome.SUCCEEDED)
    assert last.event.trigger is Trigger.PUSH


async def test_a_person_has_a_zone_looked_at_now(stage: Stage) -> None:
    stage.world.declare(SPEC)
    controller = stage.controller()
    async with controller.running():
        await stage.calm(5)
        asked = await controller.triggers.asked(ZONE, "ada")
        await stage.calm(5)
        found = await newest(stage)
        with pytest.raises(UsageError, match=r"there is no site"):
            await controller.triggers.asked("two.example", "ada")
    assert (found.id, found.outcome, found.event.by) == (asked.id, Outcome.SUCCEEDED, "ada")
    assert found.message == "1 record set, 0 wrong answers"
