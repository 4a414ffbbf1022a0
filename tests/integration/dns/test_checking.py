"""What servers answer otherwise than desired, and what is found when a zone is examined from outside."""

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.integration.dns.nameserver import OWNER, Bind, Knot, Nameserver, free_port
from tests.integration.dns.specs import applied, domain, planned, record

from otto.adapters.dns import delegation
from otto.adapters.dns.access import Access
from otto.adapters.dns.checking import WILDCARD, check
from otto.adapters.dns.examining import examine
from otto.model.domain import DomainSpec
from otto.model.errors import TransientError
from otto.model.observed import CheckFailure
from otto.model.zone import Aspect, Finding, ZonePlan

LONG = [f'"{number:03d}{"x" * 200}"' for number in range(20)]
SPEC = domain(
    record("www", "A", "192.0.2.1", "192.0.2.2"),
    record("alias", "CNAME", "www.example.test."),
    record("big", "TXT", *LONG),
    record("*.dev", "AAAA", "2001:db8::1"),
    record("sub", "NS", "ns1.elsewhere.test."),
    record("", "MX", "10 mail.elsewhere.test."),
)


def test_a_zone_that_is_as_desired_has_no_failures_however_long_its_answers(nameserver: Nameserver) -> None:
    """The long TXT comes truncated by UDP, and whole by TCP."""
    applied(SPEC, nameserver.access())
    assert check(SPEC, {}, nameserver.access()) == ()


def test_where_a_text_is_cut_in_two_makes_no_difference(nameserver: Nameserver) -> None:
    spec = domain(record("two", "TXT", '"one" " and the other"'), record("far", "TXT", '"v=1; p=AB"'))
    applied(spec, nameserver.access())
    nameserver.update(
        "example.test",
        ["update delete far.example.test TXT", 'update add far.example.test 300 TXT "v=1; " "p=AB"'],
    )
    assert not planned(spec, nameserver.access())
    assert check(spec, {}, nameserver.access()) == ()
    other = domain(record("two", "TXT", '"one" "and the other"'))
    assert [failure.check for failure in check(other, {}, nameserver.access())] == ["two.example.test TXT"]


def test_each_difference_is_told_with_a_request_that_a_person_can_repeat(nameserver: Nameserver) -> None:
    applied(SPEC, nameserver.access())
    nameserver.update(
        "example.test",
        [
            "update delete www.example.test A 192.0.2.2",
            "update delete alias.example.test",
            "update delete *.dev.example.test",
        ],
    )
    found = {failure.check: failure for failure in check(SPEC, {}, nameserver.access())}
    assert found.keys() == {"www.example.test A", "alias.example.test CNAME", "*.dev.example.test AAAA"}
    wrong = found["www.example.test A"]
    assert (wrong.expected, wrong.received) == ("192.0.2.1, 192.0.2.2", "192.0.2.1")
    assert wrong.target == "127.0.0.1"
    repeated = subprocess.run(wrong.request.split(), capture_output=True, text=True, check=True, timeout=10)
    assert "192.0.2.1" in repeated.stdout
    assert WILDCARD in found["*.dev.example.test AAAA"].request
    assert found["alias.example.test CNAME"].received in ("NXDOMAIN", "no such record")


def test_a_server_that_is_down_is_one_failure_of_the_zone(nameserver: Nameserver) -> None:
    applied(SPEC, nameserver.access())
    nameserver.end(signal.SIGKILL)
    (failure,) = check(SPEC, {}, replace(nameserver.access(), timeout=0.5))
    assert failure.check == "example.test SOA"
    assert failure.received == "no answer within 0.5 s"
    with socket.socket(type=socket.SOCK_DGRAM) as silent_one:
        silent_one.bind(("127.0.0.1", nameserver.port))
        (failure,) = check(SPEC, {}, replace(nameserver.access(), timeout=0.2))
        assert failure.received == "no answer within 0.2 s"


