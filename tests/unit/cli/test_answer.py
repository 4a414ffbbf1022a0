"""When a site that was asked to do something has done it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from otto.cli.answer import Asked, to_destroy, to_look
from otto.model.plan import StepKind
from otto.model.run import Outcome, Run, StepRecord
from otto.model.status import Phase, SiteStatus
from otto.model.verdict import Effect, Reason
from otto.testing import START

LATER = START + timedelta(seconds=5)
VERIFY = frozenset({StepKind.VERIFY})


def asked(steps: frozenset[StepKind] = VERIFY, known: Sequence[str] = ("old",)) -> Asked:
    return Asked("acme", START, steps, frozenset(known))


def run(
    name: str = "new",
    outcome: Outcome = Outcome.SUCCEEDED,
    steps: Sequence[str] = ("plan", "verify"),
    **more: str,
) -> Run:
    ended = None if outcome is Outcome.RUNNING else LATER
    records = tuple(StepRecord(kind, START, LATER, Outcome.SUCCEEDED) for kind in steps)
    return Run(
        name,
        "acme",
        more.get("cause", "asked"),
        START,
        ended_at=ended,
        outcome=outcome,
        steps=records,
        plan="p" * 64,
        message=more.get("message", ""),
    )


def status(phase: Phase = Phase.READY, message: str = "", seconds: float = 5) -> SiteStatus:
    return SiteStatus("acme", phase, START + timedelta(seconds=seconds), message=message)


@pytest.mark.parametrize(
    ("now", "runs"),
    [
        pytest.param(None, [], id="nothing known yet"),
        pytest.param(status(seconds=-5), [], id="status from before"),
        pytest.param(status(Phase.CONFIGURING), [], id="being worked on"),
        pytest.param(status(), [], id="another look ended well, ours comes next"),
        pytest.param(status(), [run(outcome=Outcome.RUNNING)], id="our run goes on"),
        pytest.param(status(), [run("old")], id="only a run from before"),
        pytest.param(status(), [run(steps=("plan", "deploy"))], id="another run, without our step"),
        pytest.param(status(), [run(outcome=Outcome.SUPERSEDED)], id="superseded: the next one counts"),
        pytest.param(status(Phase.PENDING, "Pending"), [], id="pending says nothing"),
    ],
)
def test_no_answer_yet(now: SiteStatus | None, runs: list[Run]) -> None:
    assert to_look(asked(), now, runs) is None


def test_a_run_that_holds_the_steps_answers() -> None:
    answer = to_look(asked(), status(), [run(), run("old")])
    assert answer
    assert (answer.ok, answer.run and answer.run.id) == (True, "new")


def test_provisioning_that_changes_nothing_leaves_no_step() -> None:
    answer = to_look(asked(frozenset({StepKind.PROVISION})), status(), [run()])
    assert answer
    assert answer.ok


def test_a_failed_run_answers_whatever_its_steps() -> None:
    failed = run(outcome=Outcome.FAILED, steps=("plan",), message="no room")
    answer = to_look(asked(), status(Phase.DEGRADED, "no room"), [failed])
    assert answer
    assert (answer.ok, answer.words) == (False, "no room")


def test_a_run_that_waits_names_the_plan() -> None:
    reason = Reason("guard.replace", "would replace", "otto approve acme pppppppppppp")
    warning = Reason("guard.price.none", "no price", "price it", Effect.WARN)
    held = replace(status(Phase.AWAITING_APPROVAL, "would replace"), held=(reason, warning))
    answer = to_look(asked(), held, [run(outcome=Outcome.WAITING)])
    assert answer
    assert not answer.ok
    assert "otto approve acme pppppppppppp" in answer.words
    assert "price it" not in answer.words


@pytest.mark.parametrize("phase", [Phase.SUSPENDED, Phase.DESTROYED, Phase.ORPHANED])
def test_a_held_site_answers_that_it_is_held(phase: Phase) -> None:
    answer = to_look(asked(), status(phase, "because"), [])
    assert answer
    assert (answer.ok, answer.held, answer.words) == (False, True, f"{phase.value}: because")


@pytest.mark.parametrize(
    "now",
    [
        status(Phase.DEGRADED, "cannot be read"),
        status(Phase.READY, "waits for other (Pending) to be Ready"),
        status(Phase.PENDING, "waits for other (Pending) to be Ready"),
    ],
)
def test_a_look_that_ends_before_any_run_answers_with_its_message(now: SiteStatus) -> None:
    answer = to_look(asked(), now, [run("old")])
    assert answer
    assert (answer.ok, answer.held, answer.words) == (False, False, now.message)


@pytest.mark.parametrize("now", [None, status(Phase.DESTROYED)])
def test_a_site_that_is_gone_is_destroyed(now: SiteStatus | None) -> None:
    answer = to_destroy("acme", now, [], asked())
    assert answer
    assert answer.ok


def test_destroying_goes_on() -> None:
    going = run(outcome=Outcome.RUNNING, cause="destroy")
    assert to_destroy("acme", status(Phase.DESTROYING), [going], asked()) is None
    assert to_destroy("acme", status(), [], asked()) is None


def test_a_failed_destroy_answers_once_the_status_says_so() -> None:
    failed = run(outcome=Outcome.FAILED, cause="destroy", message="engine away")
    assert to_destroy("acme", status(Phase.DESTROYING), [failed], asked()) is None
    answer = to_destroy("acme", status(Phase.DEGRADED, "engine away"), [failed], asked())
    assert answer
    assert (answer.ok, answer.words) == (False, "engine away")
