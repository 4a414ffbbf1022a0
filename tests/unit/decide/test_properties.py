"""Properties of the pure core, over worlds that hypothesis makes up."""

import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from otto.decide import guard
from otto.decide.diff import diff
from otto.decide.planning import classify
from otto.model.desired import Desired
from otto.model.history import History
from otto.model.host import HostState, LiveHost
from otto.model.observed import Observed, Seen, Unseen
from otto.model.plan import ActionKind
from otto.model.policy import Effective, Policy
from otto.model.spec import Algorithm, HostGroup, SiteSpec
from otto.model.verdict import Allowed

from .simulation import NOW, Hands, built, desired, make_plan, nothing, spec, terraform


def make_spec(web: int, balancer: int, size: str, algorithm: Algorithm, domains: list[str]) -> SiteSpec:
    changes = {"web": HostGroup(web, size, "base"), "algorithm": algorithm, "domains": tuple(domains)}
    return replace(spec(balancer=balancer), **changes)  # type: ignore[arg-type]


specs = st.builds(
    make_spec,
    web=st.integers(1, 5),
    balancer=st.integers(1, 2),
    size=st.sampled_from(["small", "medium"]),
    algorithm=st.sampled_from(list(Algorithm)),
    domains=st.lists(st.sampled_from(["a.test", "b.test", "c.test"]), unique=True),
)
wishes = st.builds(
    lambda of, content, module: desired(of, content=content, module=module),
    specs,
    st.sampled_from(["c1", "c2"]),
    st.sampled_from(["m1", "m2"]),
)


@st.composite
def worlds(draw: st.DrawFn) -> Observed:
    """A world that some other wish left behind, then damaged here and there."""
    if draw(st.booleans()):
        return nothing()
    seen = built(draw(wishes))
    assert isinstance(seen.inventory, Seen)
    live: list[LiveHost] = []
    for host in seen.inventory.value:
        fate = draw(st.sampled_from(["fine", "fine", "gone", "paused", "stopped"]))
        if fate == "gone":
            continue
        live.append(host if fate == "fine" else replace(host, state=HostState(fate)))
    facts = dict(seen.facts)
    for name in sorted(facts):
        fate = draw(st.sampled_from(["fine", "fine", "silent", "edited"]))
        known = facts[name]
        if fate == "silent":
            facts[name] = Unseen("timed out", NOW)
        elif fate == "edited" and isinstance(known, Seen):
            facts[name] = Seen(replace(known.value, files={"/etc/x": "edited"}), NOW)
    state = seen.infrastructure
    if draw(st.booleans()) and isinstance(state, Seen):
        kept = tuple(host for host in state.value.hosts if draw(st.booleans()))
        state = Seen(replace(state.value, hosts=kept), NOW)
    return replace(seen, inventory=Seen(tuple(live), NOW), facts=facts, infrastructure=state)


@given(wishes)
def test_diff_of_equal_is_empty(wish: Desired) -> None:
    assert diff(wish, built(wish)) == ()


@given(wishes, worlds())
@settings(max_examples=300)
def test_a_plan_applied_to_observed_reaches_desired(wish: Desired, seen: Observed) -> None:
    after = Hands(wish, seen).carry_out()
    # A host that says nothing of itself cannot be brought to anything; that is all that may be left.
    assert {item.path.rpartition("/")[2] for item in diff(wish, after)} <= {"facts"}
    assert not make_plan(wish, after)


@given(wishes, worlds(), st.randoms())
def test_diff_and_plan_do_not_depend_on_order(wish: Desired, seen: Observed, rng: random.Random) -> None:
    assert isinstance(seen.infrastructure, Seen)
    assert isinstance(seen.inventory, Seen)
    hosts, live, facts = list(seen.hosts), list(seen.inventory.value), list(seen.facts.items())
    for items in (hosts, live, facts):
        rng.shuffle(items)
    shuffled = replace(
        seen,
        infrastructure=Seen(replace(seen.infrastructure.value, hosts=tuple(hosts)), NOW),
        inventory=Seen(tuple(live), NOW),
        facts=dict(facts),
    )
    assert diff(wish, shuffled) == diff(wish, seen)
    assert make_plan(wish, shuffled).digest == make_plan(wish, seen).digest


@given(wishes, worlds())
def test_the_plan_is_deterministic(wish: Desired, seen: Observed) -> None:
    assert make_plan(wish, seen) == make_plan(wish, seen)


@given(wishes, st.text(max_size=8), st.dictionaries(st.text(max_size=4), st.text(max_size=4)))
def test_the_digest_ignores_what_does_not_matter(wish: Desired, file: str, labels: dict[str, str]) -> None:
    other = replace(
        wish,
        commit="another",
        spec=replace(wish.spec, file=file, line=99, labels=labels, depends_on=("x",), policy=Policy("auto")),
    )
    assert other.digest == wish.digest


@given(wishes, wishes)
def test_wishes_that_differ_in_what_matters_have_other_digests(one: Desired, other: Desired) -> None:
    same = replace(one.spec, labels=other.spec.labels) == other.spec
    alike = same and (one.content, one.module) == (other.content, other.module)
    assert (one.digest == other.digest) is alike


@given(wishes, worlds())
def test_nothing_that_ends_a_living_host_unasked_is_allowed(wish: Desired, seen: Observed) -> None:
    steps = make_plan(wish, seen)
    verdict = guard.judge(steps, Effective(), History(), NOW)
    if isinstance(verdict, Allowed):
        ends = {ActionKind.REPLACE, ActionKind.DESTROY}
        assert all(action.asked for action in steps.actions if action.kind in ends)


@given(wishes, worlds())
def test_every_terraform_change_becomes_one_action(wish: Desired, seen: Observed) -> None:
    changes = terraform(wish, seen)
    actions = [classify(change, wish, seen) for change in changes]
    assert [action.address for action in actions] == [change.address for change in changes]
