"""What a forge is told while sites come, change, fail and go."""

from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from otto.config import ForgeSettings, SourceSettings
from otto.model.errors import TerminalError, TransientError
from otto.model.forge import CommitState, CommitStatus, DeploymentState
from otto.model.pipeline import Event, Pipeline, StageKind, Trigger
from otto.model.pipeline import Stage as PipelineStage
from otto.model.policy import FleetPolicy, Policy
from otto.model.run import Outcome
from otto.model.signature import Demand, KnownKey, Signatures
from otto.model.spec import Content
from otto.reconcile.controller import Controller
from otto.testing import MemoryForge, site_spec
from otto.testing.source import spec_text

from .stage import Stage, told

SOURCE = SourceSettings(url="https://forge.example/acme/specs.git")
S, P, F, E = CommitState.SUCCESS, CommitState.PENDING, CommitState.FAILURE, CommitState.ERROR


class Told(Stage):
    """A stage whose controller tells a forge."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.forge = self.world.forge = MemoryForge()
        self.forging = ForgeSettings(pulls=0)

    def controller(self, source: SourceSettings | None = None, schedule: str = "") -> Controller:
        kit = replace(self.world.kit(self.loop), forging=self.forging)
        settings = source or SOURCE
        return Controller(kit, self.home, settings, lambda _: nullcontext(self.world.source), schedule)

    def states(self, context: str, commit: str = "") -> list[CommitState]:
        return [s.state for s in self.forge.said(context) if commit in ("", s.commit)]

    @property
    def head(self) -> str:
        return self.world.source.head or ""


@pytest.fixture
def stage(tmp_path: Path) -> Told:
    return Told(tmp_path)


def last(statuses: Iterable[CommitStatus]) -> CommitStatus:
    return list(statuses)[-1]


async def test_a_new_site_is_pending_and_then_serves(stage: Told) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(10)
    said = last(stage.forge.said("otto/one"))
    assert (said.repository, said.commit, said.state) == ("acme/specs", stage.head, S)
    assert said.description.startswith("serves at http://")
    assert said.target.startswith("http://")
    assert last(stage.forge.said("otto")).description == "1 site in place"
    (deployment,) = stage.forge.deployments.values()
    assert (deployment[-1].environment, deployment[-1].state) == ("one", DeploymentState.SUCCESS)
    assert deployment[-1].url == said.target


async def test_only_sites_that_a_commit_touches_are_told_of(stage: Told) -> None:
    stage.world.push(site_spec("one"), site_spec("two"))
    async with stage.controller().running():
        await stage.calm(10)
        first = stage.head
        gate = stage.world.configuration.failures.hold("deploy")
        stage.world.push(files={"sites/two/index.html": "<h1>It works</h1> better"})
        await told(stage)
        assert stage.states("otto/two", stage.head) == [P]
        gate.open()
        await stage.calm(40)
    assert stage.states("otto/one", stage.head) == []
    assert stage.states("otto/two", stage.head)[0] is P
    assert stage.states("otto/two", stage.head)[-1] is S
    words = [s.description for s in stage.forge.said("otto/two") if s.commit == stage.head]
    assert words[0].startswith("deploy")
    assert words[-1].startswith("serves at")
    assert stage.states("otto/one", first)[-1] is S
    assert last(stage.forge.said("otto")).description == "1 site in place"


async def test_a_commit_that_touches_no_site_is_said_to(stage: Told) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(10)
        stage.world.push(files={"README": "hello"})
        await told(stage)
        await stage.calm(40)
    assert stage.states("otto/one", stage.head) == []
    said = last(stage.forge.said("otto"))
    assert (said.commit, said.state, said.description) == (stage.head, S, "no site is touched")


async def test_a_bad_spec_fails_its_commit_with_the_place(stage: Told) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(10)
        stage.world.push(files={"specs/one.yaml": '[{"name": "one", "oops": 1}]'})
        await told(stage)
        await stage.calm(40)
        said = last(stage.forge.said("otto/one"))
        assert (said.commit, said.state) == (stage.head, F)
        assert said.description.startswith("validate: specs/one.yaml")
        assert not [d for d in stage.forge.deployments.values() if d[0].commit == stage.head]
        assert last(stage.forge.said("otto")).state is F
        stage.world.push(site_spec("one"))
        await told(stage)
        await stage.calm(40)
    assert stage.states("otto/one", stage.head)[-1] is S


async def test_a_server_that_dies_later_is_not_the_commits_fault(stage: Told) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(10)
        before = len(stage.forge.statuses)
        stage.world.infrastructure.failures.always("plan", TransientError("quota"))
        stage.world.hosts.kill("one-web-1")
        await stage.calm(60)
        assert (await stage.status("one")).failures
    assert len(stage.forge.statuses) == before


async def test_a_failing_tool_is_an_error_and_its_end_a_success(stage: Told) -> None:
    stage.world.infrastructure.failures.always("apply", TransientError("out of quota"))
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(10)
        said = last(stage.forge.said("otto/one"))
        assert (said.state, "out of quota" in said.description) == (E, True)
        stage.world.infrastructure.failures.stop("apply")
        await stage.calm(60)
    assert stage.states("otto/one")[-1] is S


async def test_a_plan_that_waits_for_a_person_says_so_and_a_newer_commit_supersedes_it(stage: Told) -> None:
    stage.world.push(site_spec("one", policy=Policy("always")))
    async with stage.controller().running():
        await stage.calm(10)
        said, held = last(stage.forge.said("otto/one")), stage.head
        assert (said.state, said.description[:9]) == (P, "is held: ")
        stage.world.push(site_spec("one"))
        await told(stage)
        await stage.calm(40)
    assert stage.states("otto/one", held)[-1] is CommitState.SUPERSEDED
    assert stage.states("otto/one", stage.head)[-1] is S


async def test_a_controller_that_starts_anew_says_nothing_twice(stage: Told) -> None:
    stage.world.push(site_spec("one"), site_spec("two"))
    async with stage.controller().running():
        await stage.calm(10)
    before = list(stage.forge.statuses)
    stage.world.restart()
    async with stage.controller().running():
        await stage.calm(60)
    assert stage.forge.statuses == before


async def test_a_bad_spec_that_was_pushed_while_nobody_looked_fails_its_commit(stage: Told) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(10)
    stage.world.restart()
    stage.world.push(files={"specs/one.yaml": '[{"name": "one", "oops": 1}]'})
    async with stage.controller().running():
        await stage.calm(10)
    assert stage.states("otto/one", stage.head) == [F]


async def test_what_a_killed_controller_had_not_said_is_said_by_the_next(stage: Told) -> None:
    stage.world.push(site_spec("one"))
    stage.forge.failures.always("status", TransientError("away"))
    async with stage.controller().running():
        await stage.calm(10)
    stage.forge.failures.stop("status")
    stage.world.restart()
    async with stage.controller().running():
        await stage.calm(10)
    assert stage.states("otto/one") == [S]


async def test_a_forge_that_is_away_hangs_or_refuses_holds_nothing_up(stage: Told) -> None:
    gate = stage.forge.failures.hold("status")
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(10)
        assert (await stage.status("one")).ready
        assert not stage.forge.statuses
        stage.forge.failures.unhold("status")
        gate.open()
        stage.forge.failures.always("status", TerminalError("no such commit"))
        await stage.calm(600)
        calls = stage.forge.failures.count("status")
        await stage.calm(600)
        assert stage.forge.failures.count("status") == calls  # what it will not take is not offered again


async def test_of_many_sites_one_status_speaks_for_all(stage: Told) -> None:
    stage.forging = ForgeSettings(pulls=0, sites=3)
    stage.world.push(*(site_spec(f"s{number}") for number in range(12)))
    async with stage.controller().running():
        await stage.calm(30)
    assert len([s for s in stage.forge.statuses if s.context != "otto"]) <= 3
    assert last(stage.forge.said("otto")).description == "12 sites in place"
    said = len(stage.forge.statuses)
    stage.world.restart()
    async with stage.controller().running():
        await stage.calm(30)
        assert len(stage.forge.statuses) == said
        files = {f"sites/s{number}/index.html": "<h1>It works</h1> new" for number in range(12)}
        stage.world.push(files=files)
        await told(stage)
        await stage.calm(60)
    since = stage.forge.statuses[said:]
    assert {s.context for s in since} == {"otto"}
    assert last(since).state is S
    assert len(since) < 8


async def test_a_whole_commit_is_not_in_place_before_all_of_its_sites_are_whoever_starts_anew(
    stage: Told,
) -> None:
    stage.forging = ForgeSettings(pulls=0, sites=2)
    stage.world.push(*(site_spec(f"s{number}") for number in range(5)))
    async with stage.controller().running():
        await stage.calm(20)
        pages = {f"sites/s{number}/index.html": "<h1>It works</h1> new" for number in range(5)}
        stage.world.push(site_spec("s3", policy=Policy("always")), files=pages)
        await told(stage)
        await stage.calm(30)
        assert S not in stage.states("otto", stage.head)
    stage.world.restart()
    async with stage.controller().running():
        await stage.calm(10)
        assert S not in stage.states("otto", stage.head)
        await stage.approve("s3", (await stage.status("s3")).plan)
        await stage.calm(100)
    assert stage.states("otto", stage.head)[-1] is S
    assert {s.context for s in stage.forge.statuses if s.commit == stage.head} == {"otto"}


async def test_a_site_that_is_gone_has_an_inactive_deployment(stage: Told) -> None:
    stage.world.push(site_spec("one"), site_spec("two"))
    async with stage.controller().running():
        await stage.calm(10)
        stage.world.bury("one")
        await told(stage)
        await stage.calm(60)
    assert [d[-1].state for d in stage.forge.deployments.values() if d[0].environment == "one"] == [
        DeploymentState.GONE
    ]
    assert stage.states("otto/one", stage.head)[-1] is S


async def test_content_of_another_repository_is_told_to_its_own_commit(stage: Told) -> None:
    url = "https://forge.example/acme/site.git"
    page = {"index.html": b"<h1>It works</h1>"}
    stage.world.source.remotes[url, "main"] = page
    content = Content("", git=url, ref="main")
    stage.world.push(site_spec("one", content=content))
    async with stage.controller().running():
        await stage.calm(10)
        first = stage.world.source.revision(content)
        assert [s.state for s in stage.forge.said("otto/one") if s.repository == "acme/site"][-1] is S
        stage.world.source.remotes[url, "main"] = {"index.html": b"<h1>It works</h1> better"}
        said = len(stage.forge.statuses)
        await stage.calm(60)
        second = stage.world.source.revision(content)
    since = stage.forge.statuses[said:]
    assert first != second
    assert {(s.repository, s.commit) for s in since} == {("acme/site", second)}
    assert since[-1].state is S


async def test_a_rollout_that_was_taken_back_fails_the_commit_that_brought_it(stage: Told) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(10)
        stage.world.push(files={"sites/one/index.html": "<h1>It does not</h1>"})
        await told(stage)
        await stage.calm(200)
        assert (await stage.world.store.rollout("one")).quarantined
        said = last(stage.forge.said("otto/one"))
        assert (said.commit, said.state) == (stage.head, F)
        assert said.description.startswith("is taken back: ")
        stage.world.push(files={"sites/one/index.html": "<h1>It works</h1> again"})
        await told(stage)
        await stage.calm(100)
    assert stage.states("otto/one", stage.head)[-1] is S


async def test_a_pipeline_speaks_for_its_commit_until_the_site_serves_by_it(stage: Told) -> None:
    stage.world.push(site_spec("one"))
    controller = stage.controller()
    async with controller.running():
        await stage.calm(10)
        assert controller.reporting is not None
        now = stage.world.clock.now()
        event = Event(Trigger.CONTENT, now, repository="https://forge.example/acme/site", commit="c" * 40)
        failed = PipelineStage(StageKind.VALIDATE, now, now, Outcome.FAILED, "index.html: no end of <p>")
        pipeline = Pipeline("p1", "one", event, now, outcome=Outcome.FAILED, stages=(failed,))
        controller.reporting.pipeline(pipeline)
        await stage.calm(60)
    said = [s for s in stage.forge.said("otto/one") if s.repository == "acme/site"]
    assert [(s.commit, s.state) for s in said] == [("c" * 40, F)]
    assert said[0].description == "validate: index.html: no end of <p>"


async def test_a_commit_that_nobody_known_has_signed_is_told_to_be_refused(stage: Told) -> None:
    keys = (KnownKey(file="signers"),)
    stage.world.policies.policy = FleetPolicy(signatures=Signatures(Demand.COMMITS, keys))
    good = stage.world.push(site_spec("one"))
    stage.world.source.signed[good] = "ada"
    async with stage.controller().running():
        await stage.calm(10)
        stage.world.push(files={"sites/one/index.html": "<h1>It works</h1> for mallory"})
        await told(stage)
        await stage.calm(40)
        (pipeline, *_) = await stage.world.store.pipelines.pipelines("one")
    said = [s for s in stage.forge.statuses if s.commit == stage.head]
    assert {s.context: s.state for s in said} == {"otto/one": F, "otto": F}
    assert "it is not signed (written by A Person" in last(stage.forge.said("otto/one")).description
    assert stage.states("otto/one", good)[-1] is S
    assert [d[-1].commit for d in stage.forge.deployments.values()] == [good]
    assert "validate: commit" in pipeline.stages[-1].summary


async def test_the_record_of_a_pipeline_says_what_the_forge_was_told(stage: Told) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(40)
        (pipeline,) = await stage.world.store.pipelines.pipelines("one")
    report = pipeline.stages[-1]
    assert (report.kind, report.outcome, pipeline.outcome) == (
        StageKind.REPORT,
        Outcome.SUCCEEDED,
        Outcome.SUCCEEDED,
    )
    assert report.summary.startswith(f"acme/specs, commit {stage.head[:12]}: otto/one: success: serves at ")


async def test_a_forge_that_does_not_answer_ends_no_pipeline_late(stage: Told) -> None:
    gate = stage.forge.failures.hold("status")
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(90)
        (pipeline,) = await stage.world.store.pipelines.pipelines("one")
        gate.open()
    report = pipeline.stages[-1]
    assert (pipeline.outcome, pipeline.ended_at is not None) == (Outcome.SUCCEEDED, True)
    assert (report.kind, report.outcome) == (StageKind.REPORT, Outcome.FAILED)
    assert "no answer within 60 s" in report.summary


async def test_what_the_forge_refuses_is_in_the_record_of_the_pipeline(stage: Told) -> None:
    stage.forge.failures.always("status", TerminalError("the token may not do this"))
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(40)
        (pipeline,) = await stage.world.store.pipelines.pipelines("one")
    assert pipeline.outcome is Outcome.SUCCEEDED
    assert (pipeline.stages[-1].outcome, pipeline.stages[-1].summary) == (
        Outcome.FAILED,
        "not reported: the token may not do this",
    )


async def test_a_repository_elsewhere_is_told_nothing(stage: Told) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller(SourceSettings(url="https://elsewhere.example/acme/specs")).running():
        await stage.calm(10)
        stage.world.push(files={"specs/two.yaml": spec_text(site_spec("two"))})
        await told(stage)
        await stage.calm(10)
    assert not stage.forge.statuses
    assert not stage.forge.deployments
