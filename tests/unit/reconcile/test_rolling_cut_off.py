"""Rollouts that are killed, stopped or overtaken on their way: nothing is lost, and nothing is done twice."""

from dataclasses import replace

import pytest

from otto.model.history import Grant, GrantKind
from otto.model.rollout import RolloutState, RolloutStatus
from otto.model.run import Outcome
from otto.model.spec import SiteSpec
from otto.model.status import Phase
from otto.testing.store import MemoryStore

from .rollouts import BAD, FREE, moments, rolling
from .stage import web
from .story import Story

MOMENTS = ("drain", "change", "verify", "return", "soak")
FIRST = ("one-web-1",)


class Trap(MemoryStore):
    """A store at which a controller dies as soon as a rollout comes to a moment."""

    def __init__(self, story: Story) -> None:
        super().__init__(ledger=story.world.ledger)
        self._story = story
        self.at: tuple[str, tuple[str, ...]] | None = None

    async def save_rollout(self, status: RolloutStatus) -> None:
        await super().save_rollout(status)
        if (status.moment, status.current) == self.at and self._story.process is not None:
            self._story.process.life.dead.set()


async def begin(story: Story) -> Trap:
    """Three servers that serve."""
    trap = Trap(story)
    story.world.store = trap
    story.push(rolling())
    story.start()
    await story.pass_by(40.0)
    assert await story.troubles() == []
    return trap


async def push(story: Story, spec: SiteSpec | None = None, page: str = "") -> None:
    """Push, and have the controller told; without a spec and a page it is a bad page."""
    if spec is None and not page:
        story.world.source.commit({"sites/one/index.html": BAD})
    else:
        story.push(spec or rolling(), page=page)
    assert story.process is not None
    await story.process.controller.watcher.look()


async def until(story: Story, moment: str, names: tuple[str, ...] = FIRST) -> RolloutStatus:
    """Let time pass until that is being done to these servers."""
    for _ in range(2000):
        status = await story.world.store.rollout("one")
        if (status.moment, status.current) == (moment, names):
            return status
        await story.pass_by(0.05)
    raise AssertionError(f"{names} never came to {moment}")


async def killed_at(story: Story, trap: Trap, moment: str, names: tuple[str, ...] = FIRST) -> None:
    """Kill -9 there."""
    assert story.process is not None
    trap.at = (moment, names)
    for _ in range(2000):
        if story.process.life.dead.is_set():
            break
        await story.pass_by(0.05)
    else:
        raise AssertionError(f"{names} never came to {moment}")
    trap.at = None
    await story.kill()


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_a_moment_of_a_batch_it_is_tried_and_watched_before_the_next(moment: str) -> None:
    async def tell(story: Story) -> None:
        trap = await begin(story)
        await push(story, page=" still")
        await killed_at(story, trap, moment)
        await story.calm()
        run = (await story.world.store.runs("one"))[0]
        assert [names for kind, names in moments(run) if kind == "soak"] == [("1",), ("2",), ("3",)]
        assert moments(run).index(("try", ("1",))) < moments(run).index(("set-aside", ("2",)))
        status = await story.world.store.rollout("one")
        assert status.state is RolloutState.DONE
        assert sorted(status.done) == ["one-web-1", "one-web-2", "one-web-3"]
        assert sum(map(len, status.batches)) == 3

    Story.quietly(tell)


def test_a_bad_server_that_was_set_aside_as_the_controller_died_gets_no_visitors() -> None:
    async def tell(story: Story) -> None:
        trap = await begin(story)
        await push(story)
        await killed_at(story, trap, "verify")
        bad = story.world.hosts["one-web-1"].revision
        assert bad != await good(story)
        story.start()
        balancer = story.world.hosts["one-balancer-1"]
        for _ in range(600):
            await story.pass_by(0.1)
            served = story.world.hosts["one-web-1"].revision
            assert served != bad or "one-web-1" in balancer.disabled
        assert (await story.world.store.rollout("one")).state is RolloutState.REVERTED
        assert balancer.disabled == set()

    Story.quietly(tell)


async def good(story: Story) -> str | None:
    """The revision that held."""
    return story.world.hosts["one-web-3"].revision


