"""What a forge is told of commits, by how sites fare."""

from dataclasses import replace

import pytest

from otto.decide.reports import (
    QUEUED,
    fares,
    hands_over,
    looked,
    of_pipeline,
    pushed,
    speaks,
    superseded,
    together,
)
from otto.model.forge import CommitState, Mark, Told
from otto.model.pipeline import Event, Pipeline, Stage, StageKind, Trigger
from otto.model.rollout import Quarantine
from otto.model.run import Outcome
from otto.model.status import Condition, ConditionType, Phase, SiteStatus, Truth
from otto.testing import START

S, P, F, E = CommitState.SUCCESS, CommitState.PENDING, CommitState.FAILURE, CommitState.ERROR


def status(
    phase: Phase,
    *conditions: tuple[ConditionType, Truth, str],
    failures: int = 0,
    digest: str = "d1",
    commit: str = "c1",
) -> SiteStatus:
    found = SiteStatus("one", phase, START, failures=failures, message="why", digest=digest, commit=commit)
    for kind, truth, reason in conditions:
        found = found.with_condition(Condition(kind, truth, reason, "because", START))
    return found


def mark(commit: str, state: CommitState = P, words: str = "") -> Mark:
    return Mark("acme/specs", commit, "main", state, words)


@pytest.mark.parametrize(
    ("seen", "state"),
    [
        (status(Phase.READY), S),
        (status(Phase.PLANNING), P),
        (status(Phase.DEPLOYING), P),
        (status(Phase.DEGRADED), P),
        (status(Phase.DEGRADED, failures=1), E),
        (status(Phase.DEGRADED, (ConditionType.SERVING, Truth.FALSE, "Failed"), failures=1), F),
        (status(Phase.AWAITING_APPROVAL, (ConditionType.ALLOWED, Truth.FALSE, "NeedsApproval")), P),
        (status(Phase.AWAITING_APPROVAL, (ConditionType.ALLOWED, Truth.FALSE, "Refused")), F),
        (status(Phase.READY, (ConditionType.VALID, Truth.FALSE, "SpecInvalid")), F),
        (status(Phase.SUSPENDED), P),
        (status(Phase.ORPHANED), S),
        (status(Phase.DESTROYED), S),
    ],
)
def test_how_a_commit_fares_by_a_sites_status(seen: SiteStatus, state: CommitState) -> None:
    assert fares(seen)[0] is state


def test_what_a_site_does_under_an_older_commit_says_nothing_of_the_newer_one() -> None:
    told = Told("d1", mark("c1", S))
    told = pushed(told, replace(mark("c2"), behind=("c1",)))
    assert told.spec is not None
    assert (told.spec.commit, told.spec.words) == ("c2", QUEUED)
    late = looked(told, status(Phase.READY), mark("c2"), None, {})
    assert late.spec == told.spec
    then = looked(told, status(Phase.READY, commit="c2"), mark("c2"), None, {})
    assert then.spec is not None
    assert then.spec.state is S


def test_a_commit_that_served_once_is_not_blamed_for_what_comes_later() -> None:
    told = Told("d1", mark("c1", S, "serves"))
    assert looked(told, status(Phase.DEGRADED, failures=3), mark("c1"), None, {}) == told


def test_a_commit_that_does_not_touch_the_site_is_not_told_of() -> None:
    told = Told("d1", mark("c1", S, "serves"))
    assert looked(told, status(Phase.READY, commit="c2"), mark("c2"), None, {}) == told


def test_a_failure_that_mends_itself_is_a_success_in_the_end() -> None:
    told = Told("d1", mark("c1", E, "no quota"))
    now = looked(told, status(Phase.READY, commit="c2"), mark("c2"), None, {})
    assert now.spec is not None
    assert (now.spec.commit, now.spec.state) == ("c1", S)


def test_another_wish_is_the_doing_of_whichever_repository_moved() -> None:
    content = Mark("acme/site", "x1", "main")
    first = looked(Told(), status(Phase.READY), mark("c1"), content, {})
    assert first.spec is not None
    assert first.content is not None
    moved = replace(content, commit="x2")
    then = looked(first, status(Phase.DEPLOYING, digest="d2"), mark("c1"), moved, {})
    assert then.spec == first.spec
    assert then.content == replace(moved, words="is under way")
    last = looked(then, status(Phase.READY, digest="d3", commit="c2"), mark("c2"), moved, {})
    assert last.spec is not None
    assert (last.spec.commit, last.spec.state) == ("c2", S)
    assert last.content is not None
    assert last.content.state is S


