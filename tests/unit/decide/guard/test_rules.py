"""Each rule: what it holds, what it lets pass, and what lets a held plan go on."""

from dataclasses import replace
from datetime import timedelta

import pytest

from otto.decide.guard import RULES, judge, taken
from otto.model.cost import Cost, CostChange
from otto.model.history import Account, FleetSize, GrantKind, Heal, History, Removal, Spending
from otto.model.plan import Action, ActionKind, Plan, Removing
from otto.model.policy import (
    Budget,
    DriftPolicy,
    Effective,
    FleetLimits,
    FleetPolicy,
    Handling,
    Limits,
    Overrun,
    Place,
    Window,
    Windows,
)
from otto.model.verdict import Allowed, NeedsApproval, Refused, Waiting

from .cases import ABOUT, HOSTS, NOW, SITE, act, approval, grant, kind, named, plan, policy, removal, said

CREATE, UPDATE, SCALE_IN = ActionKind.CREATE, ActionKind.UPDATE, ActionKind.SCALE_IN
REPAIR, REPLACE, DESTROY, IMPORT = (
    ActionKind.REPAIR,
    ActionKind.REPLACE,
    ActionKind.DESTROY,
    ActionKind.IMPORT,
)
PROTECTED = policy(protect=True)


@pytest.mark.parametrize(
    ("of", "approval", "verdict", "rules"),
    [
        (plan(act(CREATE)), "destructive", "Allowed", set()),
        (plan(act(UPDATE)), "destructive", "Allowed", set()),
        (plan(act(IMPORT)), "destructive", "Allowed", set()),
        (plan(act(REPAIR)), "destructive", "Allowed", set()),
        (plan(act(SCALE_IN)), "destructive", "Allowed", set()),
        (plan(configure=("hello-web-1",)), "destructive", "Allowed", set()),
        (plan(act(REPLACE)), "destructive", "NeedsApproval", {"guard.replace"}),
        (plan(act(DESTROY)), "destructive", "NeedsApproval", {"guard.destroy"}),
        (
            plan(act(REPLACE, "hello-balancer-1")),
            "destructive",
            "NeedsApproval",
            {"guard.replace", "guard.last-copy"},
        ),
        (plan(act(REPLACE)), "auto", "Allowed", set()),
        (plan(act(DESTROY)), "auto", "Allowed", set()),
        (plan(act(REPLACE, "hello-balancer-1")), "auto", "Allowed", set()),
        (plan(act(CREATE)), "always", "NeedsApproval", {"guard.approval.always"}),
        (plan(configure=("hello-web-1",)), "always", "NeedsApproval", {"guard.approval.always"}),
        (plan(), "always", "Allowed", set()),
    ],
)
def test_what_asks_by_the_policys_approval(of: Plan, approval: str, verdict: str, rules: set[str]) -> None:
    assert said(of, policy(approval=approval)) == (verdict, rules)


def test_a_scale_in_of_the_last_web_servers_asks() -> None:
    two = replace(ABOUT, hosts={name: role for name, role in HOSTS.items() if name != "hello-web-3"})
    gone = plan(act(SCALE_IN), act(SCALE_IN, "hello-web-2"), about=two)
    verdict, rules = said(gone)
    assert verdict == "NeedsApproval"
    assert "guard.last-copy" in rules


def test_a_last_living_copy_counts_even_beside_dead_ones() -> None:
    rules = said(plan(act(SCALE_IN), act(REPAIR, "hello-web-2"), act(REPAIR, "hello-web-3")))[1]
    assert "guard.last-copy" in rules


def test_a_waiting_plan_names_rule_figures_and_the_command_that_lets_it_go_on() -> None:
    of = plan(replace(act(REPLACE), changed=("image",)))
    verdict = judge(of, Effective(), History(), NOW)
    assert isinstance(verdict, NeedsApproval)
    reason = verdict.reasons[0]
    assert "hello-web-1 because of image" in reason.message
    assert reason.figures == {"replaced": "1"}
    assert reason.mend == f"otto approve {SITE} {of.digest[:12]}"


