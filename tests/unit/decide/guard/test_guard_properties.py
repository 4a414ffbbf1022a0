"""What holds of the guard for every plan, policy and past that hypothesis makes up."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from otto.decide.guard import judge
from otto.model.cost import Cost, CostChange
from otto.model.history import FleetSize, Grant, GrantKind, Heal, History, Removal, Spending
from otto.model.plan import Action, ActionKind, Circumstances, Plan, Removing, Step, StepKind
from otto.model.policy import (
    Budget,
    DriftPolicy,
    Effective,
    FleetLimits,
    FleetPolicy,
    Handling,
    Limits,
    Policy,
    Window,
    Windows,
)
from otto.model.verdict import Allowed, NeedsApproval, Refused, Verdict, Waiting

from .cases import NOW, SITE

STRICTNESS = {Allowed: 0, NeedsApproval: 1, Waiting: 2, Refused: 3}
HOSTS = {f"hello-web-{n}": "web" for n in range(1, 5)} | {f"hello-balancer-{n}": "balancer" for n in (1, 2)}
ENDS = {ActionKind.DESTROY, ActionKind.REPLACE}

kinds = st.sampled_from(list(ActionKind))
# Open at noon on a Thursday, closed then, or none at all: how windows open is tested by themselves.
windows = st.builds(
    Windows,
    st.sampled_from(
        [
            (),
            (Window(allow=True, cron="0 9 * * 1-5", lasts=4 * 3600.0),),
            (Window(allow=True, cron="0 22 * * *", lasts=3600.0),),
            (Window(allow=False, cron="0 9 * * 4", lasts=4 * 3600.0),),
        ]
    ),
    repairs=st.booleans(),
)
limits = st.builds(
    Limits,
    st.sampled_from([0.0, 1.0, 3.0, 9.0]),
    st.sampled_from([0.0, 0.3, 0.5, 1.0]),
    st.integers(0, 3),
    st.just(3600.0),
    st.sampled_from([0.0, 2.0, 12.0]),
)
budgets = st.none() | st.builds(Budget, st.sampled_from([1.0, 50.0, 1000.0]))
policies = st.builds(
    Policy,
    approval=st.sampled_from(["auto", "destructive", "always"]),
    approvers=st.integers(1, 2),
    protect=st.booleans(),
    limits=st.none() | limits,
    windows=windows,
    budget=budgets,
    drift=st.builds(
        DriftPolicy,
        st.dictionaries(st.sampled_from(["infrastructure", "content"]), st.sampled_from(list(Handling))),
        heals=st.integers(0, 2),
    ),
)
fleets = st.builds(
    FleetPolicy,
    limits=st.builds(
        FleetLimits, st.just(3600.0), st.sampled_from([0.0, 5.0, 20.0]), st.sampled_from([0.0, 0.5])
    ),
    windows=windows,
    budget=budgets,
)
effective = st.builds(Effective, policies, fleets)
costs = st.none() | st.builds(
    CostChange,
    st.just(Cost(1.0)),
    st.just(Cost(2.0)),
    st.sampled_from([0.0, 0.5]),
    st.just("EUR"),
    st.sampled_from([(), ("huge",)]),
)
abouts = st.builds(
    Circumstances,
    st.sampled_from(["lab", "aws"]),
    st.just(HOSTS),
    st.sets(st.sampled_from(["spec", "drift", "failure", "asked"]), min_size=1).map(
        lambda s: tuple(sorted(s))
    ),
    st.sets(st.sampled_from(["infrastructure", "content"])).map(lambda s: tuple(sorted(s))),
    st.sampled_from([(), ("hosts/hello-web-1/state",)]),
    st.just(("small",)),
    costs,
    st.sampled_from(list(Removing)),
)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    chosen = draw(st.dictionaries(st.sampled_from(sorted(HOSTS)), kinds, max_size=6))
    about = draw(abouts)
    actions = tuple(_action(name, kind, about.removing) for name, kind in sorted(chosen.items()))
    steps = [Step(StepKind.PROVISION, tuple(sorted(chosen)), actions)] if actions else []
    if draw(st.booleans()):
        steps.append(Step(StepKind.CONFIGURE, (draw(st.sampled_from(sorted(HOSTS))),)))
    return Plan(SITE, "d", tuple(steps), about)


def _action(name: str, kind: ActionKind, removing: Removing = Removing.NOBODY) -> Action:
    asked = kind is ActionKind.SCALE_IN or (kind is ActionKind.DESTROY and bool(removing))
    return Action(name, kind, host=name, asked=asked, type="lab_host")


def _grant(kind: GrantKind, site: str, by: str, minutes: int, lasts: int | None) -> Grant:
    at = NOW - timedelta(minutes=minutes)
    return Grant(kind, site, by, at, None if lasts is None else at + timedelta(minutes=lasts))


grants = st.builds(
    _grant,
    st.sampled_from([GrantKind.FREEZE, GrantKind.OVERRIDE]),
    st.sampled_from(["", SITE, "other"]),
    st.sampled_from(["ada", "grace"]),
    st.integers(0, 120),
    st.none() | st.integers(1, 240),
)
histories = st.builds(
    History,
    grants=st.lists(grants, max_size=2).map(tuple),
    removals=st.lists(
        st.builds(
            Removal,
            st.sampled_from([SITE, "other"]),
            st.just("x"),
            kinds,
            st.integers(0, 90).map(lambda m: NOW - timedelta(minutes=m)),
        ),
        max_size=8,
    ).map(tuple),
    protected=st.booleans(),
    provider=st.sampled_from(["", "lab"]),
    heals=st.lists(
        st.integers(0, 90).map(lambda m: Heal(NOW - timedelta(minutes=m), ("hosts/hello-web-1/state",))),
        max_size=3,
    ).map(tuple),
    spending=st.none()
    | st.builds(Spending, st.sampled_from([0.0, 40.0]), st.just(0.1), st.just(60.0), st.just(0.5)),
    fleet=st.builds(FleetSize, st.sampled_from([6, 40]), st.sampled_from([0, 30])),
    providers=st.just(frozenset({"lab"})),
)


def approved(plan: Plan, history: History, people: tuple[str, ...] = ("ada", "grace")) -> History:
    given = tuple(Grant(GrantKind.APPROVE, SITE, by, NOW, None, "", plan.digest) for by in people)
    return replace(history, grants=(*history.grants, *given))


def strictness(verdict: Verdict) -> int:
    return STRICTNESS[type(verdict)]


def with_delete(plan: Plan, name: str) -> Plan:
    """The same plan with one more host destroyed."""
    extra = Action(name, ActionKind.DESTROY, host=name, type="lab_host")
    rest = tuple(step for step in plan.steps if step.kind is not StepKind.PROVISION)
    hosts = tuple(sorted({*(action.host for action in plan.actions), name}))
    return replace(plan, steps=(Step(StepKind.PROVISION, hosts, (*plan.actions, extra)), *rest))


@settings(max_examples=100)
@given(plans(), effective, histories)
def test_the_same_case_gets_the_same_verdict(plan: Plan, policy: Effective, history: History) -> None:
    assert judge(plan, policy, history, NOW) == judge(plan, policy, history, NOW)


@settings(max_examples=100)
@given(plans(), effective, histories, st.sampled_from(sorted(HOSTS)))
def test_one_more_delete_never_makes_a_verdict_milder(
    plan: Plan, policy: Effective, history: History, name: str
) -> None:
    assume(name not in {action.host for action in plan.actions})
    more = with_delete(plan, name)
    # Both approved, or neither: an approval names one plan only.
    assert strictness(judge(more, policy, history, NOW)) >= strictness(judge(plan, policy, history, NOW))
    before, after = approved(plan, history), approved(more, history)
    assert strictness(judge(more, policy, after, NOW)) >= strictness(judge(plan, policy, before, NOW))


@settings(max_examples=100)
@given(plans(), effective, histories)
def test_nothing_living_ends_that_no_approval_tombstone_or_auto_covers(
    plan: Plan, policy: Effective, history: History
) -> None:
    verdict = judge(plan, policy, history, NOW)
    ends = [action for action in plan.actions if action.kind in ENDS]
    if isinstance(verdict, Allowed) and ends and policy.site.approval != "auto":
        assert plan.about.removing
        assert all(action.asked for action in ends)


@settings(max_examples=100)
@given(plans(), effective, histories)
def test_protection_is_not_taken_off_and_made_use_of_in_one_step(
    plan: Plan, policy: Effective, history: History
) -> None:
    ends = any(action.kind in ENDS for action in plan.actions)
    protected = replace(history, protected=True)
    assert not (ends and isinstance(judge(plan, policy, protected, NOW), Allowed))
    still = replace(policy, site=replace(policy.site, protect=True))
    verdict = judge(plan, still, approved(plan, protected), NOW)
    assert not ends or isinstance(verdict, Refused)


@settings(max_examples=100)
@given(plans(), effective, histories)
def test_an_approval_never_makes_a_verdict_stricter(plan: Plan, policy: Effective, history: History) -> None:
    after = judge(plan, policy, approved(plan, history), NOW)
    assert strictness(after) <= strictness(judge(plan, policy, history, NOW))
    assert not isinstance(after, NeedsApproval)


@settings(max_examples=100)
@given(plans(), effective, histories)
def test_one_person_is_never_two(plan: Plan, policy: Effective, history: History) -> None:
    two = replace(policy, site=replace(policy.site, approvers=2))
    before = judge(plan, two, history, NOW)
    after = judge(plan, two, approved(plan, history, ("ada", "ada")), NOW)
    assert strictness(after) == strictness(before)


@settings(max_examples=100)
@given(plans(), effective, histories)
def test_what_is_held_says_why_and_what_lets_it_go_on(
    plan: Plan, policy: Effective, history: History
) -> None:
    verdict = judge(plan, policy, history, NOW)
    if not isinstance(verdict, Allowed):
        assert verdict.reasons
        assert all(item.rule.startswith("guard.") and item.message and item.mend for item in verdict.reasons)
