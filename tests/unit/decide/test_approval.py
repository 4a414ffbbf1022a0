"""Whether enough people have said yes, and which plan it is that waits."""

from dataclasses import replace
from datetime import timedelta

import pytest

from otto.decide.approval import approved, held
from otto.model.errors import UsageError
from otto.model.history import Grant, GrantKind
from otto.model.policy import Policy
from otto.model.run import Outcome, Run, StepRecord
from otto.model.status import Condition, ConditionType, Phase, SiteStatus, Truth
from otto.testing import START

PLAN = "a" * 64
LATER = START + timedelta(hours=1)
ANN = Grant(GrantKind.APPROVE, "acme", "ann", START, LATER, plan=PLAN)
BOB = replace(ANN, by="bob")
NO = Grant(GrantKind.REJECT, "acme", "cid", START, plan=PLAN)


@pytest.mark.parametrize(
    ("grants", "wanted", "answer"),
    [
        ((), 1, False),
        ((ANN,), 1, True),
        ((ANN,), 2, False),
        ((ANN, BOB), 2, True),
        ((ANN, replace(ANN, by="Ann")), 2, False),
        ((ANN, BOB, NO), 2, False),
        ((ANN, replace(NO, plan="b" * 64)), 1, True),
        ((replace(ANN, plan="b" * 64),), 1, False),
        ((replace(ANN, until=START),), 1, False),
        ((replace(ANN, kind=GrantKind.OVERRIDE),), 1, False),
    ],
)
def test_as_many_different_people_as_are_wanted(grants: tuple[Grant, ...], wanted: int, answer: bool) -> None:
    assert approved(grants, PLAN, wanted, START) is answer


def test_no_plan_is_not_approved() -> None:
    assert not approved((replace(ANN, plan=""),), "", 1, START)


RUN = Run("r", "acme", "look", START, plan=PLAN, outcome=Outcome.WAITING)
STATUS = SiteStatus("acme", Phase.AWAITING_APPROVAL, START)


def denied(phase: Phase) -> SiteStatus:
    condition = Condition(ConditionType.ALLOWED, Truth.FALSE, "Refused", "", START)
    return SiteStatus("acme", phase, START).with_condition(condition)


@pytest.mark.parametrize("status", [STATUS, denied(Phase.DRIFTED), denied(Phase.DEGRADED)])
def test_a_plan_is_held_up_while_the_guard_holds_its_site(status: SiteStatus) -> None:
    assert held(status, (RUN,), "acme", PLAN[:6], Policy(approvers=2)).wanted == 2


@pytest.mark.parametrize(
    ("status", "runs"),
    [
        (STATUS, ()),
        (STATUS, (replace(RUN, plan=""),)),
        (STATUS, (replace(RUN, outcome=Outcome.RUNNING), RUN)),
        (STATUS, (replace(RUN, outcome=Outcome.SUCCEEDED), RUN)),
        (None, (RUN,)),
        (denied(Phase.READY), (RUN,)),
        (SiteStatus("acme", Phase.DRIFTED, START), (RUN,)),
    ],
)
def test_no_plan_is_held_up(status: SiteStatus | None, runs: tuple[Run, ...]) -> None:
    with pytest.raises(UsageError, match="acme does not wait for an approval"):
        held(status, runs, "acme", PLAN, Policy())


@pytest.mark.parametrize("wanted", ["2", None, 0, -1, 1.5])
def test_how_many_are_wanted_is_the_policys_where_the_run_does_not_say(wanted: object) -> None:
    run = replace(RUN, steps=(StepRecord("guard", START, detail={"wanted": wanted}),))
    assert held(STATUS, (run,), "acme", PLAN, Policy(approvers=3)).wanted == 3