# Approvals


def test_an_approval_answers_for_that_very_plan_and_no_other() -> None:
    of, other = plan(act(REPLACE)), plan(act(REPLACE, "hello-web-2"))
    history = History(grants=(approval(of),))
    assert said(of, history=history)[0] == "Allowed"
    assert said(other, history=history)[0] == "NeedsApproval"


@pytest.mark.parametrize(
    ("ago", "lasts", "expiry", "verdict"),
    [
        (60.0, 3600.0, 86_400.0, "Allowed"),
        (3601.0, 3600.0, 86_400.0, "NeedsApproval"),  # ended by itself
        (7200.0, None, 3600.0, "NeedsApproval"),  # the policy was made stricter since
    ],
)
def test_an_approval_expires(ago: float, lasts: float | None, expiry: float, verdict: str) -> None:
    of = plan(act(REPLACE))
    history = History(grants=(approval(of, ago=ago, lasts=lasts),))
    assert said(of, policy(approval_expiry=expiry), history)[0] == verdict


@pytest.mark.parametrize(
    ("people", "verdict"),
    [(("ada",), "NeedsApproval"), (("ada", "ada"), "NeedsApproval"), (("ada", "grace"), "Allowed")],
)
def test_two_approvers_are_two_people(people: tuple[str, ...], verdict: str) -> None:
    of = plan(act(REPLACE))
    history = History(grants=tuple(approval(of, by) for by in people))
    assert said(of, policy(approvers=2), history)[0] == verdict


def test_what_is_missing_of_two_approvers_is_told() -> None:
    of = plan(act(REPLACE))
    verdict = judge(of, policy(approvers=2), History(grants=(approval(of),)), NOW)
    assert isinstance(verdict, NeedsApproval)
    assert (verdict.given, verdict.wanted) == (1, 2)


def test_a_rejected_plan_is_refused_whatever_was_approved() -> None:
    of = plan(act(REPLACE))
    rejection = grant(GrantKind.REJECT, plan=of.digest, reason="not today")
    verdict = judge(of, Effective(), History(grants=(approval(of), rejection)), NOW)
    assert isinstance(verdict, Refused)
    assert "ada rejected this very plan: not today" in verdict.reasons[0].message


# Blast radius


@pytest.mark.parametrize(
    ("limits", "rules"),
    [
        (Limits(), set()),
        (Limits(count=1), {"guard.destroy.count"}),
        (Limits(share=0.3), {"guard.destroy.share"}),
        (Limits(count=1, share=0.3), {"guard.destroy.count", "guard.destroy.share"}),
    ],
)
def test_limits_of_one_plan_hold_for_every_approval(limits: Limits, rules: set[str]) -> None:
    of = plan(act(REPLACE), act(REPLACE, "hello-web-2"))
    assert said(of, policy(approval="auto", limits=limits))[1] == rules


def test_the_last_copy_weighs_three_times() -> None:
    of = plan(act(REPLACE, "hello-balancer-1"), act(REPLACE))
    verdict = judge(of, policy(approval="auto"), History(), NOW)
    assert isinstance(verdict, NeedsApproval)
    assert verdict.reasons[0].rule == "guard.destroy.count"
    assert verdict.reasons[0].figures == {"have": "4", "limit": "3"}


def test_repairs_count_too() -> None:
    of = plan(act(REPAIR), act(REPAIR, "hello-web-2"))
    assert said(of, policy(limits=Limits(repair_count=1)))[1] == {"guard.repair.count"}


@pytest.mark.parametrize(
    ("age", "site", "rules"),
    [
        (60.0, SITE, {"guard.window.count"}),
        (3601.0, SITE, set()),
        (60.0, "other", set()),
    ],
)
def test_a_window_adds_up_what_went_before(age: float, site: str, rules: set[str]) -> None:
    went = tuple(Removal(site, f"x-{n}", REPAIR, NOW - timedelta(seconds=age)) for n in range(12))
    assert said(plan(act(REPAIR)), history=History(removals=went))[1] == rules


