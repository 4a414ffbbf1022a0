"""Route 53 and Route 53 Domains, against moto."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from tests.integration.dns.nameserver import OWNER, Knot, free_port
from tests.integration.dns.specs import applied, changed, domain, planned, record

from otto.adapters.dns import delegation, engine
from otto.adapters.dns.access import Access
from otto.adapters.dns.checking import check
from otto.adapters.dns.examining import examine
from otto.adapters.dns.faults import translated
from otto.model.domain import DnsProvider, DomainSpec, Record
from otto.model.errors import StaleError, TerminalError, TransientError
from otto.model.progress import silent
from otto.model.zone import Aspect, ZonePlan

CREDENTIALS = "aws_access_key_id = AKIATEST\naws_secret_access_key = not-a-real-secret\n"
CONTACT = {
    "FirstName": "A", "LastName": "B", "ContactType": "PERSON", "OrganizationName": "O",
    "AddressLine1": "Street 1", "City": "C", "State": "WA", "CountryCode": "US", "ZipCode": "98101",
    "PhoneNumber": "+1.2065551212", "Email": "a@example.org",
}  # fmt: skip


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port, log = free_port(), tmp_path_factory.mktemp("moto") / "log"
    url = f"http://127.0.0.1:{port}"
    with log.open("wb") as said:
        process = subprocess.Popen(
            [Path(sys.executable).parent / "moto_server", "-H", "127.0.0.1", "-p", str(port)],
            stdout=said,
            stderr=said,
            env={**os.environ, "MOTO_ROUTE53_DISABLE": "1"},
        )
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{url}/moto-api/data.json", timeout=5).close()  # noqa: S310  (http)
                break
            except OSError:
                assert process.poll() is None, log.read_text(encoding="utf-8")
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def access(moto: str) -> Access:
    request = urllib.request.Request(f"{moto}/moto-api/reset", method="POST")  # noqa: S310
    urllib.request.urlopen(request, timeout=20).close()  # noqa: S310
    return Access(OWNER, credentials=CREDENTIALS, endpoints={"route53": moto, "route53domains": moto})


def spec(*records: Record, **more: Any) -> DomainSpec:
    return replace(domain(*records, name="example.org", **more), provider=DnsProvider.ROUTE53)


def client(access: Access, service: str = "route53") -> Any:
    return boto3.client(
        service,
        endpoint_url=access.endpoints[service],
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="y",
    )


def test_a_zone_is_made_filled_read_back_and_emptied(access: Access) -> None:
    records = (
        record("", "MX", "10 mail.example.org."),
        record("", "TXT", '"v=spf1 -all; x"', f'"{"a" * 255}" "{"b" * 40}"'),
        record("", "CAA", '0 issue "ca.example.net"'),
        record("*", "A", "192.0.2.1", "192.0.2.2"),
        record("_sip._tcp", "SRV", "10 20 5060 sip.example.org."),
        record("alias", "CNAME", "www.example.org."),
        record("www", "AAAA", "2001:db8::1"),
    )
    plan = applied(spec(*records), access)
    assert plan.makes_zone
    assert len(changed(plan)) == len(records)
    again = planned(spec(*records), access)
    assert not again, again.changes
    assert again.managed == len(records)
    assert {item.address for item in engine.read(spec(), access).foreign} == {"@ NS"}
    emptied = applied(spec(), access)
    assert len(changed(emptied)) == len(records)
    assert not planned(spec(), access)


def test_a_zone_without_records_is_made_once(access: Access) -> None:
    assert applied(spec(), access).makes_zone
    assert not planned(spec(), access)
    with pytest.raises(StaleError, match="the zone is there already"):
        engine.apply(spec(), ZonePlan("example.org", makes_zone=True), access, silent)


def test_a_zone_whose_name_goes_on_is_another(access: Access) -> None:
    client(access).create_hosted_zone(Name="example.org.uk.", CallerReference="1")
    assert planned(spec(record("www", "A", "192.0.2.1")), access).makes_zone
    applied(spec(record("www", "A", "192.0.2.1")), access)
    names = [zone["Name"] for zone in client(access).list_hosted_zones()["HostedZones"]]
    assert sorted(names) == ["example.org.", "example.org.uk."]
    assert not planned(spec(record("www", "A", "192.0.2.1")), access)


def test_records_of_others_are_left_alone_and_a_change_since_the_plan_is_noticed(access: Access) -> None:
    applied(spec(record("www", "A", "192.0.2.1")), access)
    aws = client(access)
    (zone,) = aws.list_hosted_zones()["HostedZones"]

    def upsert(name: str, address: str) -> None:
        values = [{"Value": address}]
        change = {"Name": name, "Type": "A", "TTL": 60, "ResourceRecords": values}
        batch = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": change}]}
        aws.change_resource_record_sets(HostedZoneId=zone["Id"], ChangeBatch=batch)

    upsert("theirs.example.org.", "192.0.2.9")
    plan = planned(spec(record("www", "A", "192.0.2.2"), record("theirs", "A", "192.0.2.2")), access)
    assert changed(plan) == {"www A": "update"}
    assert [item.address for item in plan.conflicts] == ["theirs A"]
    upsert("www.example.org.", "192.0.2.66")
    with pytest.raises(StaleError, match=r"www A is 192\.0\.2\.66"):
        engine.apply(spec(), plan, access, silent)


def test_a_large_zone_goes_in_pieces_with_what_belongs_together_in_one(access: Access) -> None:
    records = [record(f"host-{number:04d}", "A", "192.0.2.1") for number in range(450)]
    steps = []
    plan = planned(spec(*records), access)
    engine.apply(spec(), plan, access, lambda progress: steps.append(progress.done))
    assert steps == [400, 800, 900]
    assert not planned(spec(*records), access)


def test_an_alias_is_refused_as_the_provider_has_none(access: Access) -> None:
    with pytest.raises(Exception, match="ALIAS records not supported") as caught:
        planned(spec(record("", "ALIAS", "elsewhere.example.net.")), access)
    assert isinstance(translated(caught.value, "route53", "example.org"), TerminalError)


def test_signing_is_refused_in_words(access: Access) -> None:
    with pytest.raises(TerminalError, match="no way to sign or unsign zones of route53"):
        planned(spec(record("www", "A", "192.0.2.1"), dnssec=True), access)


def test_credentials_that_are_none_are_told_without_being_shown(access: Access) -> None:
    with pytest.raises(TerminalError, match="none of AWS's") as caught:
        planned(spec(), replace(access, credentials="hunter2-hunter2"))
    assert "hunter2" not in str(caught.value)
    profile = f"[profile]\n{CREDENTIALS}"
    assert planned(spec(), replace(access, credentials=profile)).makes_zone


@pytest.mark.parametrize(
    ("code", "message", "status", "kind"),
    [
        ("Throttling", "Rate exceeded", 400, TransientError),
        ("PriorRequestNotComplete", "The request was rejected", 400, TransientError),
        ("InvalidChangeBatch", "Tried to create … but it already exists", 400, StaleError),
        ("InvalidChangeBatch", "Tried to delete … but it was not found", 400, StaleError),
        ("InvalidChangeBatch", "RRSet of type CNAME … is not permitted", 400, TerminalError),
        ("AccessDenied", "User is not authorized", 403, TerminalError),
        ("ServiceUnavailable", "Try later", 503, TransientError),
    ],
)
def test_what_aws_says_becomes_what_the_loop_does_next(
    code: str, message: str, status: int, kind: type[Exception]
) -> None:
    told = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    found = translated(ClientError(told, "ChangeResourceRecordSets"), "route53", "example.org")
    assert type(found) is kind
    if code == "Throttling":
        assert isinstance(found, TransientError)
        assert found.retry_after


def test_the_registrar_names_other_nameservers_with_glue(access: Access) -> None:
    domains = client(access, "route53domains")
    domains.register_domain(
        DomainName="example.org",
        DurationInYears=2,
        AdminContact=CONTACT,
        RegistrantContact=CONTACT,
        TechContact=CONTACT,
    )
    names = ("ns1.example.org", "ns2.example.net")
    wish = spec(
        record("ns1", "A", "192.0.2.53"), nameservers=names, registrar="route53domains", takeover=True
    )
    before = engine.read(wish, access).delegation
    assert before
    plan = planned(wish, access)
    assert plan.delegation == (before, names)
    engine.apply(wish, plan, access, silent)
    delegation.change(wish, plan, access)
    assert engine.read(wish, access).delegation == names
    assert planned(wish, access).delegation is None
    with pytest.raises(StaleError, match="nameservers at the registrar moved on"):
        delegation.change(wish, plan, access)


def test_what_the_registrar_was_told_is_read_back_from_the_servers_of_the_zone_above(tmp_path: Path) -> None:
    """They learn of it later; until they say so, the zone is not in place."""
    wish = spec(record("ns1", "A", "127.0.0.2"), nameservers=("ns1.example.org",), registrar="route53domains")
    with Knot(tmp_path / "org", ["org"]) as org:
        lookups = (f"127.0.0.1#{org.port}",)
        access = Access(OWNER, resolvers=lookups, port=org.port, timeout=1.0)
        org.update("org", ["del ns1.org A", "add ns1.org 60 A 127.0.0.1"])
        with Knot(tmp_path / "own", ["example.org"], "127.0.0.2", port=org.port) as own:
            own.update("example.org", ["del ns1.example.org A", "add ns1.example.org 300 A 127.0.0.2"])
            (failure,) = check(wish, {}, access)
            assert failure.check == "example.org NS"
            assert failure.target == "ns1.org (127.0.0.1)"
            assert (failure.expected, failure.received) == ("ns1.example.org.", "NXDOMAIN")
            assert Aspect.DELEGATION in {each.aspect for each in examine(wish, {}, access) if not each.holds}
            org.update("org", ["add example.org 60 NS ns1.example.org", "add ns1.example.org 60 A 127.0.0.2"])
            assert check(wish, {}, access) == ()
            (told,) = (each for each in examine(wish, {}, access) if each.aspect is Aspect.DELEGATION)
            assert (told.holds, told.message) == (True, "delegated to ns1.example.org")
    (lost,) = (
        each
        for each in check(wish, {}, replace(access, timeout=0.2))
        if each.target != "ns1.example.org (127.0.0.2)"
    )
    assert (lost.target, lost.received) == ("the zone above", "it is not found")


def test_a_nameserver_inside_the_zone_without_an_address_is_refused(access: Access) -> None:
    domains = client(access, "route53domains")
    domains.register_domain(
        DomainName="example.org",
        DurationInYears=2,
        AdminContact=CONTACT,
        RegistrantContact=CONTACT,
        TechContact=CONTACT,
    )
    wish = spec(nameservers=("ns1.example.org",), registrar="route53domains")
    plan = ZonePlan("example.org", delegation=(engine.read(wish, access).delegation or (), wish.nameservers))
    with pytest.raises(TerminalError, match=r"ns1\.example\.org lies inside the zone, and has no address"):
        delegation.change(wish, plan, access)
    with pytest.raises(TerminalError, match=r"other\.org"):
        engine.read(replace(wish, name="other.org"), access)
