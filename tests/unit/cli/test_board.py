"""Events in, rows out."""

from otto.cli.board import Board
from otto.model.progress import Progress
from otto.model.run import Outcome, Run, StepRecord
from otto.model.status import Condition, ConditionType, Phase, SiteStatus, Truth
from otto.reconcile.events import SiteGone, StatusChanged, StepChanged, StepProgress
from otto.testing import START

RUN = Run("r1", "acme", "push", START)
READY = SiteStatus("acme", Phase.READY, START).with_condition(
    Condition(ConditionType.READY, Truth.TRUE, "Verified", "", START)
)
BUSY = SiteStatus("acme", Phase.CONFIGURING, START)


def step(outcome: Outcome) -> StepChanged:
    return StepChanged(RUN, StepRecord("configure", START, outcome=outcome))


def test_a_step_and_its_progress_are_shown_while_they_last() -> None:
    board = Board(["acme"], 0.0)
    board.apply(step(Outcome.RUNNING), 1.0)
    row = board.apply(StepProgress("acme", "configure", Progress("nginx installed", 2, 9)), 2.0)
    assert (row.step, row.progress and row.progress.done) == ("configure", 2)
    row = board.apply(step(Outcome.SUCCEEDED), 3.0)
    assert (row.step, row.progress) == ("", None)


def test_time_runs_until_ready_and_begins_anew_when_it_is_lost() -> None:
    board = Board(["acme"], 10.0)
    board.apply(StatusChanged(BUSY), 12.0)
    assert board.rows()[0].seconds(20.0) == 10.0
    board.apply(StatusChanged(READY), 25.0)
    board.apply(StatusChanged(READY), 55.0)
    assert board.rows()[0].seconds(99.0) == 15.0
    assert board.apply(StatusChanged(BUSY), 100.0).seconds(103.0) == 3.0


def test_a_gone_site_counts_as_destroyed_until_it_is_heard_of_again() -> None:
    board = Board([], 0.0)
    board.apply(StatusChanged(READY), 1.0)
    assert board.apply(SiteGone("acme"), 2.0).phase is Phase.DESTROYED
    assert board.apply(StatusChanged(BUSY), 3.0).phase is Phase.CONFIGURING


def test_rows_are_by_name_and_new_sites_join() -> None:
    board = Board(["b", "a"], 0.0)
    board.apply(SiteGone("0"), 0.0)
    assert [row.site for row in board.rows()] == ["0", "a", "b"]
    assert board.row("nobody") is None