def test_the_fleet_adds_up_over_all_sites_and_repairs_are_left_out() -> None:
    went = tuple(Removal("other", f"x-{n}", SCALE_IN, NOW) for n in range(12))
    healed = tuple(replace(item, kind=REPAIR) for item in went)
    assert said(plan(act(SCALE_IN)), history=History(removals=went))[1] == {"guard.fleet.count"}
    assert said(plan(act(SCALE_IN)), history=History(removals=healed))[0] == "Allowed"


def test_a_large_fleet_may_lose_its_share() -> None:
    went = tuple(Removal("other", f"x-{n}", SCALE_IN, NOW) for n in range(12))
    history = History(removals=went, fleet=FleetSize(100))
    assert said(plan(act(SCALE_IN)), history=history)[0] == "Allowed"


def test_a_tombstone_is_no_way_around_the_fleets_limits() -> None:
    assert said(removal()) == ("Allowed", set())
    went = tuple(Removal("other", f"x-{n}", DESTROY, NOW) for n in range(10))
    assert said(removal(), history=History(removals=went)) == ("NeedsApproval", {"guard.fleet.count"})
    assert said(removal(Removing.PERSON), history=History(removals=went)) == ("Allowed", set())


@pytest.mark.parametrize(
    ("fleet", "verdict"),
    [
        (FleetSize(20, 0), "Allowed"),
        (FleetSize(20, 9), "Allowed"),
        (FleetSize(20, 10), "Waiting"),
        (FleetSize(10, 9), "Allowed"),  # a small fleet
    ],
)
def test_a_share_of_the_fleet_changes_at_once(fleet: FleetSize, verdict: str) -> None:
    of = plan(configure=("hello-web-1",))
    assert said(of, history=History(fleet=fleet))[0] == verdict


def test_a_repair_never_waits_for_other_sites() -> None:
    of = plan(act(REPAIR), about=replace(ABOUT, causes=("failure",)))
    assert said(of, history=History(fleet=FleetSize(20, 19)))[0] == "Allowed"


def test_what_is_remembered_of_a_plan_is_what_it_takes_and_makes_anew() -> None:
    of = plan(act(CREATE, "new"), act(REPAIR), act(REPLACE, "hello-balancer-1"))
    found = taken(of, Effective(), NOW)
    assert [(item.host, item.kind, item.weight) for item in found] == [
        ("hello-balancer-1", REPLACE, 3.0),
        ("hello-web-1", REPAIR, 1.0),
    ]


# Protection, freezes, windows


@pytest.mark.parametrize("action", [DESTROY, REPLACE])
@pytest.mark.parametrize("mode", ["auto", "destructive", "always"])
def test_protection_refuses_and_no_approval_helps(action: ActionKind, mode: str) -> None:
    of = plan(act(action))
    history = History(grants=(approval(of),), protected=True)
    assert said(of, policy(protect=True, approval=mode), history)[0] == "Refused"


@pytest.mark.parametrize("of", [plan(act(DESTROY)), plan(act(REPLACE)), removal(), removal(Removing.PERSON)])
def test_protection_that_goes_in_the_same_step_asks_even_where_all_is_automatic(of: Plan) -> None:
    history = History(protected=True)
    verdict, rules = said(of, policy(approval="auto"), history)
    assert (verdict, rules) == ("NeedsApproval", {"guard.protect.recent"})
    assert said(of, policy(approval="auto"), replace(history, grants=(approval(of),)))[0] == "Allowed"
    assert said(of, policy(approval="auto"), History())[0] == "Allowed"


@pytest.mark.parametrize("of", [plan(act(CREATE)), plan(act(REPAIR)), plan(act(SCALE_IN)), plan(act(UPDATE))])
def test_protection_holds_up_nothing_else(of: Plan) -> None:
    assert said(of, PROTECTED, History(protected=True))[0] == "Allowed"


