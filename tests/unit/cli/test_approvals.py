"""Approve and reject."""

import asyncio
import json
from datetime import timedelta

import pytest
from tests.unit.cli.conftest import Stage
from tests.unit.cli.guarded import ASK, PLAN, REFUSE, REJECTED, WAIT, Guarded
from tests.unit.cli.test_schemas import check

from otto.cli import speaking
from otto.model.canonical import to_data
from otto.model.history import GrantKind
from otto.model.policy import Policy
from otto.model.run import Outcome, Run
from otto.model.status import Phase
from otto.model.verdict import Effect, Reason
from otto.testing import site_spec


@pytest.fixture
def guarded(stage: Stage) -> Guarded:
    guarded = Guarded(stage)
    guarded.knows(policy=Policy(approval_expiry=7200))
    guarded.holds()
    return guarded


def test_an_approval_is_of_that_very_plan_ends_and_is_on_record(guarded: Guarded) -> None:
    said = guarded.says("approve", "acme", PLAN[:8].upper(), "--by", "ann", "--note", "seen  it\n")
    assert "plan 1a2b3c444444 of acme is approved by ann, until " in said
    assert "; 1 of 1 approvals are there" in said
    assert "no controller is running" in said
    (grant,) = guarded.grants()
    assert (grant.kind, grant.plan, grant.by, grant.reason) == (GrantKind.APPROVE, PLAN, "ann", "seen it")
    assert grant.until == guarded.now + timedelta(hours=2)
    (entry,) = guarded.entries
    assert (entry.what, entry.who, entry.site, entry.plan) == ("approve", "ann", "acme", PLAN)
    assert entry.summary == "provision (1 replace)"
    assert entry.reason == "seen it"
    assert entry.detail == {
        "as": speaking.account(),
        "given": "1",
        "wanted": "1",
        "until": to_data(grant.until),
    }


def test_by_is_the_user_who_calls(guarded: Guarded) -> None:
    guarded.says("approve", "acme", PLAN)
    assert guarded.grants()[0].by == speaking.account()


def test_two_people_where_two_are_wanted(guarded: Guarded) -> None:
    guarded.holds(wanted=2)
    assert "1 of 2 approvals are there" in guarded.says("approve", "acme", PLAN, "--by", "ann")
    for again in ("ann", " Ann "):
        guarded.refuses(
            "has approved plan 1a2b3c444444 of acme already: 1 of 2", "approve", "acme", PLAN, "--by", again
        )
    assert "2 of 2 approvals are there" in guarded.says("approve", "acme", PLAN, "--by", "bob")


def test_an_approval_that_has_ended_is_given_anew(guarded: Guarded) -> None:
    guarded.says("approve", "acme", PLAN, "--by", "ann")
    guarded.stage.world.clock.move(7200)
    assert "1 of 1" in guarded.says("approve", "acme", PLAN, "--by", "ann")
    assert len(guarded.grants()) == 1


def test_an_approval_may_come_while_the_plan_waits_for_a_window(guarded: Guarded) -> None:
    guarded.holds("Waiting", (WAIT,), (ASK,))
    assert "it also waits: no change before 22:00" in guarded.says("approve", "acme", PLAN)


def test_a_plan_that_waits_for_what_people_may_wave_through(guarded: Guarded) -> None:
    mend = "find what keeps changing it; otto approve acme 1a2b3c repairs it once more"
    flapping = Reason("guard.drift.flapping", "repaired 6 times", mend, Effect.WAIT)
    guarded.holds("Waiting", (flapping,))
    assert "it also waits" not in guarded.says("approve", "acme", PLAN)


@pytest.mark.parametrize(
    ("verdict", "reasons", "told"),
    [
        ("NeedsApproval", (ASK,), "2 approvals are there"),
        ("Waiting", (WAIT, ASK), "it also waits: no change before 22:00"),
    ],
)
def test_what_an_older_otto_wrote_is_read_from_the_run(
    guarded: Guarded, verdict: str, reasons: tuple[Reason, ...], told: str
) -> None:
    guarded.holds(verdict, reasons, wanted=2, now_written=False)
    assert told in guarded.says("approve", "acme", PLAN)


