"""Whether everything that should be Ready is."""

from dataclasses import replace

import pytest

from otto.cli.board import Board, Row
from otto.cli.up import farewell
from otto.cli.up.expectation import Expectation, State, expect
from otto.model.problem import Problem
from otto.model.status import Condition, ConditionType, Phase, SiteStatus, Truth
from otto.reconcile.events import SiteGone, StatusChanged
from otto.testing import START

BAD = Problem("specs/acme.yaml", 3, 1, "/spec/web/count", "too many", site="acme")


def status(phase: Phase, message: str = "", site: str = "acme", *, ready: bool | None = None) -> SiteStatus:
    truth = Truth.TRUE if (phase is Phase.READY if ready is None else ready) else Truth.FALSE
    condition = Condition(ConditionType.READY, truth, "Because", "because", START)
    return SiteStatus(site, phase, START, message=message).with_condition(condition)


def rows(*statuses: SiteStatus) -> list[Row]:
    board = Board((), 0.0)
    for item in statuses:
        board.apply(StatusChanged(item), 1.0)
    return board.rows()


@pytest.mark.parametrize(
    ("now", "state"),
    [
        (status(Phase.READY), State.READY),
        (status(Phase.CONFIGURING, ready=True), State.COMING),
        (status(Phase.DEGRADED, "no room"), State.COMING),
        (status(Phase.DRIFTED), State.COMING),
        (status(Phase.SUSPENDED, "suspended by a person"), State.EXCUSED),
        (status(Phase.DESTROYED), State.STUCK),
        (status(Phase.AWAITING_APPROVAL, "would replace acme-web-1"), State.STUCK),
    ],
)
def test_each_phase(now: SiteStatus, state: State) -> None:
    found = expect(rows(now), ["acme"], {})
    assert [site.state for site in found.sites] == [state]
    assert found.settled is (state is not State.COMING)
    assert found.fulfilled is (state in (State.READY, State.EXCUSED))


def test_a_site_nobody_looked_at_yet_is_coming() -> None:
    found = expect(Board(["acme"], 0.0).rows(), ["acme"], {})
    assert not found.settled
    assert found.of(State.COMING)[0].why == "not looked at yet"


def test_mends() -> None:
    waits = status(Phase.AWAITING_APPROVAL).with_condition(
        Condition(
            ConditionType.ALLOWED, Truth.FALSE, "NeedsApproval", "no; to go on: otto approve acme 1a2b", START
        )
    )
    mends = [expect(rows(item), ["acme"], {}).sites[0].mend for item in (waits, status(Phase.DESTROYED))]
    assert mends == ["otto approve acme 1a2b", "otto resume acme"]


def test_a_spec_that_never_was_good_is_stuck_and_others_go_on() -> None:
    found = expect(rows(status(Phase.READY, site="shop")), ["shop"], {"acme": (BAD,)})
    assert [(site.name, site.state) for site in found.sites] == [("acme", State.STUCK), ("shop", State.READY)]
    assert found.settled
    assert not found.fulfilled


def test_a_bad_spec_over_a_good_one_is_ready_and_says_so() -> None:
    found = expect(rows(status(Phase.READY, "newest spec is bad")), ["acme"], {"acme": (BAD,)})
    assert found.fulfilled
    assert found.sites[0].why == "newest spec is bad"


def test_a_file_that_nobody_can_read_spoils_the_whole() -> None:
    found = expect(rows(status(Phase.READY)), ["acme"], {}, (BAD,))
    assert found.settled
    assert not found.fulfilled


def test_what_nobody_known_has_signed_spoils_what_has_nothing_else() -> None:
    refused = replace(expect([], [], {}), unsigned="commit abc is refused")
    assert refused.settled
    assert not refused.fulfilled
    assert "✘ not deployed: commit abc is refused" in [line for line, _ in farewell.explain(refused)]
    kept = replace(expect(rows(status(Phase.READY)), ["acme"], {}), unsigned="commit abc is refused")
    assert kept.fulfilled
    assert "! not deployed: commit abc is refused" in [line for line, _ in farewell.remarks(kept)]


def test_an_orphan_and_a_gone_site_are_excused() -> None:
    board = Board(["gone"], 0.0)
    board.apply(SiteGone("gone"), 1.0)
    board.apply(StatusChanged(status(Phase.ORPHANED, "keeps serving", "old")), 1.0)
    found = expect(board.rows(), [], {})
    assert {site.name: site.state for site in found.sites} == {"gone": State.EXCUSED, "old": State.EXCUSED}
    assert found.fulfilled


def test_an_unread_source_is_never_settled() -> None:
    found = Expectation.of_unread_source("host not found")
    assert not found.settled
    assert not found.fulfilled
    assert "host not found" in found.unread