@pytest.mark.parametrize("site", ["", SITE])
@pytest.mark.parametrize("of", [plan(act(SCALE_IN)), plan(act(REPLACE)), removal()])
def test_a_freeze_holds_whatever_is_taken_away(of: Plan, site: str) -> None:
    history = History(grants=(grant(GrantKind.FREEZE, site=site, reason="looking into it"), approval(of)))
    verdict = judge(of, policy(approval="auto"), history, NOW)
    assert isinstance(verdict, Waiting)
    assert "looking into it" in verdict.reasons[0].message
    assert verdict.reasons[0].mend == (f"otto thaw --site {SITE}" if site else "otto thaw")


def test_a_freeze_lets_heal_and_grow_and_ends_in_time() -> None:
    frozen = History(grants=(grant(GrantKind.FREEZE, site="", lasts=3600.0),))
    assert said(plan(act(REPAIR), act(CREATE, "new")), history=frozen)[0] == "Allowed"
    verdict = judge(plan(act(SCALE_IN)), Effective(), frozen, NOW)
    assert isinstance(verdict, Waiting)
    assert verdict.until == NOW + timedelta(seconds=3540)
    assert said(plan(act(SCALE_IN)), history=frozen, now=NOW + timedelta(hours=1))[0] == "Allowed"
    other = History(grants=(grant(GrantKind.FREEZE, site="other"),))
    assert said(plan(act(SCALE_IN)), history=other)[0] == "Allowed"


NIGHT = Windows((Window(allow=True, cron="0 22 * * *", lasts=4 * 3600.0),))
NOON = Windows((Window(allow=False, cron="30 11 * * *", lasts=3600.0),))


@pytest.mark.parametrize("windows", [NIGHT, NOON])
def test_a_change_outside_its_windows_waits_until_the_next_one(windows: Windows) -> None:
    verdict = judge(plan(act(CREATE)), policy(windows=windows), History(), NOW)
    assert isinstance(verdict, Waiting)
    assert verdict.reasons[0].rule == "guard.window.site"
    assert verdict.until == NOW.replace(
        hour=22 if windows is NIGHT else 12, minute=0 if windows is NIGHT else 30
    )


def test_the_fleets_windows_count_as_well_and_an_emergency_overrides_both() -> None:
    fleet = FleetPolicy(windows=NIGHT)
    assert said(plan(act(CREATE)), policy(fleet))[1] == {"guard.window.fleet"}
    override = History(grants=(grant(GrantKind.OVERRIDE, lasts=3600.0, reason="the shop is down"),))
    assert said(plan(act(CREATE)), policy(fleet, windows=NIGHT), override)[0] == "Allowed"


@pytest.mark.parametrize(
    ("repairs", "causes", "verdict"),
    [
        (False, ("failure",), "Allowed"),
        (True, ("failure",), "Waiting"),
        (False, ("failure", "spec"), "Waiting"),
        (False, ("asked", "drift"), "Waiting"),
    ],
)
def test_repairs_go_on_outside_windows_unless_they_are_to_wait(
    repairs: bool, causes: tuple[str, ...], verdict: str
) -> None:
    of = plan(act(REPAIR), about=replace(ABOUT, causes=causes))
    closed = replace(NIGHT, repairs=repairs, overrun=Overrun.HOLD)
    assert said(of, policy(windows=closed))[0] == verdict


@pytest.mark.parametrize(
    ("action", "repairs", "verdict"),
    [
        (act(REPLACE, "hello-web-1"), False, "Allowed"),
        (act(REPLACE, "hello-web-2"), False, "Waiting"),
        (act(SCALE_IN, "hello-web-2"), False, "Allowed"),
        (act(DESTROY, "hello-web-1", asked=True), False, "Allowed"),
        (act(DESTROY, "hello-web-2", asked=True), False, "Waiting"),
        (act(CREATE, "hello-web-4"), False, "Allowed"),
        (act(CREATE, "hello-web-4"), True, "Waiting"),
    ],
)
def test_what_failed_is_taken_back_outside_windows_and_nothing_else_goes_with_it(
    action: Action, repairs: bool, verdict: str
) -> None:
    about = replace(ABOUT, undoing=frozenset({"hello-web-1"}), taking_back=True)
    closed = replace(NIGHT, repairs=repairs)
    assert said(plan(action, about=about), policy(windows=closed, approval="auto"))[0] == verdict


