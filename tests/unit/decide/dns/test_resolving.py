"""Whether a site's names lead to it, and by which addresses records follow it."""

from dataclasses import replace

import pytest

from otto.decide.dns.following import departing, followed
from otto.decide.dns.resolving import Zones, resolving
from otto.decide.dns.summarize import ZoneFindings, summarize
from otto.decide.dns.wanted import Wanted, wanted
from otto.decide.dns.wish import wish
from otto.model.domain import DomainSpec, Record, RecordType
from otto.model.host import Endpoint, Host
from otto.model.observed import CheckFailure, InfrastructureState, Observed, Seen, Unseen
from otto.model.plan import Action, ActionKind, Plan, Step, StepKind
from otto.model.spec import Role
from otto.model.status import Condition, ConditionType, Phase, SiteStatus, Truth
from otto.model.zonememory import ZoneMemory
from otto.testing import START, site_spec

A, CNAME, NS = RecordType.A, RecordType.CNAME, RecordType.NS
AT = ("192.0.2.1",)
SITE = site_spec("acme", domains=("www.acme.example",))


def follows(name: str, site: str = "acme") -> Record:
    return Record(name, A, site=site)


def zones(
    *records: Record,
    before: tuple[Record, ...] | None = None,
    failures: tuple[CheckFailure, ...] = (),
    troubles: dict[str, str] | None = None,
    more: tuple[DomainSpec, ...] = (),
) -> Zones:
    """Zones that were put in place as they are, or as `before` says."""
    specs = {spec.name: spec for spec in (DomainSpec("acme.example", records=records), *more)}
    held = dict(specs)
    if before is not None:
        held["acme.example"] = DomainSpec("acme.example", records=before)
    targets = {"acme": AT, "other": ("192.0.2.99",)}
    memories = {
        name: ZoneMemory(name, wish(spec, "c", targets), checked="x", failures=failures)
        for name, spec in held.items()
    }

    def now(zone: str) -> Wanted:
        return wanted(specs[zone], targets)

    def then(zone: str) -> Wanted | None:
        return wanted(held[zone], targets)

    return Zones(specs, memories, now, then, troubles or {})


def failure(check: str) -> CheckFailure:
    return CheckFailure(check, "ns2", f"{check} at ns2", "192.0.2.1", "NXDOMAIN")


@pytest.mark.parametrize(
    "records",
    [
        (follows("www"),),
        (follows("*"),),
        (Record("www", CNAME, ("acme.example.",)), follows("")),
        (Record("www", A, AT),),
        (Record("www", A, ("192.0.2.7", *AT)),),
        (Record("www", CNAME, ("www.other.example.",)),),
    ],
)
def test_names_that_lead_to_the_site(records: tuple[Record, ...]) -> None:
    found = resolving(SITE, AT, zones(*records))
    assert (found.status, found.reason) == (Truth.TRUE, "AsDesired")


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (zones(follows("")), "NoRecord"),
        (zones(Record("www", RecordType.TXT, ('"x"',)), follows("*")), "NoRecord"),
        (zones(follows("www", "other")), "OtherSite"),
        (zones(Record("www", A, ("192.0.2.9",))), "OtherAddress"),
        (zones(Record("www", CNAME, ("a.acme.example.",))), "NoRecord"),
        (zones(Record("www", CNAME, ("www.acme.example.",))), "NoRecord"),
        (zones(follows("www"), before=()), "NotYet"),
        (zones(follows("www"), failures=(failure("www.acme.example A"),)), "Failed"),
        (zones(follows("*"), failures=(failure("*.acme.example A"),)), "Failed"),
        (zones(follows("www"), failures=(failure("acme.example SOA"),)), "Failed"),
    ],
)
def test_names_that_do_not(found: Zones, reason: str) -> None:
    said = resolving(SITE, AT, found)
    assert (said.status, said.reason) == (Truth.FALSE, reason)


@pytest.mark.parametrize("check", ["mail.acme.example A", "acme.example MX", "www.acme.example TXT"])
def test_wrong_answers_about_other_records_do_not_count(check: str) -> None:
    assert resolving(SITE, AT, zones(follows("www"), failures=(failure(check),))).status is Truth.TRUE


def test_a_change_of_other_records_that_waits_does_not_count() -> None:
    found = zones(follows("www"), Record("new", A, ("192.0.2.3",)), before=(follows("www"),))
    assert resolving(SITE, AT, found).status is Truth.TRUE


