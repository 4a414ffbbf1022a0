"""The one comment on each pull request: what merging it would do."""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from otto.config import ForgeSettings, SourceSettings
from otto.model.errors import TerminalError, TransientError
from otto.model.forge import CommitState, Proposal, Pull
from otto.model.policy import Policy
from otto.model.spec import Content, SiteSpec
from otto.reconcile.controller import Controller
from otto.testing import MemoryForge, site_spec
from otto.testing.source import Files, spec_text

from .stage import Stage, told, web

URL = "https://forge.example/acme/specs.git"
PLACE = "acme/specs"


class Reviewed(Stage):
    """A stage with pull requests."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.forge = self.world.forge = MemoryForge()

    def controller(self, source: SourceSettings | None = None, schedule: str = "") -> Controller:
        kit = replace(self.world.kit(self.loop), forging=ForgeSettings(interval=30.0))
        settings = source or SourceSettings(url=URL)
        return Controller(kit, self.home, settings, lambda _: nullcontext(self.world.source), schedule)

    def open(self, number: int, *specs: SiteSpec, files: Files | None = None) -> Pull:
        """Open a pull request, or move it."""
        changed = {f"specs/{spec.name}.yaml": spec_text(spec) for spec in specs} | dict(files or {})
        pull = self.world.proposals.propose(number, changed)
        there = [item for item in self.forge.pulls.get(PLACE, ()) if item.number != number]
        self.forge.pulls[PLACE] = (*there, pull)
        return pull

    def comment(self, number: int = 7) -> str:
        return self.forge.comments[PLACE, number]

    def outcome(self, pull: Pull) -> tuple[CommitState, str]:
        said = [s for s in self.forge.said("otto preview") if s.commit == pull.head][-1]
        return said.state, said.description


@pytest.fixture
def stage(tmp_path: Path) -> Reviewed:
    stage = Reviewed(tmp_path)
    stage.world.push(site_spec("one"), site_spec("two"))
    return stage


async def reviewed(stage: Reviewed, *specs: SiteSpec, files: Files | None = None) -> Pull:
    async with stage.controller().running():
        await stage.calm(10)
        pull = stage.open(7, *specs, files=files)
        await stage.calm(40)
    return pull


async def test_one_more_server_is_told_with_its_plan_and_its_cost(stage: Reviewed) -> None:
    pull = await reviewed(stage, site_spec("one", web=web(3)))
    text = stage.comment()
    assert text.startswith("<!-- otto: preview of a pull request -->\n")
    assert "| `one` | 1 create, configure, deploy, verify | may be carried out | EUR 29.20 (+7.30) |" in text
    assert "  + create    one-web-3" in text
    assert "web 2 -> 3" in text
    assert "two" not in text.replace("two sites", "")
    assert stage.outcome(pull) == (CommitState.SUCCESS, "touches 1 site")


async def test_nothing_is_changed_or_asked_for_a_preview(stage: Reviewed) -> None:
    async with stage.controller().running():
        await stage.calm(40)
        before = [host.id for host in stage.world.hosts]
        calls = list(stage.world.infrastructure.failures.calls)
        plays = len(stage.world.configuration.requests)
        stage.open(7, site_spec("new"), site_spec("one", web=web(1)), files={"sites/new/index.html": "x"})
        await stage.calm(40)
        assert "`new`" in stage.comment()
        assert [host.id for host in stage.world.hosts] == before
        assert len(stage.world.configuration.requests) == plays
        assert {"plan", "apply"} & set(stage.world.infrastructure.failures.calls[len(calls) :]) == set()
        assert await stage.world.store.status("new") is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (site_spec("one", web=web(1)), "1 scale-in, configure, verify"),
        (site_spec("one", domains=("www.one.example", "one.example")), "configure, verify"),
        (site_spec("one", labels={"a": "b"}), "nothing"),
        (site_spec("one", web=web(2, size="large")), "2 replace"),
    ],
)
async def test_what_would_be_done_is_told_in_words(stage: Reviewed, change: SiteSpec, words: str) -> None:
    await reviewed(stage, change)
    assert f"| `one` | {words}" in stage.comment()


async def test_new_content_is_laid_on_the_web_servers(stage: Reviewed) -> None:
    await reviewed(stage, files={"sites/two/index.html": "<h1>It works</h1> better"})
    assert "| `two` | deploy, verify | may be carried out |" in stage.comment()
    assert "content changed" in stage.comment()


async def test_what_the_guard_would_ask_is_told(stage: Reviewed) -> None:
    pull = await reviewed(stage, site_spec("one", web=web(3), policy=Policy("always")))
    assert "needs approval" in stage.comment()
    assert "[guard." in stage.comment()
    assert stage.outcome(pull) == (CommitState.SUCCESS, "touches 1 site, 1 would need approval")


async def test_a_bad_spec_fails_the_preview_and_says_where(stage: Reviewed) -> None:
    pull = await reviewed(stage, files={"specs/one.yaml": '[{"name": "one", "oops": 1}]'})
    assert "specs/one.yaml:1:1" in stage.comment()
    state, words = stage.outcome(pull)
    assert (state, words) == (CommitState.FAILURE, "1 problem in specs")


async def test_missing_content_is_the_proposals_fault(stage: Reviewed) -> None:
    pull = await reviewed(stage, site_spec("one", content=Content("nowhere")))
    assert "there is no folder" in stage.comment()
    assert stage.outcome(pull)[0] is CommitState.FAILURE


async def test_a_repository_that_only_a_proposal_names_is_not_fetched_from(stage: Reviewed) -> None:
    await reviewed(stage, site_spec("one", content=Content("", git="https://evil.example/x", ref="main")))
    assert "nothing is fetched from a repository before" in stage.comment()
    assert not any("evil" in call for call in stage.world.source.failures.calls)


async def test_removals_and_tombstones_are_told_apart(stage: Reviewed) -> None:
    stone = {"specs/one-stone.yaml": '[{"site": "one", "reason": "over"}]'}
    await reviewed(stage, files={"specs/one.yaml": None, "specs/two.yaml": None, **stone})
    text = stage.comment()
    assert "| `one` | 3 destroy, drain |" in text
    assert "it would be orphaned, and keep serving" in text


async def test_the_comment_follows_the_head_and_the_base_and_is_written_once(stage: Reviewed) -> None:
    async with stage.controller().running():
        await stage.calm(10)
        first = stage.open(7, site_spec("one", web=web(3)))
        await stage.calm(40)
        assert first.head[:12] in stage.comment()
        second = stage.open(7, site_spec("one", web=web(4)))
        await stage.calm(40)
        assert second.head[:12] in stage.comment()
        stage.world.push(files={"README": "moved"})
        await told(stage)
        await stage.calm(10)
        assert (stage.world.source.head or "")[:12] in stage.comment()
        calls = stage.forge.failures.count("comment")
        await stage.calm(200)
        assert stage.forge.failures.count("comment") == calls == 3
    assert len(stage.forge.comments) == 1


async def test_a_closed_pull_request_is_marked_outdated(stage: Reviewed) -> None:
    async with stage.controller().running():
        await stage.calm(10)
        stage.open(7, site_spec("one", web=web(3)))
        await stage.calm(40)
        stage.forge.pulls[PLACE] = ()
        await stage.calm(40)
        assert "**Outdated:**" in stage.comment()
        calls = stage.forge.failures.count("comment")
        await stage.calm(100)
    assert stage.forge.failures.count("comment") == calls


async def test_a_restarted_controller_comments_on_nothing_anew(stage: Reviewed) -> None:
    await reviewed(stage, site_spec("one", web=web(3)))
    calls = stage.forge.failures.count("comment")
    stage.world.restart()
    async with stage.controller().running():
        await stage.calm(100)
        assert stage.forge.failures.count("comment") == calls
        stage.forge.pulls[PLACE] = ()
        await stage.calm(40)
    assert "**Outdated:**" in stage.comment()


async def test_a_comment_that_could_not_be_written_is_written_by_the_next_controller(stage: Reviewed) -> None:
    stage.forge.failures.always("comment", TransientError("away"))
    await reviewed(stage, site_spec("one", web=web(3)))
    assert not stage.forge.comments
    stage.forge.failures.stop("comment")
    stage.world.restart()
    async with stage.controller().running():
        await stage.calm(100)
    assert "one-web-3" in stage.comment()


async def test_conflicts_and_unreadable_proposals_are_told(stage: Reviewed) -> None:
    async with stage.controller().running():
        await stage.calm(10)
        pull = stage.open(7, site_spec("one", web=web(3)))
        stage.world.proposals.refs[pull.ref] = Proposal(pull.head, "", conflicts=("specs/`one`.yaml",))
        await stage.calm(40)
        assert "specs/`one`.yaml" in stage.comment()
        assert stage.outcome(pull) == (CommitState.FAILURE, "cannot be merged: conflicts in 1 file")
        other = stage.open(8, site_spec("two", web=web(3)))
        stage.world.proposals.failures.next("merged", TerminalError("it is bigger than 5 bytes"))
        await stage.calm(40)
        assert "bigger than 5 bytes" in stage.comment(8)
        assert stage.outcome(other)[0] is CommitState.ERROR


async def test_a_forge_or_a_remote_that_is_away_holds_nothing_up(stage: Reviewed) -> None:
    stage.forge.failures.next("pulls", TransientError("limited", retry_after=500), times=1)
    stage.world.proposals.failures.next("merged", TransientError("away"), times=1)
    stage.open(7, site_spec("one", web=web(3)))
    async with stage.controller().running():
        await stage.calm(10)
        assert (await stage.status("one")).ready
        await stage.calm(300)
        assert stage.forge.failures.count("pulls") == 1
        await stage.calm(400)
    assert "one-web-3" in stage.comment()


async def test_somebody_who_says_that_a_pull_request_moved_is_heard_at_once(stage: Reviewed) -> None:
    controller = stage.controller()
    async with controller.running():
        await stage.calm(10)
        await stage.calm(25)
        stage.open(7, site_spec("one", web=web(3)))
        assert controller.reporting is not None
        controller.reporting.pull_moved()
        await stage.calm(3)
    assert "one-web-3" in stage.comment()


async def test_a_fleet_that_would_collapse_is_warned_of(stage: Reviewed) -> None:
    stage.world.push(*(site_spec(f"s{number}") for number in range(8)))
    await reviewed(stage, files={f"specs/s{number}.yaml": None for number in range(8)})
    assert "> All deletion would be frozen: 8 specs of 10 vanished in one step" in stage.comment()