# Money


def priced(added: float, unpriced: tuple[str, ...] = ()) -> Plan:
    cost = CostChange(Cost(1.0), Cost(1.0 + added), added, "EUR", unpriced)
    return plan(act(CREATE), about=replace(ABOUT, cost=cost))


@pytest.mark.parametrize(
    ("added", "budget", "verdict", "rules"),
    [
        (0.1, Budget(1000.0), "Allowed", set()),
        (0.1, Budget(200.0), "Refused", {"guard.budget.site"}),  # 100 spent + 1.1 * 100 hours
        (0.0, Budget(150.0), "Allowed", {"guard.budget.warn"}),  # over it by what runs already: told
        (0.1, Budget(250.0), "Allowed", {"guard.budget.warn"}),
    ],
)
def test_a_budget_refuses_what_would_add_to_it(
    added: float, budget: Budget, verdict: str, rules: set[str]
) -> None:
    history = History(spending=Spending(100.0, 1.0, 100.0, 1.0, 100.0))
    own = said(priced(added), policy(budget=budget), history)
    assert own == (verdict, rules)
    of_fleet = said(priced(added), policy(FleetPolicy(budget=budget)), history)
    assert of_fleet == (verdict, {rule.replace(".site", ".fleet") for rule in rules})


def test_no_approval_goes_over_a_budget() -> None:
    of = priced(0.1)
    history = History(spending=Spending(100.0, 1.0, 0, 0, 100.0), grants=(approval(of),))
    assert said(of, policy(budget=Budget(150.0)), history)[0] == "Refused"


def test_an_unknown_price_asks_even_where_all_is_automatic() -> None:
    assert said(priced(0.0, ("t3.huge",)), policy(approval="auto")) == (
        "NeedsApproval",
        {"guard.budget.unknown"},
    )


# Places


@pytest.mark.parametrize(
    ("place", "account", "rules"),
    [
        (Place(), None, set()),
        (Place(accounts=("a1",)), Account("a1"), set()),
        (Place(accounts=("a1",)), Account("b2"), {"guard.place.account"}),
        (Place(accounts=("a1",)), None, {"guard.place.account"}),
        (Place(regions=("eu",)), Account("a1", "us"), {"guard.place.region"}),
        (Place(sizes=("medium",)), None, {"guard.place.size"}),
        (Place(sizes=("small", "medium")), None, set()),
        (Place(resources=("lab_network",)), None, {"guard.place.resource"}),
    ],
)
def test_places_allow_what_they_list(place: Place, account: Account | None, rules: set[str]) -> None:
    found = said(plan(act(CREATE)), policy(FleetPolicy(places={"lab": place})), History(account=account))
    assert found == ("Refused" if rules else "Allowed", rules)


def test_a_wrong_account_is_refused_before_there_is_any_plan() -> None:
    nothing = Plan(SITE, "", (), ABOUT)
    strict = policy(FleetPolicy(places={"lab": Place(accounts=("a1",))}))
    assert said(nothing, strict, History(account=Account("b2"))) == ("Refused", {"guard.place.account"})
    assert said(nothing)[0] == "Allowed"


def test_a_provider_that_may_not_be_touched_is_refused() -> None:
    of = plan(act(CREATE), about=replace(ABOUT, provider="aws"))
    verdict = judge(of, Effective(), History(), NOW)
    assert isinstance(verdict, Refused)
    assert verdict.reasons[0].mend == "add it to CLOWD_PROVIDERS, or change spec.provider"


def test_a_site_does_not_move_to_another_provider() -> None:
    of = plan(act(REPLACE), about=replace(ABOUT, provider="aws"))
    both = History(provider="lab", providers=frozenset({"lab", "aws"}))
    assert said(of, policy(approval="auto"), both) == ("Refused", {"guard.place.moved"})


