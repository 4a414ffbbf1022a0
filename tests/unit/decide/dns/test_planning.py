"""From what would be changed of a zone to what people and the guard are told."""

from dataclasses import replace

import pytest

from otto.decide.dns import planning
from otto.decide.dns.names import covers, parent_of, relative, zone_of
from otto.decide.dns.wanted import wanted
from otto.decide.dns.wish import wish
from otto.model.difference import Cause
from otto.model.domain import DomainPolicy, DomainSpec, Record, RecordType
from otto.model.plan import ActionKind, Removing, StepKind
from otto.model.zone import ChangeKind, RecordChange, RecordSet, Targets, ZonePlan
from otto.model.zonememory import DesiredZone

ZONE = "example.org"
A, AAAA, MX = RecordType.A, RecordType.AAAA, RecordType.MX


def domain(*records: Record, **fields: object) -> DomainSpec:
    return replace(DomainSpec(ZONE, records=records), **fields)  # type: ignore[arg-type]


def wished(*records: Record, targets: Targets | None = None, **fields: object) -> DesiredZone:
    return wish(domain(*records, **fields), "c0ffee", targets or {})


def found(*changes: RecordChange, managed: int = 10, **fields: object) -> ZonePlan:
    return ZonePlan(ZONE, changes, managed, **fields)  # type: ignore[arg-type]


def held(name: str, *values: str, kind: str = "A", ttl: int = 300) -> RecordSet:
    return RecordSet(name, kind, ttl, values)


def change(before: RecordSet | None, after: RecordSet | None, **more: bool) -> RecordChange:
    kind = ChangeKind.UPDATE
    if before is None or after is None:
        kind = ChangeKind.CREATE if before is None else ChangeKind.DELETE
    return RecordChange(kind, before, after, **more)


def causes(plan: ZonePlan, now: DesiredZone, last: DesiredZone | None) -> dict[str, Cause]:
    return {item.path: item.cause for item in planning.differences(plan, now, last)}


# names


def test_the_zone_of_a_name_is_the_longest() -> None:
    zones = {"example.org", "dev.example.org", "example.net"}
    assert zone_of("a.dev.example.org", zones) == "dev.example.org"
    assert zone_of("dev.example.org", zones) == "dev.example.org"
    assert zone_of("notexample.org", zones) == ""
    assert parent_of("dev.example.org", zones) == "example.org"
    assert parent_of("example.org", zones) == ""
    assert relative("a.example.org", ZONE) == "a"
    assert relative("example.org", ZONE) == ""


@pytest.mark.parametrize(
    ("wildcard", "name", "yes"),
    [
        ("*", "a", True),
        ("*", "a.b", True),
        ("*", "", False),
        ("*.b", "a.b", True),
        ("*.b", "b", False),
        ("w", "w", False),
    ],
)
def test_what_a_wildcard_covers(wildcard: str, name: str, *, yes: bool) -> None:
    assert covers(wildcard, name) is yes


# wanted


def test_what_a_spec_comes_to() -> None:
    spec = domain(
        Record("", A, site="acme"),
        Record("", AAAA, site="acme"),
        Record("a", A, ("192.0.2.9",), 60),
        Record("b", A, site="lost"),
        Record("c", A, site="gone"),
        nameservers=("ns1.example.net",),
        policy=DomainPolicy(ttl=30),
    )
    what = wanted(spec, {"acme": ("192.0.2.2", "192.0.2.1", "2001:db8::1"), "gone": ()})
    assert what.sets == (
        RecordSet("", "A", 30, ("192.0.2.1", "192.0.2.2")),
        RecordSet("", "AAAA", 30, ("2001:db8::1",)),
        RecordSet("", "NS", 30, ("ns1.example.net.",)),
        RecordSet("a", "A", 60, ("192.0.2.9",)),
    )
    assert what.left == {("b", "A")}