def test_a_run_beside_the_held_plan_leaves_it_held(guarded: Guarded) -> None:
    run = Run("z", "acme", "look", guarded.now, plan="9" * 64, outcome=Outcome.SUCCEEDED)
    asyncio.run(guarded.stage.world.store.save_run(run))
    assert "1 of 1" in guarded.says("approve", "acme", PLAN)
    assert guarded.entries[0].summary == "provision (1 replace)"


def test_a_plan_that_only_waits_for_a_window_lacks_no_approval(guarded: Guarded) -> None:
    guarded.holds("Waiting", (WAIT,))
    guarded.refuses("lacks no approval; it waits: no change before 22:00", "approve", "acme", PLAN)


def test_a_refused_plan_is_refused_whatever_it_lacks_besides(guarded: Guarded) -> None:
    guarded.holds("Refused", (REFUSE,), (ASK,))
    guarded.refuses("acme is protected [guard.protect]", "approve", "acme", PLAN)


def test_what_an_older_otto_recorded_of_a_refusal_counts(guarded: Guarded) -> None:
    guarded.holds("Refused", (), now_written=False)
    guarded.refuses("is refused, and no approval changes that", "approve", "acme", PLAN)


def test_reasons_that_cannot_be_read_leave_the_verdict(guarded: Guarded) -> None:
    guarded.holds(reasons=("nonsense",), now_written=False)  # type: ignore[arg-type]
    assert "1 of 1" in guarded.says("approve", "acme", PLAN)


@pytest.mark.parametrize("command", ["approve", "reject"])
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("acmee", PLAN), "did you mean acme?"),
        (("acme", "beefbeefbeef"), "no plan of acme that waits begins with 'beefbeefbeef'"),
        (("acme", "\x1b[31mbeefbeef"), "no plan of acme that waits begins with"),
        (("acme", "1a2b3"), "too short"),
        (("acme", ""), "too short"),
        (("acme", PLAN, "--by", " "), "the name is empty"),
        (("acme", PLAN, "--by", "a" * 101), "the name is 101 characters long"),
        (("acme", PLAN, "--note", "x" * 501), "the reason is 501 characters long"),
        (("acme", PLAN, "--note", "\x1b[31mred"), "characters that do not print"),
        (("acme", PLAN, "--note", "\u202egnorts"), "characters that do not print"),
    ],
)
def test_bad_input(guarded: Guarded, command: str, words: tuple[str, ...], told: str) -> None:
    guarded.refuses(told, command, *words)


def test_a_digest_that_another_plan_has_taken_the_place_of_is_called_outdated(guarded: Guarded) -> None:
    guarded.holds(plan="9" * 64)
    guarded.refuses("plan 1a2b3c4444 of acme is out of date: another one waits", "approve", "acme", PLAN[:10])


# A controller's own plan, from the command line to replaced hosts.


@pytest.fixture
def up(stage: Stage) -> Stage:
    stage.world.push(site_spec(), site_spec("shop"))
    assert stage.otto("provision").exit_code == 0
    return stage


def hosts(stage: Stage, site: str = "acme") -> dict[str, str]:
    return {host.name: host.id for host in stage.world.hosts if host.site == site}


def waiting_plan(stage: Stage) -> str:
    """Digest of the plan that waits since the base image is another."""
    stage.world.images.ids["base"] = "sha256:another"
    stage.otto("reconcile", "acme")
    status = asyncio.run(stage.world.store.status("acme"))
    assert status is not None
    assert status.phase is Phase.AWAITING_APPROVAL
    assert stage.runs("acme")[0].plan == status.plan
    return status.plan


def test_approve_lets_that_very_plan_go_on(up: Stage) -> None:
    before, others = hosts(up), hosts(up, "shop")
    plan = waiting_plan(up)
    assert hosts(up) == before
    assert up.otto("approve", "acme", plan[:12].upper()).exit_code == 0
    (grant,) = asyncio.run(up.world.ledger.grants())
    assert (grant.kind, grant.site, grant.plan) == (GrantKind.APPROVE, "acme", plan)
    assert hosts(up) == before
    assert up.otto("reconcile", "acme").exit_code == 0
    after = hosts(up)
    assert after.keys() == before.keys()
    assert not set(before.values()) & set(after.values())
    assert hosts(up, "shop") == others


