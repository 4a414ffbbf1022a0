"""What an event makes of a site is kept as a pipeline, stage by stage."""

from dataclasses import replace

import pytest

from otto.model.delivery import Delivery, DeliveryKind, Sender
from otto.model.errors import TransientError, UsageError
from otto.model.image import ImageName
from otto.model.inspection import Validation
from otto.model.pipeline import Pipeline, StageKind, Trigger
from otto.model.run import Outcome
from otto.model.spec import Content
from otto.model.status import Phase
from otto.reconcile.control import ask
from otto.reconcile.controller import Controller
from otto.testing import site_spec

from .stage import Stage, told, web

GIT = "https://git.example/web/one.git"
ADDRESS = "git.example/web/one"
FROM_GIT = Content("", GIT, "main")


async def pipelines(stage: Stage, site: str | None = "one") -> tuple[Pipeline, ...]:
    return await stage.world.store.pipelines.pipelines(site)


async def newest(stage: Stage, site: str = "one") -> Pipeline:
    return (await pipelines(stage, site))[0]


def kinds(pipeline: Pipeline) -> list[str]:
    return [stage.kind.value for stage in pipeline.stages]


def page(stage: Stage, text: str) -> None:
    stage.world.source.remotes[GIT, "main"] = {"index.html": f"<h1>It works</h1>{text}".encode()}


async def delivered(stage: Stage, controller: Controller, *, ref: str = "main", commit: str = "") -> None:
    delivery = Delivery(Sender.GITHUB, DeliveryKind.PUSH, (ADDRESS,), ref, commit, "ada")
    assert controller.intake.take(delivery)