def test_what_lies_below_a_delegation_is_answered_by_others() -> None:
    spec = domain(
        Record("sub", RecordType.NS, ("ns1.sub.example.org.",)),
        Record("ns1.sub", A, ("192.0.2.1",)),
        Record("sub2", A, ("192.0.2.1",)),
        nameservers=("ns1.example.net",),
    )
    assert [item.address for item in wanted(spec, {}).answered] == ["@ NS", "sub NS", "sub2 A"]


def test_a_site_without_ipv6_has_no_aaaa() -> None:
    what = wanted(domain(Record("", AAAA, site="acme")), {"acme": ("192.0.2.1",)})
    assert not what.sets
    assert not what.left


# wish


def test_a_wish_is_named_by_what_its_servers_are_told() -> None:
    record = Record("a", A, site="acme")
    one = wished(record, targets={"acme": ("192.0.2.1",), "other": ("192.0.2.9",)})
    assert one.targets == {"acme": ("192.0.2.1",)}
    same = wish(
        domain(replace(record, place=7), file="x", line=3, labels={"a": "b"}, suspend=True),
        "other",
        {"acme": ("192.0.2.1",)},
    )
    assert same.digest == one.digest
    assert wished(record, targets={"acme": ("192.0.2.2",)}).digest != one.digest
    assert wished(record).digest != wished(record, targets={"acme": ()}).digest
    assert wished(policy=DomainPolicy(approval="always")).digest == wished().digest
    assert wished(policy=DomainPolicy(exclusive=True)).digest != wished().digest


# causes


def test_without_a_last_wish_the_spec_is_the_cause() -> None:
    plan = found(change(None, held("a", "192.0.2.1")))
    assert causes(plan, wished(), None) == {"records/a/A": Cause.SPEC}


def test_what_is_wished_as_before_has_drifted() -> None:
    now = wished(Record("a", A, ("192.0.2.1",)))
    lost = found(change(None, held("a", "192.0.2.1")))
    other = found(change(held("a", "192.0.2.66"), held("a", "192.0.2.1")))
    for plan in (lost, other):
        assert causes(plan, now, now) == {"records/a/A": Cause.DRIFT}


def test_what_neither_wish_knows_was_left_by_us() -> None:
    plan = found(change(held("a", "192.0.2.1"), None))
    assert causes(plan, wished(), wished()) == {"records/a/A": Cause.SPEC}


def test_what_somebody_adds_to_a_zone_that_is_all_ottos_is_drift() -> None:
    policy = DomainPolicy(exclusive=True)
    theirs, mark_of_a = change(held("a", "192.0.2.1"), None), held("_owner.a.a", '"x"', kind="TXT")
    alone, ours = found(theirs), found(theirs, change(mark_of_a, None, marks=True))
    exclusive = wished(policy=policy)
    assert causes(alone, exclusive, exclusive) == {"records/a/A": Cause.DRIFT}
    assert causes(alone, exclusive, wished()) == {"records/a/A": Cause.SPEC}  # that is news of the spec's
    assert causes(ours, exclusive, exclusive) == {"records/a/A": Cause.SPEC}


def test_only_other_addresses_of_a_site_are_followed() -> None:
    record = Record("", A, site="acme")
    before = wished(record, targets={"acme": ("192.0.2.1",)})
    after = wished(record, targets={"acme": ("192.0.2.2",)})
    plan = found(change(held("", "192.0.2.1"), held("", "192.0.2.2")))
    assert causes(plan, after, before) == {"records/@/A": Cause.FOLLOW}
    leaves = wished(record, targets={"acme": ()})
    gone = found(change(held("", "192.0.2.1"), None))
    assert causes(gone, leaves, before) == {"records/@/A": Cause.FOLLOW}
    moved = wished(Record("", A, site="other"), targets={"other": ("192.0.2.2",)})
    assert causes(plan, moved, before) == {"records/@/A": Cause.SPEC}
    slower = wished(replace(record, ttl=9), targets={"acme": ("192.0.2.2",)})
    assert causes(plan, slower, before) == {"records/@/A": Cause.SPEC}


# plans