def test_resolvers_of_choice_are_asked_as_well(tmp_path: Path) -> None:
    with Knot(tmp_path / "right", ["example.test"]) as right, Bind(tmp_path / "old", ["example.test"]) as old:
        applied(domain(record("www", "A", "192.0.2.1")), right.access())
        spec = replace(domain(record("www", "A", "192.0.2.1")), resolvers=(f"127.0.0.1#{old.port}",))
        (failure,) = check(spec, {}, right.access())
        assert failure.request == f"dig @127.0.0.1 -p {old.port} www.example.test A"
        applied(domain(record("www", "A", "192.0.2.1")), old.access())
        assert check(spec, {}, right.access()) == ()


def test_a_resolver_that_is_away_is_one_failure_however_many_records_there_are(
    nameserver: Nameserver,
) -> None:
    many = tuple(record(f"h{number}", "A", "192.0.2.1") for number in range(300))
    spec = domain(*many, resolvers=("192.0.2.1",))
    applied(spec, nameserver.access())
    began = time.monotonic()
    (failure,) = check(spec, {}, replace(nameserver.access(), timeout=0.5))
    assert time.monotonic() - began < 10
    assert (failure.check, failure.target, failure.expected) == ("example.test SOA", "192.0.2.1", "an answer")


def test_a_zone_of_which_nobody_is_known_cannot_be_checked() -> None:
    with pytest.raises(TransientError, match="no server with authority over it is known"):
        check(SPEC, {}, Access(OWNER, resolvers=(f"127.0.0.1#{free_port()}",), timeout=0.2))


def test_a_nameserver_whose_address_nobody_knows_is_told(nameserver: Nameserver) -> None:
    spec = domain(nameservers=("ns1.example.test", "ns9.nowhere.test"))
    access = replace(
        nameserver.access(), hosts={"ns1.example.test": ("127.0.0.1",)}, resolvers=("127.0.0.1#1",)
    )
    failures = {failure.target: failure for failure in check(spec, {}, replace(access, timeout=0.2))}
    assert failures["ns9.nowhere.test"].check == "example.test NS"


@dataclass
class Family:
    """A parent zone and a zone below it, with two nameservers for that."""

    parent: Nameserver
    first: Nameserver
    second: Nameserver
    spec: DomainSpec

    @property
    def access(self) -> Access:
        return replace(
            self.first.access(), parent=("test", self.parent.server), port=self.first.port, timeout=1.0,
            hosts={"ns1.other.test": ("127.0.0.1",), "ns2.other.test": ("127.0.0.2",)},
        )  # fmt: skip

    def examined(self) -> dict[Aspect, Finding]:
        found = examine(self.spec, {}, self.access)
        assert [finding.aspect for finding in found] == list(Aspect)
        return {finding.aspect: finding for finding in found}


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Family]:
    spec = domain(
        record("www", "A", "192.0.2.1"),
        nameservers=("ns1.other.test", "ns2.other.test"),
        registrar="lab",
        takeover=True,
    )
    with ExitStack() as stack:
        parent = stack.enter_context(Knot(tmp_path / "parent", ["test"]))
        first = stack.enter_context(Bind(tmp_path / "first", ["example.test"]))
        second = stack.enter_context(
            Knot(tmp_path / "second", ["example.test"], "127.0.0.2", port=first.port)
        )
        made = Family(parent, first, second, spec)
        for server in (first, second):
            applied(replace(spec, registrar=""), server.access())
        yield made


def test_a_delegation_is_made_and_read_back_and_all_agrees(family: Family) -> None:
    assert not family.examined()[Aspect.DELEGATION].holds
    plan = ZonePlan("example.test", delegation=((), family.spec.nameservers))
    delegation.change(family.spec, plan, family.access)
    assert family.parent.dig("example.test", "NS", "+noshort", "+noall", "+authority") != []
    found = family.examined()
    assert found[Aspect.DELEGATION].message == "delegated to ns1.other.test, ns2.other.test"
    assert found[Aspect.NS].holds
    assert found[Aspect.DNSSEC].message == "not signed"
    assert found[Aspect.CAA].holds is None
    assert found[Aspect.ANSWERS].holds


