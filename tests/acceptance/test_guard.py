"""A site, its plans, and the people who are asked about them; told in order over one home.

It begins with an ordinary day, on which nobody is asked anything.
"""

from collections.abc import Iterator

import pytest

from otto.model.history import GrantKind
from otto.model.run import Outcome

from . import damage
from .damage import NGINX
from .guarded import Guarded, another_image, spec
from .harness import eventually, steps_of

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("guard"), pytest.mark.timeout(600)]

SITE, WEB, OTHER, BALANCER = "shop", "shop-web-1", "shop-web-2", "shop-balancer-1"
AUTO = {"approval": "auto", "limits": {"count": 99, "share": 1, "reason": "a test, rebuilt at will"}}


@pytest.fixture(scope="module")
def home() -> Iterator[Guarded]:
    home = Guarded.make(OTTO_LOOP_INTERVAL="600", OTTO_FACTS_INTERVAL="3", OTTO_SOURCE_INTERVAL="600")
    try:
        home.begin(shop=spec(SITE))
        yield home
    finally:
        home.close()


@pytest.fixture(scope="module")
def other(home: Guarded) -> Iterator[str]:
    """Another image: a site that asks for it wants its web servers replaced."""
    with another_image() as name:
        home.take_in(name)
        yield name


def ids(home: Guarded) -> dict[str, str]:
    return {name: host["id"] for name, host in home.containers().items()}


def approve(home: Guarded, plan: str, *people: str) -> str:
    return "".join(home.otto("approve", SITE, plan[:12], "--by", person) for person in people)


# The ordinary day


def test_the_ordinary_day_needs_nobody(home: Guarded) -> None:
    home.let_go(SITE)
    home.write("sites/small/index.html", "<!doctype html><title>Small</title><p>A small site, new.</p>\n")
    home.let_go(SITE, home.push("New content")[0])
    home.let_go(SITE, home.change(SITE, web=2))
    assert set(home.containers()) == {BALANCER, WEB, OTHER}
    home.healed(SITE, WEB)
    text = damage.read(home, OTHER, NGINX)
    damage.edit(NGINX, OTHER)(home)
    eventually("the hand edit undone", lambda: damage.read(home, OTHER, NGINX) == text, 60)
    home.let_go(SITE)
    assert {item.entry.what for item in home.record()} == {"verdict"}
    assert set(home.verdicts(SITE)) == {"Allowed"}
    assert {run.outcome for run in home.peek_runs(SITE)} <= {Outcome.SUCCEEDED, Outcome.SUPERSEDED}
    home.whole()


# What needs a person


def test_no_web_server_is_left_only_when_somebody_says_so(home: Guarded) -> None:
    before = home.containers()
    home.change(SITE, web=0)
    plan = home.held(SITE, "guard.last-copy")["plan"]
    assert plan[:12] in home.otto("plan", SITE)
    blockers = home.json("why", SITE)["blockers"]
    assert f"otto approve {SITE} {plan[:12]}" in {item["unblock"] for item in blockers}
    assert all(item["since"] for item in blockers)
    assert home.containers() == before
    home.serves(SITE)


BAD = (
    ("there is no site 'dog'", "approve", "dog", "abcdef12"),
    ("begins with 'deadbeef'", "approve", SITE, "deadbeef"),
    ("too short", "reject", SITE, "abc"),
    ("there is no site 'dog'", "reject", "dog", "abcdef12"),
    ("is past", "freeze", "--until", "2020-01-01T00:00:00Z", "--reason", "holidays"),
    ("the reason is empty", "freeze", "--reason", " "),
    ("there is no site 'dog'", "freeze", "--site", "dog", "--reason", "holidays"),
    ("is not frozen", "thaw"),
    ("the name of the site is empty", "thaw", "--site", ""),
    ("has no end", "extend", SITE, "4h"),
    ("is past", "extend", SITE, "--until", "2020-01-01T00:00:00Z"),
    ("the reason is empty", "override", SITE, "--reason", ""),
    ("there is no site 'dog'", "override", "dog", "--reason", "it burns"),
    ("that was not confirmed", "destroy", SITE),
    ("there is no site 'dog'", "why", "dog"),
    ("there is no site 'dog'", "audit", "dog"),
)


def test_a_command_that_is_wrong_says_so_and_changes_nothing(home: Guarded) -> None:
    """While a plan waits, so that there is something to be changed."""
    home.held(SITE, "guard.last-copy")
    for words, *command in BAD:
        home.refuses(words, *command)
    home.refuses("Missing option '--reason'", "freeze", status=2)
    home.refuses("Missing option '--reason'", "override", SITE, status=2)
    home.refuses("that was not confirmed", "destroy", SITE, typed="shop2\n")


def test_what_somebody_rejected_is_refused_until_the_spec_is_another(home: Guarded) -> None:
    before = home.containers()
    plan = home.held(SITE, "guard.last-copy")["plan"]
    home.otto("reject", SITE, plan[:12], "--by", "ada", "--note", "not before the sale")
    home.held(SITE, "guard.rejected")
    home.again(killed=True)
    home.held(SITE, "guard.rejected")
    assert "not before the sale" in home.otto("why", SITE)
    assert home.containers() == before
    home.let_go(SITE, home.change(SITE, web=2))
    assert home.containers() == before


