"""What `to_data` writes, `read` reads back; what does not fit is refused with its place."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otto.model.canonical import canonical, to_data
from otto.model.errors import TerminalError
from otto.model.host import Endpoint, Host, HostFacts, HostState, LiveHost
from otto.model.observed import Applied, InfrastructureState, Observed, Seen, Serving, Unseen
from otto.model.plan import Plan, Step, StepKind
from otto.model.policy import Policy
from otto.model.problem import Problem
from otto.model.reading import read
from otto.model.run import Outcome, Run, StepRecord
from otto.model.spec import Algorithm, Check, Content, HostGroup, Provider, Role, SiteSpec
from otto.model.status import Condition, ConditionType, Phase, SiteStatus, Truth
from otto.model.verdict import NeedsApproval, Refused

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)

texts = st.text(max_size=12)
times = st.datetimes(timezones=st.just(UTC))
labels = st.dictionaries(texts, texts, max_size=3)
groups = st.builds(HostGroup, count=st.integers(0, 99), size=texts, image=texts)
checks = st.builds(
    Check, path=texts, status=st.integers(), contains=texts, headers=labels, timeout=st.floats(0, 60)
)
specs = st.builds(
    SiteSpec,
    name=texts,
    provider=st.sampled_from(Provider),
    web=groups,
    balancer=groups,
    algorithm=st.sampled_from(Algorithm),
    content=st.builds(Content, path=texts, git=texts, ref=texts),
    labels=labels,
    domains=st.lists(texts, max_size=3).map(tuple),
    checks=st.lists(checks, max_size=2).map(tuple),
    policy=st.builds(Policy, approval=texts),
    depends_on=st.lists(texts, max_size=2).map(tuple),
    suspend=st.booleans(),
    file=texts,
    line=st.integers(),
)
hosts = st.builds(
    Host,
    name=texts,
    role=st.sampled_from(Role),
    id=texts,
    address=texts,
    private_address=texts,
    ssh_port=st.integers(),
    ssh_user=texts,
    http_port=st.integers(),
    host_key=texts,
)
conditions = st.builds(
    Condition,
    type=st.sampled_from(ConditionType),
    status=st.sampled_from(Truth),
    reason=texts,
    message=texts,
    since=times,
    observed_digest=texts,
)
statuses = st.builds(
    SiteStatus,
    site=texts,
    phase=st.sampled_from(Phase),
    updated_at=times,
    conditions=st.lists(conditions, max_size=4).map(lambda found: {c.type.value: c for c in found}),
    commit=texts,
    endpoints=st.lists(st.builds(Endpoint, address=texts, port=st.integers(), url=texts), max_size=2).map(
        tuple
    ),
    hosts=st.lists(hosts, max_size=2).map(tuple),
    next_look=st.none() | times,
    failures=st.integers(),
    labels=labels,
)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
steps = st.builds(
    StepRecord,
    kind=texts,
    started_at=times,
    ended_at=st.none() | times,
    outcome=st.sampled_from(Outcome),
    hosts=st.lists(texts, max_size=2).map(tuple),
    summary=texts,
    detail=st.dictionaries(texts, plain, max_size=3),
)
runs = st.builds(
    Run,
    id=texts,
    site=texts,
    cause=texts,
    started_at=times,
    ended_at=st.none() | times,
    outcome=st.sampled_from(Outcome),
    steps=st.lists(steps, max_size=3).map(tuple),
)
facts = st.builds(
    HostFacts,
    fact=texts,
    files=st.dictionaries(texts, st.none() | texts, max_size=3),
    services=labels,
    configuration=st.none() | texts,
    revision=st.none() | texts,
    content=st.none() | texts,
    backends=labels,
)
applied = st.builds(
    Applied,
    infrastructure=texts,
    sizes=labels,
    hosts=st.dictionaries(texts, facts, max_size=2),
    verified=texts,
)
problems = st.builds(
    Problem, file=texts, line=st.integers(), column=st.integers(), pointer=texts, message=texts, site=texts
)


@given(specs | statuses | runs | applied | problems)
def test_what_was_written_is_read_back(value: Any) -> None:
    assert read(type(value), json.loads(canonical(value))) == value


@given(statuses)
def test_keys_nobody_knows_are_left_alone(status: SiteStatus) -> None:
    data = to_data(status)
    assert isinstance(data, dict)
    assert read(SiteStatus, data | {"from_the_future": [1, 2]}) == status


def test_missing_keys_take_their_defaults() -> None:
    data = {"id": "1", "site": "acme", "cause": "push", "started_at": AT.isoformat()}
    assert read(Run, data) == Run(id="1", site="acme", cause="push", started_at=AT)


def test_times_come_back_in_utc() -> None:
    elsewhere = AT.astimezone(timezone(timedelta(hours=5)))
    assert read(datetime, elsewhere.isoformat()).tzinfo is UTC
    assert read(datetime, elsewhere.isoformat()) == AT


def test_members_of_a_union_are_told_apart_by_their_fields() -> None:
    seen = Observed(
        infrastructure=Seen(InfrastructureState(), AT),
        inventory=Unseen("no provider", AT),
        facts={"acme-web-1": Seen(HostFacts("f"), AT), "acme-web-2": Unseen("silent", AT)},
        serving=Seen(Serving((), 3, "r"), AT),
    )
    assert read(Observed, to_data(seen)) == seen


def test_generic_values_are_read_as_what_they_hold() -> None:
    value = Seen((LiveHost("1", "acme-web-1", "acme", "web", HostState.RUNNING),), AT)
    assert read(Seen[tuple[LiveHost, ...]], to_data(value)) == value


def test_a_plan_is_read_back_with_its_digest() -> None:
    plan = Plan("acme", "d", (Step(kind=StepKind.DEPLOY, hosts=("acme-web-1",)),))
    assert read(Plan, to_data(plan)).digest == plan.digest


@dataclass(frozen=True)
class Tree:
    name: str
    size: tuple[int, str] = (0, "")
    tags: frozenset[str] = frozenset()
    marks: list[int] = field(default_factory=list)
    children: "tuple[Tree, ...]" = ()
    roles: Mapping[Role, int] = field(default_factory=dict)


def test_types_may_hold_themselves() -> None:
    tree = Tree("a", (1, "b"), frozenset({"x", "y"}), [1], (Tree("c"),), {Role.WEB: 2})
    assert read(Tree, to_data(tree)) == tree


@pytest.mark.parametrize(
    ("cls", "data", "message"),
    [
        (Run, [], "Run: expected an object, found []"),
        (Run, {"id": "1"}, "Run: expected an object with cause, site, started_at, found {'id': '1'}"),
        (
            Endpoint,
            {"address": "a", "port": "80", "url": ""},
            "Endpoint.port: expected a whole number, found '80'",
        ),
        (
            Endpoint,
            {"address": "a", "port": True, "url": ""},
            "Endpoint.port: expected a whole number, found True",
        ),
        (Check, {"path": None}, "Check.path: expected text, found None"),
        (Check, {"path": "/", "timeout": "1"}, "Check.timeout: expected a number, found '1'"),
        (Check, {"path": "/", "headers": {"a": 1}}, "Check.headers.a: expected text, found 1"),
        (Check, {"path": "/", "headers": []}, "Check.headers: expected an object, found []"),
        (
            Step,
            {"kind": "fly"},
            "Step.kind: expected one of drain, provision, configure, deploy, dns, verify, destroy, found 'fly'",  # noqa: E501
        ),
        (
            Step,
            {"kind": []},
            "Step.kind: expected one of drain, provision, configure, deploy, dns, verify, destroy, found []",
        ),
        (Step, {"kind": "dns", "hosts": "ab"}, "Step.hosts: expected a list, found 'ab'"),
        (Step, {"kind": "dns", "hosts": ["a", 2]}, "Step.hosts.1: expected text, found 2"),
        (Tree, {"name": "a", "size": [1]}, "Tree.size: expected a list of 2, found [1]"),
        (Tree, {"name": "a", "size": [1, 2]}, "Tree.size.1: expected text, found 2"),
        (Tree, {"name": "a", "children": [{"name": 1}]}, "Tree.children.0.name: expected text, found 1"),
        (datetime, "yesterday", "datetime: expected a time as ISO 8601, found 'yesterday'"),
        (datetime, 12, "datetime: expected a time as ISO 8601, found 12"),
        (
            datetime,
            "2026-01-01T00:00:00",
            "datetime: expected a time with its zone, found '2026-01-01T00:00:00'",
        ),
        (type(None), 0, "NoneType: expected nothing, found 0"),
        (str, ["x" * 100], "str: expected text, found ['" + "x" * 55 + "..."),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(cls: type, data: object, message: str) -> None:
    with pytest.raises(TerminalError) as caught:
        read(cls, data)
    assert str(caught.value) == message


def test_data_that_fits_no_member_of_a_union_is_refused() -> None:
    with pytest.raises(TerminalError, match="expected an object with at, reason or at, value, found 3"):
        read(Seen[int] | Unseen, 3)  # type: ignore[arg-type]


@pytest.mark.parametrize("hint", [complex, set[int], NeedsApproval | Refused, int | str])
def test_types_without_a_reading_are_our_mistake(hint: Any) -> None:
    with pytest.raises(TypeError):
        read(hint, {})