def test_nameservers_that_do_not_agree_are_told_each(family: Family) -> None:
    delegation.change(
        family.spec, ZonePlan("example.test", delegation=((), family.spec.nameservers)), family.access
    )
    family.second.update(
        "example.test", ["update delete example.test NS ns1.other.test.", "update delete www.example.test A"]
    )
    found = family.examined()
    assert not found[Aspect.SOA].holds
    assert "serial" in found[Aspect.SOA].message
    (failure,) = found[Aspect.NS].failures
    assert isinstance(failure, CheckFailure)
    assert failure.target == "ns2.other.test (127.0.0.2)"
    assert {failure.check for failure in found[Aspect.ANSWERS].failures} == {
        "www.example.test A",
        "example.test NS",
    }


def test_a_nameserver_that_is_down_is_found(family: Family) -> None:
    family.second.end()
    found = family.examined()
    assert not found[Aspect.SOA].holds
    assert found[Aspect.SOA].failures[0].target == "ns2.other.test (127.0.0.2)"


def test_what_cannot_be_found_out_is_not_claimed(nameserver: Nameserver) -> None:
    """A resolver that refuses says nothing of a zone: not that it is unsigned, nor who may certify it."""
    refusing = (f"127.0.0.1#{nameserver.port}",)  # it serves its own zones, and nobody else's
    access = Access(OWNER, resolvers=refusing, timeout=1.0)
    found = {item.aspect: item for item in examine(domain(name="else.where"), {}, access)}
    assert {item.holds for item in found.values()} == {None}
    assert found[Aspect.SOA].message == "no resolver says who serves else.where"
    assert found[Aspect.DNSSEC].message == found[Aspect.CAA].message == "no server answers"
    inside = {item.aspect: item for item in examine(domain(name="gone.example.test"), {}, access)}
    assert inside[Aspect.SOA].holds is False
    assert "nobody serves gone.example.test" in inside[Aspect.SOA].message


def test_caa_above_that_cannot_be_asked_for_is_not_taken_for_none(family: Family) -> None:
    access = replace(family.access, resolvers=(f"127.0.0.1#{family.first.port}",))
    caa = {item.aspect: item for item in examine(family.spec, {}, access)}[Aspect.CAA]
    assert caa.holds is None
    assert caa.message.startswith("test CAA: REFUSED at 127.0.0.1")


def test_a_zone_that_is_meant_to_be_signed_and_is_not_is_told(family: Family) -> None:
    spec = replace(family.spec, dnssec=True)
    dnssec = {item.aspect: item for item in examine(spec, {}, family.access)}[Aspect.DNSSEC]
    assert dnssec.holds is False
    assert dnssec.message == "not signed; spec.dnssec is true"


def test_caa_of_the_zone_is_told(family: Family) -> None:
    spec = replace(family.spec, records=(*family.spec.records, record("", "CAA", '0 issue "ca.example.net"')))
    applied(replace(spec, registrar=""), family.first.access())
    assert "ca.example.net" in family.examined()[Aspect.CAA].message


def test_glue_is_written_for_nameservers_inside_the_zone_and_goes_with_them(family: Family) -> None:
    inside = replace(
        family.spec, records=(record("ns1", "A", "127.0.0.1"),), nameservers=("ns1.example.test",)
    )
    delegation.change(inside, ZonePlan("example.test", delegation=((), inside.nameservers)), family.access)
    asked = ("+noall", "+additional")
    assert any("127.0.0.1" in line for line in family.parent.dig("example.test", "NS", *asked, "+noshort"))
    plan = ZonePlan("example.test", delegation=(inside.nameservers, family.spec.nameservers))
    delegation.change(family.spec, plan, family.access)
    assert not any(
        "ns1.example" in line for line in family.parent.dig("example.test", "NS", *asked, "+noshort")
    )