def test_a_scale_in_that_the_spec_asks_for_needs_nobody(home: Guarded) -> None:
    home.let_go(SITE, home.change(SITE))
    assert set(home.containers()) == {BALANCER, WEB}
    assert home.verdicts(SITE)[-1] == "Allowed"


def test_approvals_that_have_expired_are_none(home: Guarded, other: str) -> None:
    before = home.containers()
    home.change(SITE, {"approvers": 2, "approvalExpiry": "2s"}, image=other)
    plan = home.held(SITE, "guard.replace", "guard.last-copy")["plan"]
    home.stop()
    approve(home, plan, "ada", "grace")
    eventually("approvals expired", lambda: not home.grants(GrantKind.APPROVE), 20)
    last = home.peek_runs(SITE)[0].id
    home.again()
    home.judged_again(SITE, last)
    assert home.held(SITE, "guard.replace")["plan"] == plan
    assert home.containers() == before


def test_a_plan_waits_for_the_second_person_whatever_becomes_of_the_controller(
    home: Guarded, other: str
) -> None:
    before, plan = home.containers(), home.held(SITE, "guard.replace")["plan"]
    home.change(SITE, {"approvers": 2}, image=other)
    assert "1 of 2" in approve(home, plan, "ada")
    home.refuses("has approved plan", "approve", SITE, plan[:12], "--by", "Ada")
    last = home.peek_runs(SITE)[0].id
    home.again(killed=True)
    home.judged_again(SITE, last)
    assert home.held(SITE, "guard.replace")["plan"] == plan
    assert [grant.by for grant in home.grants(GrantKind.APPROVE)] == ["ada"]
    assert home.containers() == before
    home.serves(SITE)


def test_what_changes_after_the_approval_is_another_plan_and_is_not_carried_out(
    home: Guarded, other: str
) -> None:
    before, plan = home.containers(), home.held(SITE, "guard.replace")["plan"]
    home.stop()
    assert "2 of 2" in approve(home, plan, "grace")
    home.change(SITE, {"approvers": 2}, web=2, image=other)
    home.again()
    home.held(SITE, "guard.replace", unlike=plan)
    home.refuses("out of date", "approve", SITE, plan[:12], "--by", "linus")
    assert home.containers() == before


def test_two_people_have_that_very_plan_carried_out_once(home: Guarded) -> None:
    before, plan = ids(home), home.held(SITE, "guard.replace")["plan"]
    approve(home, plan, "ada", "grace")
    home.let_go(SITE)
    after = ids(home)
    assert set(after) == {BALANCER, WEB, OTHER}
    assert after[BALANCER] == before[BALANCER]
    assert after[WEB] != before[WEB]
    assert not [grant for grant in home.grants(GrantKind.APPROVE) if grant.plan == plan]
    run = next(run for run in home.runs(SITE) if "provision" in steps_of(run))
    assert (run["plan"], run["outcome"]) == (plan, "succeeded")
    said = [(item.entry.who, item.entry.what) for item in home.record(site=SITE) if item.entry.plan == plan]
    assert said[-3:] == [("ada", "approve"), ("grace", "approve"), ("otto", "verdict")]
    assert home.verdicts(SITE)[-2:] == ["NeedsApproval", "Allowed"]


# What no approval helps


def test_a_protected_site_is_neither_replaced_nor_destroyed(home: Guarded, other: str) -> None:
    before = home.containers()
    home.let_go(SITE, home.change(SITE, AUTO | {"protect": True}, web=2, image=other))
    eventually("protection in force", lambda: protected(home), 30)
    home.change(SITE, AUTO | {"protect": True}, web=2)
    plan = home.held(SITE, "guard.protect")["plan"]
    home.refuses("no approval changes that", "approve", SITE, plan[:12])
    home.otto("destroy", SITE, "--yes", "--by", "ada", "--timeout", "60", status=1)
    site = home.held(SITE, "guard.protect")
    assert site["leaving"] == "person"
    assert home.containers() == before
    home.otto("resume", SITE)
    home.serves(SITE)


def test_the_flag_and_what_it_protects_do_not_go_in_one_commit(home: Guarded, other: str) -> None:
    before = home.containers()
    home.change(SITE, AUTO, web=2)
    home.held(SITE, "guard.protect.recent")
    assert home.containers() == before
    home.let_go(SITE, home.change(SITE, AUTO, web=2, image=other))
    eventually("protection gone", lambda: not protected(home), 30)
    assert home.containers() == before


def test_with_a_commit_of_its_own_and_a_policy_of_auto_it_is_replaced_unasked(home: Guarded) -> None:
    before = ids(home)
    home.let_go(SITE, home.change(SITE, AUTO, web=2))
    after = ids(home)
    assert {name for name in after if after[name] != before[name]} == {WEB, OTHER}


def protected(home: Guarded) -> bool:
    last = home.applied(SITE).desired
    return last is not None and last.spec.policy.protect


def test_another_provider_is_refused_and_the_site_goes_on_where_it_is(home: Guarded) -> None:
    before = ids(home)
    home.change(SITE, web=2, provider="aws")
    home.held(SITE, "guard.place.provider")
    home.healed(SITE, WEB)
    home.held(SITE, "guard.place.provider")
    assert ids(home) == before
    home.serves(SITE)
    home.let_go(SITE, home.change(SITE, web=2))
    assert ids(home) == before


def test_in_the_end_the_audit_record_is_whole(home: Guarded) -> None:
    home.whole()