def test_a_plan_says_every_record_before_and_after() -> None:
    now = wished(Record("a", A, ("192.0.2.1",)))
    plan = planning.plan(
        found(
            change(None, held("b", '"x"', kind="TXT"), marks=True),
            change(held("", "10 a.example.org.", kind="MX"), None),
            change(held("a", "192.0.2.9"), held("a", "192.0.2.1", ttl=60)),
            delegation=((), ("ns1.example.net",)),
        ),
        now,
    )
    step = plan.step(StepKind.DNS)
    assert step is not None
    shown = [(action.address, action.kind, action.changed) for action in step.actions]
    assert shown == [
        ("delegation", ActionKind.UPDATE, ("nameservers",)),
        ("@ MX", ActionKind.DESTROY, ()),
        ("a A", ActionKind.UPDATE, ("ttl", "values")),
    ]
    assert step.detail[:3] == (
        "@ MX: 10 a.example.org. (ttl 300) -> none",
        "a A: 192.0.2.9 (ttl 300) -> 192.0.2.1 (ttl 60)",
        "delegation: none -> ns1.example.net",
    )
    assert plan.step(StepKind.VERIFY)


def test_the_digest_is_of_the_very_values() -> None:
    now = wished()
    one = planning.plan(found(change(None, held("a", "192.0.2.1"))), now)
    same = planning.plan(found(change(None, held("a", "192.0.2.1")), managed=99, serial=7), now)
    other = planning.plan(found(change(None, held("a", "192.0.2.2"))), now)
    mark = planning.plan(
        found(change(None, held("a", "192.0.2.1")), change(None, held("m", '"x"', kind="TXT"), marks=True)),
        now,
    )
    assert one.digest == same.digest
    assert len({one.digest, other.digest, mark.digest}) == 3


def test_nothing_to_do_is_an_empty_plan() -> None:
    assert not planning.plan(found(), wished())
    asked = planning.plan(found(), wished(), asked=True)
    assert [step.kind for step in asked.steps] == [StepKind.VERIFY]


def test_what_a_plan_is_judged_by() -> None:
    record = Record("", A, site="acme")
    before = wished(record, Record("a", A, ("192.0.2.1",)), targets={"acme": ("192.0.2.1",)})
    after = wished(record, Record("a", A, ("192.0.2.1",)), targets={"acme": ("192.0.2.2",)})
    plan = planning.plan(
        found(
            change(held("", "192.0.2.1"), held("", "192.0.2.2")),
            change(held("a", "192.0.2.7"), held("a", "192.0.2.1")),
            change(held("b", "192.0.2.7"), held("b", "192.0.2.1"), takes_over=True),
        ),
        after,
        before,
    )
    about = plan.about
    assert about.causes == ("drift", "follow", "spec")
    assert about.mends == ("records/a/A",)
    assert about.zone is not None
    assert (about.zone.followed, about.zone.mended, about.zone.taken_over) == (("@ A",), ("a A",), ("b A",))


def test_leaving_what_is_only_reported() -> None:
    now = wished(Record("a", A, ("192.0.2.1",)), Record("b", A, ("192.0.2.1",)))
    plan = found(
        change(held("a", "192.0.2.7"), held("a", "192.0.2.1")),
        change(None, held("b", "192.0.2.1")),
        dnssec=True,
    )
    told = [item for item in planning.differences(plan, now, now) if item.path != "records/b/A"]
    left = planning.without(plan, told)
    assert [item.record.address for item in left.changes] == ["b A"]
    assert left.dnssec is None


def test_records_of_others_are_told_of() -> None:
    plan = found(conflicts=(held("a", "192.0.2.7"),))
    (item,) = planning.conflicts(plan, wished(Record("a", A, ("192.0.2.1",))))
    assert item.path == "records/a/A"
    assert item.want == "192.0.2.1 (ttl 300)"
    assert item.have == "192.0.2.7 (ttl 300), which is not OttO's"


def test_giving_a_zone_up() -> None:
    plan = planning.removal(found(change(held("a", "192.0.2.1"), None), managed=1), Removing.PERSON)
    assert plan.about.removing is Removing.PERSON
    assert [action.kind for action in plan.actions] == [ActionKind.DESTROY]
    assert not planning.removal(found(managed=0), Removing.PERSON)
