"""Which servers are changed in which steps, what of it was allowed, and what may go back."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from otto.decide import rollout
from otto.decide.diff import diff
from otto.decide.requests import infrastructure_inputs
from otto.model.desired import Desired
from otto.model.host import HostState
from otto.model.observed import Applied, Observed, Seen
from otto.model.plan import Action, ActionKind, Plan, Step, StepKind
from otto.model.rollout import Quarantine, RolloutState, RolloutStatus
from otto.model.strategy import Amount, Rollout, Strategy

from .simulation import NOW, built, desired, spec

OLD = desired(spec(web=4))
NEW = desired(spec(web=4), content="c2")
WEB = tuple(f"hello-web-{number}" for number in range(1, 5))
BALANCER = "hello-balancer-1"


def facts(seen: Observed, name: str, **changes: object) -> Observed:
    have = seen.facts[name]
    assert isinstance(have, Seen)
    new = Seen(replace(have.value, **changes), NOW)  # type: ignore[arg-type]
    return replace(seen, facts=dict(seen.facts) | {name: new})


def aside(seen: Observed, *names: str) -> Observed:
    return facts(seen, BALANCER, backends={name: "MAINT" if name in names else "UP" for name in WEB})


def lost(seen: Observed, name: str) -> Observed:
    assert isinstance(seen.inventory, Seen)
    live = tuple(
        replace(item, state=HostState.STOPPED) if item.name == name else item for item in seen.inventory.value
    )
    return replace(seen, inventory=Seen(live, NOW))


def pictured(seen: Observed) -> Observed:
    """The same, with hosts that tell which image they were made from."""
    assert isinstance(seen.infrastructure, Seen)
    state = seen.infrastructure.value
    hosts = tuple(replace(host, image="img") for host in state.hosts)
    return replace(seen, infrastructure=Seen(replace(state, hosts=hosts), NOW))


def taken(wish: Desired, seen: Observed, begun: Iterable[str] = ()) -> list[str]:
    """Batches, each as the numbers of its servers."""
    found = rollout.course(wish, seen, diff(wish, seen), begun=begun)
    return ["".join(name[-1] for name in batch) for batch in found.batches]


SEEN = aside(built(OLD))
NOTHING = Plan("hello", OLD.digest, ())
ANEW = Plan(
    "hello",
    OLD.digest,
    (Step(StepKind.PROVISION, (), (Action("web", ActionKind.REPLACE, ("image",), host=WEB[1]),)),),
)
TWO = replace(NEW, spec=replace(NEW.spec, rollout=Rollout(batch=Amount(2), max_unavailable=Amount(2))))
CANARY = replace(NEW, spec=replace(NEW.spec, rollout=Rollout(Strategy.CANARY, Amount(2), Amount(2))))


@pytest.mark.parametrize(
    ("wish", "seen", "begun", "batches"),
    [
        (OLD, SEEN, (), []),
        (NEW, SEEN, (), ["1", "2", "3", "4"]),
        (TWO, SEEN, (), ["12", "34"]),
        (CANARY, SEEN, (), ["1", "23", "4"]),
        (NEW, aside(SEEN, WEB[2]), (), ["3", "1", "2", "4"]),
        (NEW, facts(SEEN, WEB[3], services={"nginx": "failed"}), (), ["1", "2", "3"]),
        (NEW, facts(SEEN, WEB[3], configuration=None), (), ["1", "2", "3"]),
        (NEW, lost(SEEN, WEB[0]), (), ["2", "3", "4"]),
        (NEW, facts(SEEN, WEB[0], revision="c2", content="tree-c2"), (), ["2", "3", "4"]),
        (NEW, facts(SEEN, WEB[0], revision="c2", content="tree-c2"), WEB[:1], ["1", "2", "3", "4"]),
        (OLD, SEEN, WEB[1:2], ["2"]),
        (OLD, aside(SEEN, WEB[3]), (), ["4"]),
    ],
)
def test_running_servers_that_a_wish_changes_go_in_batches(
    wish: Desired, seen: Observed, begun: tuple[str, ...], batches: list[str]
) -> None:
    assert taken(wish, seen, begun) == batches


def test_a_lone_balancer_is_changed_at_once_and_two_one_after_the_other() -> None:
    for count, steps in ((1, ()), (2, ("hello-balancer-1", "hello-balancer-2"))):
        old = desired(spec(balancer=count))
        new = replace(old, roles=dict(old.roles) | {"haproxy": "h2"})
        seen = built(old)
        assert rollout.course(new, seen, diff(new, seen)).balancers == steps


@pytest.mark.parametrize(
    ("strategy", "applied", "does"),
    [
        (Strategy.ROLLING, Applied(verified=OLD.digest, desired=OLD), True),
        (Strategy.CANARY, Applied(verified=OLD.digest, desired=OLD), True),
        (Strategy.ALL, Applied(verified=OLD.digest, desired=OLD), False),
        (Strategy.ROLLING, Applied(), False),
        (Strategy.ROLLING, Applied(verified="known only by name"), False),
    ],
)
def test_steps_are_taken_away_from_what_was_verified(
    strategy: Strategy, applied: Applied, does: bool
) -> None:
    wish = replace(NEW, spec=replace(NEW.spec, rollout=Rollout(strategy)))
    seen = replace(SEEN, applied=applied)
    assert rollout.rolls(wish, seen, (), NOTHING) is does


def of_size(seen: Observed, **sizes: str) -> Observed:
    """Web servers, by number, whose module tells their size."""
    assert isinstance(seen.infrastructure, Seen)
    state = seen.infrastructure.value
    hosts = tuple(replace(host, size=sizes.get(f"n{host.name[-1]}", "")) for host in state.hosts)
    return replace(seen, infrastructure=Seen(replace(state, hosts=hosts), NOW))


def updates(*names: str) -> Plan:
    actions = tuple(Action(f"host {name}", ActionKind.UPDATE, ("size",), host=name) for name in names)
    return Plan("hello", NEW.digest, (Step(StepKind.PROVISION, (), actions),))


@pytest.mark.parametrize(
    ("seen", "plan", "found"),
    [
        (of_size(SEEN, n1="large", n2="large"), updates(WEB[0], WEB[1]), {WEB[0], WEB[1]}),
        (of_size(SEEN, n1="large", n2="large"), updates(WEB[0]), {WEB[0]}),
        (of_size(SEEN, n1="small", n2="large"), updates(WEB[0], WEB[1]), {WEB[1]}),
        (of_size(SEEN, n2="large"), updates(WEB[0], WEB[1]), {WEB[1]}),
        (lost(of_size(SEEN, n1="large"), WEB[0]), updates(WEB[0]), set()),
        (of_size(SEEN, n1="large"), ANEW, set()),
    ],
)
def test_sizes_that_change_in_place_wait_for_their_turn(seen: Observed, plan: Plan, found: set[str]) -> None:
    assert rollout.resized(NEW, plan, seen) == found
    kept = rollout.keeping(infrastructure_inputs(NEW), found, seen)
    assert kept.sizes == dict.fromkeys(sorted(found), "large")


@pytest.mark.parametrize("strategy", [Strategy.ROLLING, Strategy.ALL])
@pytest.mark.parametrize(
    ("seen", "plan", "does"),
    [
        (SEEN, NOTHING, False),
        (facts(SEEN, WEB[1], revision="c2"), NOTHING, True),
        (facts(SEEN, WEB[1], configuration="other"), NOTHING, True),
        (facts(SEEN, WEB[1], configuration=None), NOTHING, False),
        (facts(SEEN, WEB[1], files={"/etc/nginx/nginx.conf": "edited"}), NOTHING, False),
        (lost(facts(SEEN, WEB[1], revision="c2"), WEB[1]), NOTHING, False),
        (aside(SEEN, WEB[1]), NOTHING, False),
        (SEEN, ANEW, False),  # nobody knows what it was made from, so it cannot be kept meanwhile
        (pictured(SEEN), ANEW, True),
        (of_size(SEEN, n2="large"), updates(WEB[1]), True),
        (lost(pictured(SEEN), WEB[1]), ANEW, False),
    ],
)
def test_what_was_verified_comes_back_in_steps_to_servers_that_got_something_else(
    strategy: Strategy, seen: Observed, plan: Plan, does: bool
) -> None:
    wish = replace(OLD, spec=replace(OLD.spec, rollout=Rollout(strategy)))
    seen = replace(seen, applied=replace(seen.applied, verified=wish.digest, desired=wish))
    assert rollout.rolls(wish, seen, diff(wish, seen), plan) is (does and strategy is Strategy.ROLLING)


@pytest.mark.parametrize("beside", [True, False])
def test_what_does_not_hold_goes_back_unless_it_is_the_older_one_already(beside: bool) -> None:
    applied = Applied(verified=OLD.digest, desired=OLD)
    assert rollout.goes_back(NEW, applied, beside=beside) is not beside
    assert not rollout.goes_back(OLD, applied, beside=beside)


def act(kind: ActionKind, name: str) -> Action:
    return Action(f'host["{name}"]', kind, host=name)


def of(*actions: Action) -> Plan:
    return Plan("hello", NEW.digest, (Step(StepKind.PROVISION, (), actions),))


RENEW = tuple(act(ActionKind.REPLACE, name) for name in WEB)
ROLLING = RolloutStatus("hello", NEW.digest, RolloutState.RUNNING, plan="approved", actions=RENEW)


@pytest.mark.parametrize(
    ("plan", "status", "rest"),
    [
        (of(*RENEW[1:]), ROLLING, "approved"),
        (of(*RENEW[1:]), replace(ROLLING, state=RolloutState.PAUSED), "approved"),
        (of(act(ActionKind.UPDATE, WEB[1])), ROLLING, "approved"),
        (of(*RENEW[1:]), replace(ROLLING, done=WEB[:1]), "approved"),
        (of(*RENEW), replace(ROLLING, done=WEB[:1]), ""),
        (of(*RENEW), replace(ROLLING, plan=of(*RENEW).digest), ""),
        (of(*RENEW[1:], act(ActionKind.DESTROY, WEB[0])), ROLLING, ""),
        (of(act(ActionKind.REPLACE, BALANCER)), ROLLING, ""),
        (of(), ROLLING, ""),
        (of(*RENEW[1:]), replace(ROLLING, digest=OLD.digest), ""),
        (of(*RENEW[1:]), replace(ROLLING, state=RolloutState.REVERTED), ""),
        (of(*RENEW[1:]), None, ""),
    ],
)
def test_the_rest_of_an_approved_plan_is_covered_by_it_each_server_once(
    plan: Plan, status: RolloutStatus | None, rest: str
) -> None:
    assert rollout.part_of(plan, status) == rest


@pytest.mark.parametrize(
    ("status", "back"),
    [
        (replace(ROLLING, state=RolloutState.REVERTING), WEB[:1]),
        (replace(ROLLING, state=RolloutState.STUCK), WEB[:1]),
        (replace(ROLLING, state=RolloutState.REVERTED), ()),
        (replace(ROLLING, state=RolloutState.REVERTING, actions=RENEW[1:]), ()),
        (replace(ROLLING, state=RolloutState.REVERTING, plan="", actions=()), WEB[:1]),
    ],
)
def test_only_what_a_rollout_made_anew_goes_back_unasked_and_once(
    status: RolloutStatus, back: tuple[str, ...]
) -> None:
    found = Quarantine(NEW.digest, "commit", NOW, "/ failed", hosts=WEB[:1])
    assert rollout.renewed(status, found) == frozenset(back)
    assert rollout.renewed(status, None) == frozenset()


def test_a_lost_server_is_spared_no_longer() -> None:
    status = replace(ROLLING, done=WEB[:1], current=WEB[1:2])
    assert rollout.changed_by(status, NEW.digest, SEEN) == frozenset(WEB[:2])
    assert rollout.changed_by(status, NEW.digest, lost(SEEN, WEB[0])) == frozenset(WEB[1:2])
    assert rollout.changed_by(status, OLD.digest, SEEN) == frozenset()
    assert rollout.changed_by(replace(status, state=RolloutState.DONE), NEW.digest, SEEN) == frozenset()


def test_servers_taken_up_again_are_not_done_and_counted_once() -> None:
    course = rollout.Course((WEB[1:2], WEB[2:3]))
    again = rollout.taken_up(replace(ROLLING, done=WEB[:2]), course, of(*RENEW[2:]))
    assert again.done == WEB[:1]
    assert again.batches == ((WEB[0],), (WEB[1],), (WEB[2],))
    assert again.plan == "approved"
    other = of(act(ActionKind.REPLACE, BALANCER))
    assert rollout.taken_up(ROLLING, course, other).plan == other.digest


def test_a_server_that_returned_serves_again() -> None:
    seen = aside(SEEN, WEB[0], WEB[1])
    assert rollout.serving(NEW, seen) == frozenset(WEB[2:])
    assert rollout.serving(NEW, rollout.returned(seen, WEB[:1])) == {WEB[0], *WEB[2:]}


@pytest.mark.parametrize(
    ("last", "roles", "module", "why"),
    [
        (OLD, dict(OLD.roles), OLD.module, ""),
        (None, {}, "", "nothing was verified before"),
        (OLD, dict(OLD.roles) | {"nginx": "n2"}, OLD.module, "changed since: nginx"),
        (OLD, {"base": "b1"}, OLD.module, "changed since: content, haproxy, nginx"),
        (OLD, dict(OLD.roles), "m2", "its Terraform module changed since"),
    ],
)
def test_why_there_is_no_way_back(last: Desired | None, roles: dict[str, str], module: str, why: str) -> None:
    found = rollout.cannot_go_back(last, roles, module)
    assert found.endswith(why)
    assert bool(found) == bool(why)
