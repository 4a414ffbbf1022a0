"""The guard's rule about whose turn it is."""

from dataclasses import replace

import pytest

from otto.decide.guard import judge
from otto.model.history import GrantKind, History, Turn
from otto.model.plan import ActionKind, Plan, Removing, Step, StepKind
from otto.model.policy import Effective
from otto.model.verdict import Waiting

from .cases import ABOUT, NOW, act, grant, plan, removal, said

WAITS = Turn(("role nginx",), waits=("a", "b"), wave=2, waves=3)
STOPPED = replace(WAITS, stopped=("a",), waits=("b",))
CHANGES = plan(configure=("hello-web-1",))


def because(*causes: str, back: bool = False) -> Plan:
    return replace(CHANGES, about=replace(ABOUT, causes=causes, taking_back=back))


@pytest.mark.parametrize(
    ("what", "turn", "verdict"),
    [
        (CHANGES, Turn(), "Allowed"),
        (CHANGES, Turn(("role nginx",)), "Allowed"),
        (CHANGES, WAITS, "Waiting"),
        (CHANGES, STOPPED, "Waiting"),
        (plan(act(ActionKind.CREATE)), WAITS, "Waiting"),
        (because("drift"), WAITS, "Allowed"),
        (because("failure"), WAITS, "Allowed"),
        (because("drift", "spec"), WAITS, "Waiting"),
        (because("failure", "spec"), WAITS, "Waiting"),
        (because("failure", "spec"), replace(WAITS, mends=False), "Allowed"),
        (because("drift", "spec"), replace(WAITS, mends=False), "Waiting"),
        (because("spec", back=True), WAITS, "Allowed"),
        (Plan("hello", "d", (Step(StepKind.VERIFY),), ABOUT), WAITS, "Allowed"),
        (removal(Removing.TOMBSTONE), WAITS, "Allowed"),
    ],
)
def test_who_waits_for_a_turn(what: Plan, turn: Turn, verdict: str) -> None:
    rules = {"guard.rollout.wave"} if verdict == "Waiting" else set()
    assert said(what, history=History(turn=turn)) == (verdict, rules)


def test_somebodys_word_lets_a_site_go_first() -> None:
    grants = (grant(GrantKind.OVERRIDE, reason="now"),)
    assert said(CHANGES, history=History(grants, turn=STOPPED)) == ("Allowed", set())
    other = (grant(GrantKind.OVERRIDE, site="other"),)
    assert said(CHANGES, history=History(other, turn=STOPPED))[0] == "Waiting"


def test_the_reason_names_the_change_and_whom_it_waits_for() -> None:
    many = Turn(("role nginx",), waits=tuple("abcdef"), wave=3, waves=4)
    verdict = judge(CHANGES, Effective(), History(turn=many), NOW)
    assert isinstance(verdict, Waiting)
    (reason,) = verdict.reasons
    assert reason.message == (
        "role nginx reaches sites in waves, and this one is in wave 3 of 4: waits for a, b, c, d and 2 more"
    )
    assert reason.figures == {"wave": "3 of 4", "waits": "6"}
    assert "otto override hello --reason TEXT" in reason.mend


def test_the_reason_names_who_failed() -> None:
    verdict = judge(CHANGES, Effective(), History(turn=STOPPED), NOW)
    assert isinstance(verdict, Waiting)
    (reason,) = verdict.reasons
    assert reason.message.endswith("this one is in wave 2 of 3: stopped, since it failed at a")
    assert reason.mend.startswith("otto why a, and mend it; otto override hello")
    assert reason.figures["failed"] == "1"
