"""Only what somebody known has signed is deployed; what was deployed stays, and is kept healthy."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from otto.model.errors import TransientError
from otto.model.notice import NoticeKind
from otto.model.pipeline import StageKind
from otto.model.policy import FleetPolicy
from otto.model.run import Outcome
from otto.model.signature import Demand, KnownKey, Signatures
from otto.model.status import Phase
from otto.reconcile.control import ask
from otto.reconcile.controller import Controller
from otto.reconcile.inspect import Inspector
from otto.testing import site_spec

from .stage import WEB, Stage, ready, told, web

SIGNED = FleetPolicy(signatures=Signatures(Demand.COMMITS, (KnownKey(file="signers"),)))


@asynccontextmanager
async def guarded(stage: Stage) -> AsyncIterator[Controller]:
    """A site whose commit is signed, and that is Ready."""
    stage.world.policies.policy = SIGNED
    stage.world.source.signed[stage.world.push(site_spec("one"))] = "ada"
    async with stage.controller().running() as controller:
        await stage.calm(5)
        assert (await stage.status("one")).phase is Phase.READY
        yield controller


async def push(stage: Stage, count: int, *, by: str = "") -> str:
    commit = stage.world.push(site_spec("one", web=web(count)))
    if by:
        stage.world.source.signed[commit] = by
    await told(stage)
    return commit


async def test_what_is_signed_is_deployed_and_on_record(stage: Stage) -> None:
    async with guarded(stage) as controller:
        commit = await push(stage, 3, by="ada")
        assert controller.fleet.catalogue.commit == commit
        assert len(await stage.world.infrastructure.inventory("one")) == 4
    records = await stage.world.ledger.latest()
    admitted = [record.entry for record in records if record.entry.what == "admit"]
    assert [entry.reason for entry in admitted] == ["signed by ada (SHA256:ada)"] * 2


@pytest.mark.parametrize(("by", "reason"), [("", "it is not signed"), ("mallory", "does not know: mallory")])
async def test_what_is_not_signed_is_refused_and_people_are_told_once(
    stage: Stage, by: str, reason: str
) -> None:
    async with guarded(stage) as controller:
        before = controller.fleet.catalogue.commit
        commit = await push(stage, 3, by=by)
        for _ in range(3):
            await told(stage)
        assert controller.fleet.catalogue.commit == before
        assert len(await stage.world.infrastructure.inventory("one")) == 3
        assert reason in controller.watcher.state.unsigned
        assert commit[:12] in controller.watcher.state.unsigned
        assert "A Person <person@example.org>" in controller.watcher.state.unsigned
        assert controller.watcher.state.commit == commit
        assert controller.kit.metrics.registry.get_sample_value("otto_source_unsigned") == 1
    notices = [item for item in stage.world.notifier.notices if item.kind is NoticeKind.SIGNATURE]
    assert len(notices) == 1
    assert reason in notices[0].body
    refused = [record.entry for record in await stage.world.ledger.latest() if record.entry.what == "refuse"]
    assert len(refused) == 1


async def test_what_is_refused_is_a_failed_pipeline_of_the_sites_it_is_about(stage: Stage) -> None:
    async with guarded(stage):
        gate = stage.world.infrastructure.failures.hold("apply")
        good = await push(stage, 3, by="ada")
        stage.world.source.authors[commit := stage.world.push(site_spec("one"), site_spec("two"))] = "mallory"
        for _ in range(3):
            await told(stage)
        (refused, *older) = await stage.world.store.pipelines.pipelines("one")
        (other,) = await stage.world.store.pipelines.pipelines("two")
        gate.open()
        await stage.calm(30)
        assert len(await stage.world.infrastructure.inventory("one")) == 4
    assert [item.event.commit for item in (refused, other)] == [commit, commit]
    assert refused.event.by == "mallory"
    assert (refused.outcome, refused.ended_at is not None, refused.digest) == (Outcome.FAILED, True, "")
    assert refused.furthest is not None
    assert (refused.furthest.kind, refused.furthest.outcome) == (StageKind.VALIDATE, Outcome.FAILED)
    why = f"commit {commit[:12]} is refused: it is not signed (written by A Person <person@example.org>)"
    assert refused.message == why
    assert refused.furthest.log[0] == why
    assert "git commit --amend" in refused.furthest.log[1]
    # What is under way goes on, and is not superseded by what nothing comes of.
    assert [(item.event.commit, item.outcome) for item in older[:1]] == [(good, Outcome.RUNNING)]
    assert (await stage.world.store.pipelines.pipeline(older[0].id) or refused).outcome is Outcome.SUCCEEDED


async def test_a_controller_that_starts_anew_opens_no_second_pipeline_of_what_is_refused(
    stage: Stage,
) -> None:
    async with guarded(stage):
        commit = await push(stage, 3)
    stage.world.restart()
    async with stage.controller().running():
        await stage.calm(60)
        found = await stage.world.store.pipelines.pipelines("one")
    assert [item.outcome for item in found if item.event.commit == commit] == [Outcome.FAILED]


async def test_healing_goes_on_by_the_last_good_commit(stage: Stage) -> None:
    async with guarded(stage):
        await push(stage, 3)
        stage.world.hosts.kill(WEB)
        await stage.calm(5)
        assert (await stage.status("one")).phase is Phase.READY
        assert stage.world.hosts[WEB].serves
        assert len(await stage.world.infrastructure.inventory("one")) == 3


async def test_a_signed_commit_on_top_takes_the_refusal_back(stage: Stage) -> None:
    async with guarded(stage) as controller:
        await push(stage, 3)
        commit = await push(stage, 1, by="ada")
        assert controller.fleet.catalogue.commit == commit
        assert controller.watcher.state.unsigned == ""
        assert controller.kit.metrics.registry.get_sample_value("otto_source_unsigned") == 0


async def test_an_old_signed_commit_is_not_brought_back(stage: Stage) -> None:
    async with guarded(stage) as controller:
        first = controller.fleet.catalogue.commit
        second = await push(stage, 3, by="ada")
        stage.world.source.rewind(first)
        await told(stage)
        assert controller.fleet.catalogue.commit == second
        assert "is older than the commit in force" in controller.watcher.state.unsigned


async def test_after_a_restart_what_was_in_force_is_so_again(stage: Stage) -> None:
    async with guarded(stage) as controller:
        before = controller.fleet.catalogue.commit
    stage.world.push(site_spec("one", web=web(3)), site_spec("two"))
    stage.world.restart()
    async with stage.controller().running() as controller:
        await stage.calm(5)
        assert controller.fleet.catalogue.commit == before
        assert controller.fleet.names() == {"one"}
        assert len(await stage.world.infrastructure.inventory("one")) == 3
    assert len([item for item in stage.world.notifier.notices if item.kind is NoticeKind.SIGNATURE]) == 1


async def test_what_was_let_in_stays_when_its_key_ends(stage: Stage) -> None:
    async with guarded(stage) as controller:
        before = controller.fleet.catalogue.commit
    stage.world.restart()
    asked = len(stage.world.vouching.asked)
    async with stage.controller().running() as controller:
        await stage.calm(5)
        assert controller.fleet.catalogue.commit == before
        assert len(stage.world.vouching.asked) == asked
        # Under another policy it is asked about anew, and what is in force stays all the same.
        stage.world.vouching.known = {"grace"}
        await told(stage)
        assert "does not know: ada" in controller.watcher.state.unsigned
        assert controller.fleet.catalogue.commit == before


async def test_a_policy_that_comes_later_leaves_in_force_what_is(stage: Stage) -> None:
    async with ready(stage) as controller:
        before = controller.fleet.catalogue.commit
        stage.world.policies.policy = SIGNED
        await told(stage)
        assert controller.fleet.catalogue.commit == before
        assert "is not signed" in controller.watcher.state.unsigned
    stage.world.restart()
    async with stage.controller().running() as controller:
        await stage.calm(5)
        assert controller.fleet.catalogue.commit == before
        assert (await stage.status("one")).phase is Phase.READY
        stage.world.policies.policy = FleetPolicy()
        await told(stage)
        assert controller.watcher.state.unsigned == ""


async def test_the_first_commit_of_all_has_to_be_signed_too(stage: Stage) -> None:
    stage.world.policies.policy = SIGNED
    stage.world.push(site_spec("one"))
    async with stage.controller().running() as controller:
        await stage.calm(5)
        assert controller.fleet.catalogue.commit == ""
        assert await stage.world.store.statuses() == ()
        assert await stage.world.infrastructure.inventory() == ()


async def test_a_tool_that_cannot_answer_lets_nothing_in_and_is_asked_again(stage: Stage) -> None:
    async with guarded(stage) as controller:
        before = controller.fleet.catalogue.commit
        stage.world.vouching.failures.next("check", TransientError("gpgv did not end"), times=1)
        commit = await push(stage, 3, by="ada")
        assert controller.fleet.catalogue.commit == before
        assert "gpgv did not end" in controller.watcher.state.unsigned
        await told(stage)
        assert controller.fleet.catalogue.commit == commit


async def test_an_answer_is_asked_for_once(stage: Stage) -> None:
    async with guarded(stage):
        commit = await push(stage, 3)
        for _ in range(5):
            await told(stage)
        assert stage.world.vouching.asked.count(commit) == 1
        await stage.world.clock.advance(700)
        await told(stage)
        assert stage.world.vouching.asked.count(commit) == 2


@pytest.mark.parametrize(("by", "status"), [("ada", 0), ("mallory", 1), ("", 1)])
async def test_a_push_is_refused_before_it_is_accepted(stage: Stage, by: str, status: int) -> None:
    async with guarded(stage) as controller:
        commit = stage.world.push(site_spec("one", web=web(3)))
        stage.world.source.signed[commit] = by
        request = {"op": "judge", "refs": [["0" * 40, commit, "refs/heads/main"]], "quarantine": None}
        answer = await ask(stage.home / "control.sock", request)
        assert answer is not None
        assert answer["exit"] == status
        await stage.calm()
        found = [
            item for item in await stage.world.store.pipelines.pipelines("one") if item.event.commit == commit
        ]
        assert [item.outcome for item in found] == [Outcome.FAILED] * status
        other = {**request, "refs": [["0" * 40, commit, "refs/heads/other"]]}
        assert await ask(stage.home / "control.sock", other) == {"done": True, "exit": 0}
        assert controller.watcher.state.unsigned == ""


async def test_what_a_plan_is_made_for_is_what_may_be_deployed(stage: Stage) -> None:
    async with guarded(stage):
        await push(stage, 3)
        told = len(stage.world.notifier.notices)
        inspector = Inspector(stage.world.kit())
        await inspector.load()
        assert (await inspector.desired("one")).spec.web.count == 2
        assert len(stage.world.notifier.notices) == told