def test_a_wish_that_was_taken_back_fails_the_commit_that_brought_it() -> None:
    why = Quarantine("d2", "c2", START, "GET / answered 500")
    told = Told("d2", mark("c2", P, "is under way"))
    for seen in (status(Phase.READY, commit="c2"), status(Phase.READY, digest="d2", commit="c2")):
        now = looked(told, seen, mark("c2"), None, {"d2": why})
        assert now.spec is not None
        assert (now.spec.state, now.spec.words) == (F, "is taken back: GET / answered 500")
    back = looked(told, status(Phase.READY, commit="c2"), mark("c2"), None, {"d2": why})
    assert looked(back, status(Phase.READY, commit="c2"), mark("c2"), None, {"d2": why}).digest == "d1"


def test_only_a_commit_that_was_pending_is_superseded() -> None:
    assert superseded(mark("c1"), mark("c2")) == mark("c1", CommitState.SUPERSEDED, "is superseded by c2")
    for old, new in ((mark("c1", S), mark("c2")), (mark("c1"), mark("c1")), (None, mark("c2"))):
        assert superseded(old, new) is None


@pytest.mark.parametrize(
    ("states", "loose", "state", "words"),
    [
        ([], 0, S, "no site is touched"),
        ([S], 0, S, "1 site in place"),
        ([S, P, F], 0, P, "1 of 3 sites in place; failed: s2"),
        ([S, F], 0, F, "1 of 2 sites in place; failed: s1"),
        ([S, E], 0, E, "1 of 2 sites in place; failed: s1"),
        ([], 2, F, "0 of 0 sites in place; 2 problems in files of no site"),
        ([S] * 333 + [P] * 667, 0, P, "30 % of 1000 sites in place"),
        ([F] * 9, 0, F, "0 of 9 sites in place; failed: s0, s1, s2, s3, s4 and 4 more"),
    ],
)
def test_all_sites_of_a_commit_together(
    states: list[CommitState], loose: int, state: CommitState, words: str
) -> None:
    marks = {f"s{number}": mark("c1", one) for number, one in enumerate(states)}
    assert together(marks, loose) == (state, words)


@pytest.mark.parametrize(
    ("outcome", "state", "words"),
    [
        (Outcome.RUNNING, P, "validate: 3 files"),
        (Outcome.WAITING, P, "validate: waits: 3 files"),
        (Outcome.FAILED, F, "validate: 3 files"),
        (Outcome.INTERRUPTED, E, "validate: 3 files"),
    ],
)
def test_a_pipeline_in_a_word_and_a_line(outcome: Outcome, state: CommitState, words: str) -> None:
    assert of_pipeline(piped(outcome, StageKind.VALIDATE, "3 files")) == (state, words)


@pytest.mark.parametrize(
    ("stage", "state"),
    [(StageKind.FETCH, E), (StageKind.VALIDATE, F), (StageKind.DEPLOY, E), (StageKind.VERIFY, F)],
)
def test_what_fails_is_the_commits_fault_where_it_is_judged(stage: StageKind, state: CommitState) -> None:
    assert of_pipeline(piped(Outcome.FAILED, stage, "no")) == (state, f"{stage.value}: no")


def test_a_stage_that_said_nothing_yet_is_under_way() -> None:
    assert of_pipeline(piped(Outcome.RUNNING, StageKind.DEPLOY, "")) == (P, "deploy is under way")


@pytest.mark.parametrize(
    ("outcome", "digest", "tells", "site_tells"),
    [
        (Outcome.RUNNING, "d1", True, False),
        (Outcome.SUCCEEDED, "d1", False, True),
        (Outcome.SUPERSEDED, "d1", False, True),
        (Outcome.FAILED, "", True, False),
        (Outcome.FAILED, "d1", True, True),
        (Outcome.WAITING, "", True, False),
        (Outcome.WAITING, "d1", True, True),
        (Outcome.INTERRUPTED, "d1", True, False),
    ],
)
def test_who_speaks_for_a_commit(outcome: Outcome, digest: str, *, tells: bool, site_tells: bool) -> None:
    pipeline = replace(piped(outcome, StageKind.VERIFY, "no"), digest=digest)
    assert (speaks(pipeline), hands_over(pipeline)) == (tells, site_tells)


def piped(outcome: Outcome, kind: StageKind, words: str) -> Pipeline:
    event = Event(Trigger.CONTENT, START, commit="x1")
    stage = Stage(kind, START, START, Outcome.SUCCEEDED, words)
    return Pipeline("p", "one", event, START, outcome=outcome, stages=(stage,))