def test_an_outdated_digest_is_called_that(up: Stage) -> None:
    before, first = hosts(up), waiting_plan(up)
    up.world.push(files={"sites/acme/index.html": "<h1>It works anew</h1>"})
    second = waiting_plan(up)
    assert first != second
    result = up.otto("approve", "acme", first[:12])
    assert result.exit_code == 1
    assert "is out of date: another one waits" in result.stderr
    assert second[:12] in result.stderr
    assert asyncio.run(up.world.ledger.grants()) == ()
    up.otto("reconcile", "acme")
    assert hosts(up) == before


@pytest.mark.parametrize("command", ["approve", "reject"])
def test_nothing_waits(guarded: Guarded, command: str) -> None:
    guarded.knows(phase=Phase.READY)
    guarded.refuses("acme does not wait for an approval: it is Ready", command, "acme", PLAN)


def test_nothing_ever_ran(stage: Stage) -> None:
    result = stage.otto("approve", "acme", PLAN)
    assert result.exit_code == 1
    assert "has not run" in result.stderr


def test_a_rejection_is_of_that_very_plan_and_takes_approvals_back(guarded: Guarded) -> None:
    guarded.says("approve", "acme", PLAN, "--by", "ann")
    said = guarded.says("reject", "acme", PLAN[:12], "--by", "bob", "--note", "not on a Friday")
    assert "plan 1a2b3c444444 of acme is rejected by bob; the approval by ann is taken back" in said
    assert "otto approve acme 1a2b3c444444" in said
    (grant,) = guarded.grants()
    assert (grant.kind, grant.plan, grant.until) == (GrantKind.REJECT, PLAN, None)
    assert [entry.what for entry in guarded.entries] == ["approve", "reject"]
    guarded.refuses("is rejected already, by bob", "reject", "acme", PLAN)


@pytest.mark.parametrize(
    ("verdict", "reasons", "behind"),
    [
        ("NeedsApproval", (ASK,), ()),  # the controller has not looked since
        ("Refused", (REJECTED,), (ASK,)),
        ("Refused", (REJECTED,), ()),
    ],
)
def test_approving_a_rejected_plan_takes_the_rejection_back(
    guarded: Guarded, verdict: str, reasons: tuple[Reason, ...], behind: tuple[Reason, ...]
) -> None:
    guarded.says("reject", "acme", PLAN, "--by", "bob")
    guarded.holds(verdict, reasons, behind)
    assert "the rejection by bob is taken back" in guarded.says("approve", "acme", PLAN, "--by", "ann")
    assert [grant.kind for grant in guarded.grants()] == [GrantKind.APPROVE]


def test_a_rejected_plan_that_is_refused_otherwise_as_well_stays_rejected(guarded: Guarded) -> None:
    guarded.says("reject", "acme", PLAN, "--by", "bob")
    guarded.holds("Refused", (REJECTED, REFUSE))
    guarded.refuses("acme is protected", "approve", "acme", PLAN)


def test_json(guarded: Guarded) -> None:
    document = json.loads(guarded.says("approve", "acme", PLAN, "--by", "ann", "--json"))
    check("said", document)
    assert (document["what"], document["record"], document["heard"]) == ("approve", 1, "nobody")
    assert document["given"]["plan"] == PLAN
    document = json.loads(guarded.says("reject", "acme", PLAN, "--json"))
    check("said", document)
    assert [grant["by"] for grant in document["taken"]] == ["ann"]


@pytest.mark.parametrize(("name", "words"), [("why", ("why", "acme")), ("status", ("status", "acme"))])
def test_what_holds_a_site_up_is_in_the_documents(
    guarded: Guarded, name: str, words: tuple[str, ...]
) -> None:
    document = json.loads(guarded.stage.otto(*words, "--json").stdout)
    check(name, document)
    assert ASK.rule in json.dumps(document)


def test_why_knows_of_approvals(guarded: Guarded) -> None:
    def obstacles() -> list[str]:
        return [item["kind"] for item in json.loads(guarded.says("why", "acme", "--json"))["blockers"]]

    guarded.knows(policy=Policy(approvers=2))
    guarded.holds(wanted=2)
    guarded.says("approve", "acme", PLAN, "--by", "ann")
    assert "approval" in obstacles()
    guarded.says("approve", "acme", PLAN, "--by", "bob")
    assert "approval" not in obstacles()
    guarded.stage.world.clock.move(86_400)
    assert "approval" in obstacles()
