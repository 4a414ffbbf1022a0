"""Whether enough people have said yes, and which plan it is that waits."""

from dataclasses import replace
from datetime import timedelta

import pytest

from otto.decide.approval import approved, held, waiting_plan
from otto.model.errors import UsageError
from otto.model.history import Grant, GrantKind
from otto.model.policy import Policy
from otto.model.run import Outcome, Run, StepRecord
from otto.model.status import Phase, SiteStatus
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
OLD = SiteStatus("acme", Phase.AWAITING_APPROVAL, START)
HELD = replace(OLD, plan=PLAN)


@pytest.mark.parametrize(
    ("status", "runs", "plan"),
    [
        (HELD, (), PLAN),
        (HELD, (replace(RUN, plan="b" * 64),), PLAN),
        (replace(HELD, phase=Phase.DRIFTED), (RUN,), PLAN),
        (OLD, (RUN,), PLAN),
        (OLD, (), ""),
        (OLD, (replace(RUN, outcome=Outcome.RUNNING), RUN), ""),
        (OLD, (replace(RUN, outcome=Outcome.SUCCEEDED), RUN), ""),
        (replace(OLD, phase=Phase.READY), (RUN,), ""),
        (None, (RUN,), ""),
    ],
)
def test_which_plan_is_held_up(status: SiteStatus | None, runs: tuple[Run, ...], plan: str) -> None:
    assert waiting_plan(status, runs) == plan
    if not plan:
        with pytest.raises(UsageError, match="acme does not wait for an approval"):
            held(status, runs, "acme", PLAN, Policy())


@pytest.mark.parametrize("wanted", ["2", None, 0, -1, 1.5])
def test_how_many_are_wanted_is_the_policys_where_the_run_does_not_say(wanted: object) -> None:
    run = replace(RUN, steps=(StepRecord("guard", START, detail={"wanted": wanted}),))
    assert held(HELD, (run,), "acme", PLAN, Policy(approvers=3)).wanted == 3