@pytest.mark.parametrize("moment", ["change", "soak"])
def test_after_a_kill_what_is_left_of_an_approved_replacement_needs_no_new_approval(moment: str) -> None:
    async def tell(story: Story) -> None:
        trap = await begin(story)
        before = {host.name: host.id for host in story.world.hosts}
        story.world.images.ids["newer"] = "img-newer"
        await push(story, replace(rolling(), web=web(3, image="newer")))
        await story.pass_by(10.0)
        waiting = await story.world.store.status("one")
        assert waiting is not None
        assert waiting.phase is Phase.AWAITING_APPROVAL
        now = story.world.clock.now()
        await story.world.ledger.grant(Grant(GrantKind.APPROVE, "one", "ada", now, plan=waiting.plan))
        story.world.queue.add("one", "asked")
        await killed_at(story, trap, moment, ("one-web-2",))
        await story.calm()
        after = {host.name: host.id for host in story.world.hosts}
        assert {name for name in after if after[name] != before[name]} == {f"one-web-{n}" for n in (1, 2, 3)}
        made = [c.host for plan in story.world.infrastructure.applied[1:] for c in plan.changes if c.host]
        assert sorted(made) == ["one-web-1", "one-web-2", "one-web-3"]
        assert not await story.world.ledger.grants(kind=GrantKind.APPROVE)

    Story.quietly(tell)


def test_a_newer_push_takes_over_between_two_batches() -> None:
    async def tell(story: Story) -> None:
        await begin(story)
        await push(story, page=" still")
        await until(story, "soak")
        await push(story, page=" at last")
        await story.calm()
        last, overtaken = (await story.world.store.runs("one"))[:2]
        assert overtaken.outcome is Outcome.SUPERSEDED
        assert {names for _, names in moments(overtaken)} == {("1",)}
        assert [names for kind, names in moments(last) if kind == "deploy"] == [("1",), ("2",), ("3",)]

    Story.quietly(tell)


def test_given_up_while_a_batch_is_under_way_the_rest_is_never_changed_and_the_batch_goes_back() -> None:
    async def tell(story: Story) -> None:
        await begin(story)
        held = await good(story)
        await push(story, page=" still")
        status = await until(story, "drain")
        now = story.world.clock.now()
        said = Grant(GrantKind.QUARANTINE, "one", "ada", now, reason="too ugly", plan=status.digest)
        await story.world.ledger.grant(said)
        for _ in range(600):
            await story.pass_by(0.1)
            assert {story.world.hosts[f"one-web-{n}"].revision for n in (2, 3)} == {held}
        assert story.world.hosts["one-web-1"].revision == held
        status = await story.world.store.rollout("one")
        assert (status.state, status.reason) == (RolloutState.REVERTED, "too ugly")
        assert status.quarantined[said.plan].hosts == FIRST
        assert story.world.hosts["one-balancer-1"].disabled == set()

    Story.quietly(tell)


def test_a_server_that_was_made_anew_stays_set_aside_though_its_balancer_learns_where_it_is() -> None:
    async def tell(story: Story) -> None:
        trap = await begin(story)
        story.world.images.ids["newer"] = "img-newer"
        await push(story, replace(rolling(policy=FREE), web=web(3, image="newer")))
        await killed_at(story, trap, "verify")
        balancer = story.world.hosts["one-balancer-1"]
        address = story.world.hosts["one-web-1"].address
        assert {backend.address for backend in balancer.backends if backend.name == "one-web-1"} == {address}
        assert balancer.disabled == {"one-web-1"}

    Story.quietly(tell)


def test_what_a_rollout_sets_aside_is_nobodys_drift() -> None:
    async def tell(story: Story) -> None:
        await begin(story)
        await push(story, page=" still")
        await story.calm()
        runs = await story.world.store.runs("one")
        assert [run.outcome for run in runs] == [Outcome.SUCCEEDED] * 2
        await story.pass_by(600.0)
        assert await story.world.store.runs("one") == runs

    Story.quietly(tell)


def test_no_other_server_is_taken_out_while_one_answers_nothing() -> None:
    async def tell(story: Story) -> None:
        await begin(story)
        await push(story, page=" still")
        await until(story, "soak")
        story.world.hosts["one-web-3"].cut = True
        balancer = story.world.hosts["one-balancer-1"]
        for _ in range(400):
            await story.pass_by(0.1)
            assert not (story.world.hosts["one-web-3"].cut and "one-web-2" in balancer.disabled)
            if story.world.hosts["one-web-3"].revision is None:
                break
        story.lost |= {host.id for host in story.world.hosts}
        await story.calm()
        assert balancer.disabled == set()

    Story.quietly(tell)