# Drift


def test_drift_that_the_policy_asks_about_asks() -> None:
    of = plan(configure=("hello-web-1",), about=replace(ABOUT, causes=("drift",), drifted=("configuration",)))
    asks = policy(approval="auto", drift=DriftPolicy({"configuration": Handling.ASK}))
    assert said(of, asks) == ("NeedsApproval", {"guard.drift.ask"})
    assert said(of, policy(drift=DriftPolicy({"content": Handling.ASK})))[0] == "Allowed"


PATH = "hosts/hello-web-1/files/etc/nginx/nginx.conf"


@pytest.mark.parametrize(
    ("minutes", "paths", "verdict"),
    [
        ((1, 2, 3, 4, 5, 6), (PATH,), "Waiting"),
        ((1, 2, 3, 4, 5), (PATH,), "Allowed"),
        ((1, 2, 3, 4, 5, 61), (PATH,), "Allowed"),
        ((1, 2, 3, 4, 5, 6), ("hosts/hello-web-2/content",), "Allowed"),
    ],
)
def test_what_is_repaired_again_and_again_is_left_for_a_while(
    minutes: tuple[int, ...], paths: tuple[str, ...], verdict: str
) -> None:
    of = plan(configure=("hello-web-1",), about=replace(ABOUT, causes=("drift",), mends=(PATH,)))
    heals = tuple(Heal(NOW - timedelta(minutes=m), paths) for m in minutes)
    history = History(heals=heals, culprits=("hello-web-1: changed by uid 0",))
    found = judge(of, Effective(), history, NOW)
    assert kind(found) == verdict
    if isinstance(found, Waiting):
        assert found.until == NOW - timedelta(minutes=6) + timedelta(hours=1)
        assert "changed by uid 0" in found.reasons[0].message
        assert named(judge(of, Effective(), replace(history, grants=(approval(of),)), NOW)) == frozenset()


# The whole


def test_the_strictest_counts_and_what_waits_behind_it_is_told() -> None:
    of = plan(act(REPLACE))
    frozen = History(grants=(grant(GrantKind.FREEZE, site=""),), protected=True)
    verdict = judge(of, policy(protect=True), frozen, NOW)
    assert isinstance(verdict, Refused)
    assert [item.rule for item in verdict.reasons] == ["guard.protect"]
    assert {item.rule for item in verdict.behind} == {"guard.freeze", "guard.replace"}


def test_a_plan_of_nothing_is_allowed_whatever_holds() -> None:
    frozen = History(grants=(grant(GrantKind.FREEZE, site=""),))
    assert isinstance(judge(Plan(SITE, "", (), ABOUT), policy(approval="always"), frozen, NOW), Allowed)


@pytest.mark.parametrize(
    ("who", "approval", "approvers", "rules"),
    [
        (Removing.TOMBSTONE, "destructive", 1, set()),
        (Removing.EXPIRY, "destructive", 1, set()),
        (Removing.PERSON, "destructive", 1, set()),
        (Removing.TOMBSTONE, "always", 1, {"guard.approval.always"}),
        (Removing.EXPIRY, "always", 1, {"guard.approval.always"}),
        (Removing.PERSON, "always", 1, set()),
        (Removing.PERSON, "destructive", 2, {"guard.destroy.approvers"}),
    ],
)
def test_who_may_take_a_site_down(who: Removing, approval: str, approvers: int, rules: set[str]) -> None:
    assert said(removal(who), policy(approval=approval, approvers=approvers))[1] == rules


def test_rules_have_names_of_their_own_and_say_what_they_are() -> None:
    names = [rule.name for rule in RULES]
    assert len(set(names)) == len(names)
    assert all(rule.about and rule.mend and rule.name.startswith("guard.") for rule in RULES)


def test_a_changed_fleet_limit_counts() -> None:
    tight = policy(FleetPolicy(limits=FleetLimits(count=0.5, share=0.0)))
    assert said(plan(act(SCALE_IN)), tight)[1] == {"guard.fleet.count"}