def test_an_alias_over_two_zones_needs_both() -> None:
    other = DomainSpec("other.example", records=(follows("edge"),))
    alias = Record("www", CNAME, ("edge.other.example.",))
    assert resolving(SITE, AT, zones(alias, more=(other,))).status is Truth.TRUE
    broken = zones(alias, more=(other,), failures=(failure("edge.other.example A"),))
    assert resolving(SITE, AT, broken).reason == "Failed"


def test_a_zone_that_cannot_be_looked_at_is_unknown() -> None:
    found = resolving(SITE, AT, zones(follows("www"), troubles={"acme.example": "ns1 does not answer"}))
    assert (found.status, found.reason) == (Truth.UNKNOWN, "NotSeen")


def test_names_of_no_zone_are_not_managed() -> None:
    elsewhere = replace(SITE, domains=("acme.invalid",))
    assert resolving(elsewhere, AT, zones(follows("www"))).reason == "NotManaged"
    both = replace(SITE, domains=("www.acme.example", "acme.invalid"))
    assert "1 of no zone of OttO's" in resolving(both, AT, zones(follows("www"))).message


def test_aliases_in_a_circle_end() -> None:
    circle = (Record("www", CNAME, ("b.acme.example.",)), Record("b", CNAME, ("www.acme.example.",)))
    assert resolving(SITE, AT, zones(*circle)).reason == "NoRecord"


# following


def status(*addresses: str, phase: Phase = Phase.READY, serving: bool = True) -> SiteStatus:
    endpoints = tuple(Endpoint(item, 80, f"http://{item}/") for item in addresses)
    found = SiteStatus("acme", phase, START, endpoints=endpoints)
    truth = Truth.TRUE if serving else Truth.FALSE
    return found.with_condition(Condition(ConditionType.SERVING, truth, "", "", START))


@pytest.mark.parametrize(
    ("before", "newest", "expected"),
    [
        ((), status("a.example"), ()),
        ((), status("192.0.2.2", "192.0.2.1"), ("192.0.2.1", "192.0.2.2")),
        ((), status("192.0.2.1", serving=False), ()),
        ((), status("192.0.2.1", phase=Phase.CONFIGURING), ()),
        (AT, status("192.0.2.1", "192.0.2.2", phase=Phase.VERIFYING), AT),
        (("192.0.2.1", "192.0.2.2"), status("192.0.2.2", serving=False), ("192.0.2.2",)),
        (AT, status("192.0.2.2", serving=False), AT),
        (AT, status("192.0.2.2"), ("192.0.2.2",)),
        (AT, status(), ()),
    ],
)
def test_the_addresses_that_records_follow(
    before: tuple[str, ...], newest: SiteStatus, expected: tuple[str, ...]
) -> None:
    assert followed(before, newest) == expected


def balancer(name: str, address: str) -> Host:
    return Host(name, Role.BALANCER, name, address, address, 22, "otto", 80, "key")


def test_only_addresses_that_nobody_else_has_depart() -> None:
    hosts = (balancer("acme-balancer-1", "192.0.2.1"), balancer("acme-balancer-2", "192.0.2.2"))
    nothing = Unseen("", START)
    seen = Observed(Seen(InfrastructureState(hosts), START), nothing, {}, nothing)
    takes = Action("a", ActionKind.SCALE_IN, host="acme-balancer-2")
    makes = Action("b", ActionKind.REPAIR, host="acme-balancer-1")
    plan = Plan("acme", "", (Step(StepKind.PROVISION, (), (takes, makes)),))
    assert departing(plan, seen) == ("192.0.2.2",)
    shared = tuple(replace(host, address="127.0.0.1") for host in hosts)
    same = replace(seen, infrastructure=Seen(InfrastructureState(shared), START))
    assert departing(plan, same) == ()


# the status of a zone


def test_times_of_conditions_move_only_with_them() -> None:
    first = summarize(None, ZoneFindings("acme.example", START, differences=(), failures=()))
    later = START.replace(hour=5)
    second = summarize(first, ZoneFindings("acme.example", later, differences=(), failures=()))
    assert second.phase is Phase.READY
    assert {item.since for item in second.conditions.values()} == {START}
    broken = summarize(second, ZoneFindings("acme.example", later, failures=(failure("a.acme.example A"),)))
    assert broken.conditions["Resolving"].since == later
    assert broken.conditions["InSync"].since == START
    assert (broken.phase, broken.ready) == (Phase.DEGRADED, False)


def test_a_look_that_failed_leaves_conditions_as_they_were() -> None:
    good = summarize(None, ZoneFindings("acme.example", START, differences=(), failures=()))
    failed = summarize(good, ZoneFindings("acme.example", START, error="away", failed=1))
    assert failed.ready
    assert (failed.phase, failed.message, failed.failures) == (Phase.DEGRADED, "away", 1)