async def test_a_push_is_fetched_validated_deployed_and_verified(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(5)
        commit = stage.world.push(files={"sites/one/index.html": "<h1>It works</h1> again"})
        stage.world.source.authors[commit] = "ada"
        await told(stage)
        found = await newest(stage)
        run = await stage.last_run("one")
    assert (found.outcome, found.event.trigger, found.event.by) == (Outcome.SUCCEEDED, Trigger.PUSH, "ada")
    assert found.event.commit == commit
    assert found.ended_at is not None
    assert (found.run, found.digest) == (run.id, run.digest)
    assert kinds(found) == ["fetch", "validate", "deploy", "verify", "report"]
    assert all(item.ended_at and item.outcome is Outcome.SUCCEEDED for item in found.stages)
    assert any(line.startswith("plan: ") for line in found.stages[1].log)


async def test_the_first_look_at_a_site_is_a_pipeline_too_and_a_restart_over_a_clean_fleet_is_none(
    stage: Stage,
) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(5)
    assert [item.outcome for item in await pipelines(stage)] == [Outcome.SUCCEEDED]
    stage.world.restart()
    async with stage.controller().running():
        await stage.calm(60)
    assert len(await pipelines(stage)) == 1


async def test_healing_is_no_pipeline(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(5)
        stage.world.hosts.kill("one-web-1")
        await stage.calm(120)
        assert len(await stage.world.store.runs("one")) > 1
    assert len(await pipelines(stage)) == 1


async def test_a_push_that_changes_nothing_for_a_site_ends_at_once(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(5)
        stage.world.push(site_spec("one", labels={"team": "web"}))
        await told(stage)
        found = await newest(stage)
    assert (found.outcome, found.run) == (Outcome.SUCCEEDED, "")
    assert "nothing to do" in found.message


async def test_a_bad_spec_fails_its_pipeline_at_validation(stage: Stage) -> None:
    stage.world.push(site_spec("one"), site_spec("two"))
    async with stage.controller().running():
        await stage.calm(5)
        stage.world.push(files={"specs/one.yaml": '[{"name": "one"}]'})
        await told(stage)
        found = await newest(stage)
        other = await pipelines(stage, "two")
    assert found.outcome is Outcome.FAILED
    assert [(item.kind, item.outcome) for item in found.stages] == [
        (StageKind.FETCH, Outcome.SUCCEEDED),
        (StageKind.VALIDATE, Outcome.FAILED),
        (StageKind.REPORT, Outcome.SUCCEEDED),
    ]
    assert "specs/one.yaml" in found.message
    assert len(other) == 1


async def test_content_that_may_not_be_served_fails_at_validation(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(5)
        stage.world.push(files={"sites/one/index.html": None})
        await told(stage)
        found = await newest(stage)
    assert found.outcome is Outcome.FAILED
    assert found.furthest is not None
    assert found.furthest.kind is StageKind.VALIDATE
    assert "there is no folder" in found.message


async def test_what_is_wrong_with_content_that_is_deployed_is_in_the_log_with_its_place(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(5)
        broken = "<!doctype html><title>t</title>\n<h1>It works</h1>\n<a href=gone>x</a>"
        stage.world.push(files={"sites/one/index.html": broken})
        await told(stage)
        found = await newest(stage)
    assert found.outcome is Outcome.SUCCEEDED
    said = found.stages[1].log
    assert any(line.startswith("error: sites/one/index.html:3: ") for line in said)
    assert "content: 1 files, 1 of them read: 1 errors, 0 warnings; it is deployed all the same" in said


async def test_a_look_through_content_holds_no_deployment_up_and_is_told_in_a_record_that_ended(
    stage: Stage,
) -> None:
    stage.world.push(site_spec("one"))
    gate = stage.world.source.failures.hold("inspect")
    async with stage.controller().running():
        await stage.calm(5)
        before = await newest(stage)
        assert (before.outcome, before.ended_at is not None) == (Outcome.SUCCEEDED, True)
        gate.open()
        await stage.calm(5)
        found = await newest(stage)
    assert not any(line.startswith("content: ") for line in before.stages[1].log)
    assert any(line.startswith("content: ") for line in found.stages[1].log)
    assert (found.id, found.ended_at) == (before.id, before.ended_at)


async def test_content_that_cannot_be_looked_through_is_said_to_be_so(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    stage.world.source.failures.always("inspect", TransientError("the disk is full"))
    async with stage.controller().running():
        await stage.calm(5)
        found = await newest(stage)
    assert found.outcome is Outcome.SUCCEEDED
    assert "content: it could not be looked through: the disk is full" in found.stages[1].log


async def test_content_that_nobody_wants_to_know_of_is_not_looked_through(stage: Stage) -> None:
    spec = site_spec("one", content=replace(site_spec("one").content, validate=Validation.IGNORE))
    stage.world.push(spec)
    stage.world.source.failures.always("inspect", TransientError("looked"))
    async with stage.controller().running():
        await stage.calm(5)
        found = await newest(stage)
    assert found.outcome is Outcome.SUCCEEDED
    assert not any("looked" in line for line in found.stages[1].log)


async def test_a_failed_deployment_fails_and_succeeds_when_it_is_tried_again(stage: Stage) -> None:
    stage.world.infrastructure.failures.next("apply", TransientError("the disk is full"), times=1)
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm()
        failed = await newest(stage)
        await stage.calm(30)
        found = await newest(stage)
    assert failed.outcome is Outcome.FAILED
    assert "the disk is full" in failed.message
    assert failed.id == found.id
    assert found.outcome is Outcome.SUCCEEDED
    assert found.run != failed.run


async def test_a_plan_that_waits_for_a_person_keeps_its_pipeline_open(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(5)
        policy = replace(site_spec("one").policy, approval="always")
        stage.world.push(
            site_spec("one", policy=policy), files={"sites/one/index.html": "<h1>It works</h1> new"}
        )
        await told(stage)
        waiting = await newest(stage)
        await stage.approve("one", (await stage.status("one")).plan)
        await stage.calm(60)
        found = await newest(stage)
    assert waiting.outcome is Outcome.WAITING
    assert waiting.ended_at is None
    assert "approv" in waiting.message
    assert found.id == waiting.id
    assert found.outcome is Outcome.SUCCEEDED


async def test_a_newer_push_supersedes_an_unfinished_pipeline(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(5)
        gate = stage.world.configuration.failures.hold("deploy")
        older = stage.world.push(files={"sites/one/index.html": "<h1>It works</h1> 1"})
        await ask(stage.home / "control.sock", {"op": "push", "refs": []})
        await stage.calm()
        commit = stage.world.push(files={"sites/one/index.html": "<h1>It works</h1> 2"})
        await ask(stage.home / "control.sock", {"op": "push", "refs": []})
        await stage.calm()
        gate.open()
        await stage.calm(10)
        found = {item.event.commit: item for item in await pipelines(stage)}
    last, before = found[commit], found[older]
    assert (before.outcome, last.outcome) == (Outcome.SUPERSEDED, Outcome.SUCCEEDED)
    assert last.id in before.message
    assert last.run


async def test_a_killed_controllers_pipeline_is_taken_up_again_when_it_is_still_wanted(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    gate = stage.world.infrastructure.failures.hold("apply")
    async with stage.controller().running():
        await stage.calm()
        open_before = await newest(stage)
    stage.world.restart()
    gate.open()
    controller = stage.controller()
    await controller.pipelines.recover()
    interrupted = await newest(stage)
    async with stage.controller().running():
        await stage.calm(10)
        await stage.calm(30)
        found = await newest(stage)
    assert open_before.ended_at is None
    assert interrupted.outcome is Outcome.INTERRUPTED
    assert found.id == open_before.id
    assert found.outcome is Outcome.SUCCEEDED
    assert any("taken up again" in line for item in found.stages for line in item.log)


async def test_a_release_that_is_quarantined_has_failed_and_stays_so(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(5)
        stage.world.push(files={"sites/one/index.html": "<h1>Nothing works</h1>"})
        await told(stage)
        await stage.calm(60)
        failed = await newest(stage)
        await ask(stage.home / "control.sock", {"op": "pipeline", "site": "one", "by": "ada"})
        await stage.calm(5)
        await stage.calm(30)
        again = await newest(stage)
    assert failed.outcome is Outcome.FAILED
    assert failed.run
    assert again.event.trigger is Trigger.API
    assert again.outcome is Outcome.FAILED
    assert "quarantined" in again.message


async def test_a_push_while_no_controller_ran_is_found_at_the_start(stage: Stage) -> None:
    stage.world.push(site_spec("one"), site_spec("two"))
    async with stage.controller().running():
        await stage.calm(5)
    stage.world.restart()
    commit = stage.world.push(files={"sites/one/index.html": "<h1>It works</h1> 1"})
    async with stage.controller().running():
        await stage.calm(10)
        found = await newest(stage)
    assert found.event.commit == commit
    assert found.outcome is Outcome.SUCCEEDED
    assert found.run
    assert len(await pipelines(stage, "two")) == 1


async def test_content_elsewhere_that_moved_is_deployed_to_those_who_use_it(stage: Stage) -> None:
    page(stage, "1")
    stage.world.push(site_spec("one", content=FROM_GIT), site_spec("two"))
    async with stage.controller().running() as controller:
        await stage.calm(5)
        page(stage, "2")
        await delivered(stage, controller, commit="c" * 40)
        await stage.calm(2)
        await stage.calm(5)
        found = await newest(stage)
    assert found.event.trigger is Trigger.CONTENT
    assert (found.event.repository, found.event.ref) == (GIT, "main")
    assert found.outcome is Outcome.SUCCEEDED
    assert found.run
    assert len(await pipelines(stage, "two")) == 1


async def test_content_elsewhere_is_found_by_polling_as_well(stage: Stage) -> None:
    page(stage, "1")
    stage.world.push(site_spec("one", content=FROM_GIT))
    async with stage.controller().running():
        await stage.calm(5)
        page(stage, "2")
        await stage.calm(60)
        last, first = await pipelines(stage)
    assert (first.event.trigger, last.event.trigger) == (Trigger.PUSH, Trigger.CONTENT)
    assert last.outcome is Outcome.SUCCEEDED
    assert last.run


async def test_content_that_cannot_be_reached_holds_its_pipeline_at_the_fetch_and_the_site_says_so(
    stage: Stage,
) -> None:
    page(stage, "1")
    stage.world.push(site_spec("one", content=FROM_GIT))
    async with stage.controller().running() as controller:
        await stage.calm(5)
        page(stage, "2")
        stage.world.source.away[GIT] = f"{GIT} cannot be reached: timed out"
        await delivered(stage, controller, commit="c" * 40)
        await stage.calm(5)
        held, status = await newest(stage), await stage.status("one")
        stage.world.source.away.clear()
        await stage.calm(700)
        found, after = await newest(stage), await stage.status("one")
    assert (held.event.trigger, held.outcome, held.ended_at) == (Trigger.CONTENT, Outcome.WAITING, None)
    assert (kinds(held), held.message) == (["fetch"], f"{GIT} cannot be reached: timed out")
    assert (status.ready, status.phase) == (True, Phase.READY)
    assert status.message == f"serves the content that was fetched last: {GIT} cannot be reached: timed out"
    assert (found.id, found.outcome) == (held.id, Outcome.SUCCEEDED)
    assert "deploy" in kinds(found)
    assert after.message == ""


async def test_many_deliveries_make_one_fetch_one_run_and_one_pipeline(stage: Stage) -> None:
    page(stage, "1")
    stage.world.push(site_spec("one", content=FROM_GIT))
    async with stage.controller().running() as controller:
        await stage.calm(5)
        runs = len(await stage.world.store.runs("one"))
        stage.world.source.fetched.clear()
        page(stage, "2")
        for _ in range(1000):
            await delivered(stage, controller)
        await stage.calm(2)
        await stage.calm(2)
        last, _ = await pipelines(stage)
        assert stage.world.source.fetched == [(GIT, "main")]
        assert len(await stage.world.store.runs("one")) == runs + 1
    assert last.event.deliveries == 1000


async def test_a_delivery_about_another_branch_starts_nothing(stage: Stage) -> None:
    page(stage, "1")
    stage.world.push(site_spec("one", content=FROM_GIT))
    async with stage.controller().running() as controller:
        await stage.calm(5)
        await delivered(stage, controller, ref="develop")
        await stage.calm(5)
    assert len(await pipelines(stage)) == 1


async def test_what_a_person_has_fetched_is_in_the_pipeline_that_was_asked_for(stage: Stage) -> None:
    page(stage, "1")
    stage.world.push(site_spec("one", content=FROM_GIT))
    async with stage.controller().running() as controller:
        await stage.calm(5)
        page(stage, "2")
        asked = await controller.triggers.asked("one", "ada")
        await stage.calm(20)
        found = await newest(stage)
        commit = stage.world.source.revision(FROM_GIT)
    assert (found.id, found.outcome, found.event.trigger) == (asked.id, Outcome.SUCCEEDED, Trigger.API)
    assert (found.event.repository, found.event.commit) == (GIT, commit)
    assert found.stages[0].log == (f"{GIT} at main: commit {commit[:12]}",)
    assert "deploy" in kinds(found)


async def test_a_repository_that_is_gone_fails_its_pipeline_at_the_fetch(stage: Stage) -> None:
    page(stage, "1")
    stage.world.push(site_spec("one", content=FROM_GIT))
    async with stage.controller().running() as controller:
        await stage.calm(5)
        stage.world.source.remotes.clear()
        await delivered(stage, controller, commit="c" * 40)
        await stage.calm(20)
        found = await newest(stage)
    assert (found.outcome, found.ended_at is not None) == (Outcome.FAILED, True)
    assert found.furthest is not None
    assert (found.furthest.kind, found.furthest.outcome) == (StageKind.FETCH, Outcome.FAILED)
    assert "there is no repository" in found.message


async def test_a_person_has_a_site_verified_anew(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(5)
        answer = await ask(stage.home / "control.sock", {"op": "pipeline", "site": "one", "by": "ada"})
        await stage.calm(5)
        found = await newest(stage)
        with pytest.raises(UsageError, match="no site 'other'"):
            await ask(stage.home / "control.sock", {"op": "pipeline", "site": "other", "by": "ada"})
    assert answer is not None
    assert answer["pipeline"] == found.id
    assert (found.event.trigger, found.event.by, found.outcome) == (Trigger.API, "ada", Outcome.SUCCEEDED)
    assert kinds(found) == ["fetch", "validate", "verify", "report"]


async def test_a_promoted_image_is_a_pipeline_of_each_site_that_follows_it(stage: Stage) -> None:
    golden = site_spec("one", web=web(2, image="nginx"))
    stage.world.images.ids["nginx"] = "sha256:old"
    stage.world.push(golden, site_spec("two"))
    async with stage.controller().running() as controller:
        await stage.calm(5)
        stage.world.images.ids["nginx"] = "sha256:new"
        controller.triggers.images({ImageName("nginx", "stable"): "sha256:new"}, "ada", ["one"])
        controller.kit.queue.add("one", "image")
        await stage.calm(60)
        found = await newest(stage)
    assert (found.event.trigger, found.event.ref, found.event.by) == (Trigger.IMAGE, "nginx", "ada")
    assert found.event.commit == "sha256:new"
    assert found.digest
    assert len(await pipelines(stage, "two")) == 1


async def test_an_image_that_moved_unheard_is_told_once_when_it_is_heard_of(stage: Stage) -> None:
    stage.world.images.ids["nginx"] = "sha256:old"
    stage.world.push(site_spec("one", web=web(2, image="nginx")))
    async with stage.controller().running() as controller:
        await stage.calm(5)
        stage.world.images.ids["nginx"] = "sha256:new"
        await ask(stage.home / "control.sock", {"op": "due", "site": "one"})
        await stage.calm()
        unheard = await newest(stage)
        controller.triggers.images({ImageName("nginx", "stable"): "sha256:new"}, "ada", ["one"])
        await stage.calm(5)
        found = await newest(stage)
    assert unheard.event.trigger is Trigger.IMAGE
    assert unheard.id == found.id
    assert (found.event.ref, found.event.by) == ("nginx", "ada")


async def test_a_site_that_goes_with_its_tombstone_ends_its_pipeline(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(5)
        stage.world.bury("one")
        await told(stage)
        await stage.calm(120)
        found = await newest(stage)
    assert found.outcome in (Outcome.SUCCEEDED, Outcome.WAITING)
    assert found.message


async def test_decided_pipelines_are_reported_before_they_end(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    heard: list[Outcome] = []

    class Forge:
        async def report(self, pipeline: Pipeline) -> str:
            heard.append(pipeline.outcome)
            if len(heard) > 1:
                raise TransientError("the forge is away")
            return "status success at the forge"

    controller = stage.controller()
    controller.pipelines.reporters.append(Forge())
    changes: list[Pipeline] = []
    controller.pipelines.subscribe(changes.append)
    async with controller.running():
        await stage.calm(5)
        first = await newest(stage)
        stage.world.push(files={"sites/one/index.html": "<h1>It works</h1> again"})
        await told(stage)
        second = await newest(stage)
    assert heard == [Outcome.SUCCEEDED, Outcome.SUCCEEDED]
    assert first.stages[-1].kind is StageKind.REPORT
    assert first.stages[-1].summary == "status success at the forge"
    assert second.stages[-1].outcome is Outcome.FAILED
    assert (second.outcome, second.ended_at is not None) == (Outcome.SUCCEEDED, True)
    assert "the forge is away" in second.stages[-1].log[-1]
    assert changes[-1] == second


async def test_a_pipeline_that_is_taken_up_again_is_not_ended_by_its_late_report(stage: Stage) -> None:
    stage.world.infrastructure.failures.next("apply", TransientError("the disk is full"), times=1)
    stage.world.push(site_spec("one"))
    told_of: list[Outcome] = []

    class Slow:
        async def report(self, pipeline: Pipeline) -> str:
            await stage.world.clock.sleep(50.0)
            told_of.append(pipeline.outcome)
            return f"told that it {pipeline.outcome.value}"

    controller = stage.controller()
    controller.pipelines.reporters.append(Slow())
    async with controller.running():
        await stage.calm(30)
        again = await newest(stage)
        assert again.outcome is Outcome.SUCCEEDED
        await stage.calm(200)
        found = await newest(stage)
    assert told_of == [Outcome.FAILED, Outcome.SUCCEEDED]
    assert (found.id, found.outcome, found.ended_at is not None) == (again.id, Outcome.SUCCEEDED, True)
    assert kinds(found)[-1] == "report"
    assert found.stages[-1].log == ("told that it succeeded",)


async def test_a_controller_that_is_killed_at_the_report_leaves_the_outcome_as_it_was(stage: Stage) -> None:
    stage.world.push(site_spec("one"))

    class Silent:
        async def report(self, _: Pipeline) -> str:
            await stage.world.clock.sleep(1e6)
            return ""

    controller = stage.controller()
    controller.pipelines.reporters.append(Silent())
    async with controller.running():
        await stage.calm(5)
        before = await newest(stage)
    stage.world.restart()
    async with stage.controller().running():
        await stage.calm(5)
        found = await newest(stage)
    assert (before.outcome, before.ended_at) == (Outcome.SUCCEEDED, None)
    assert (found.id, found.outcome, found.ended_at is not None) == (before.id, Outcome.SUCCEEDED, True)
    assert found.stages[-1].outcome is Outcome.INTERRUPTED


async def test_a_store_in_trouble_loses_no_record(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        stage.world.store.pipelines.failures.always("save", TransientError("locked"))
        await stage.calm(5)
        assert await pipelines(stage) == ()
        stage.world.store.pipelines.failures.stop("save")
        await stage.calm(10)
        assert (await newest(stage)).outcome is Outcome.SUCCEEDED


async def test_the_schedule_verifies_every_site(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller(schedule="*/10 * * * *").running():
        await stage.calm(5)
        await stage.calm(601)
        await stage.calm(5)
        found = await newest(stage)
    assert (found.event.trigger, found.outcome) == (Trigger.SCHEDULE, Outcome.SUCCEEDED)
