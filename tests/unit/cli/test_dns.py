"""`otto dns`, and what the other commands say of zones."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.unit.cli.conftest import Stage

from otto import resources
from otto.adapters.specs import YamlSpecs
from otto.adapters.specs.domaintext import written
from otto.adapters.specs.zonefile import record_sets
from otto.model.domain import DomainPolicy, DomainSpec, Record, RecordType
from otto.model.errors import TransientError, UsageError
from otto.model.zone import RecordSet
from otto.testing import SimZone, site_spec

ZONE = "acme.example"
A, MX = RecordType.A, RecordType.MX


def domain(*records: Record, **fields: object) -> DomainSpec:
    return replace(DomainSpec(ZONE, records=records), **fields)  # type: ignore[arg-type]


HELD = (Record("a", A, ("192.0.2.1",)), Record("", MX, ("10 a.acme.example.",)))


def valid(name: str, text: str) -> Any:
    schema = json.loads(resources.path("schemas", "output", f"{name}.json").read_text(encoding="utf-8"))
    document = json.loads(text)
    Draft202012Validator(schema).validate(document)
    return document


@pytest.fixture
def up(stage: Stage) -> Stage:
    stage.world.declare(domain(*HELD))
    result = stage.otto("dns", "apply", ZONE, "--plain")
    assert result.exit_code == 0, result.output
    return stage


def test_apply_puts_a_zone_in_place(up: Stage) -> None:
    assert set(up.world.zones.records(ZONE)) == {"a A", "@ MX"}
    assert [run.outcome.value for run in up.runs(ZONE)] == ["succeeded"]


def test_diff_says_every_record_before_and_after_and_what_is_somebody_elses(up: Stage) -> None:
    up.world.declare(domain(Record("a", A, ("192.0.2.9",)), HELD[1], Record("b", A, ("192.0.2.1",))))
    theirs = RecordSet("theirs", "A", 60, ("192.0.2.77",))
    up.world.zones.zones[ZONE].touch(theirs, RecordSet("b", "A", 300, ("192.0.2.66",)))
    result = up.otto("dns", "diff", ZONE, "--exit-code")
    assert result.exit_code == 4
    assert "~ update   a A  192.0.2.1 (ttl 300) -> 192.0.2.9 (ttl 300)" in result.stdout
    assert "somebody else's (policy.takeover: true makes it OttO's)" in result.stdout
    assert "192.0.2.66" in result.stdout
    assert "2 record sets of others" in result.stdout
    assert "192.0.2.77" in result.stdout
    document = valid("dns-diff", up.otto("dns", "diff", ZONE, "--json").stdout)
    assert [item["path"] for item in document["conflicts"]] == ["records/b/A"]
    assert {item["name"] for item in document["foreign"]} == {"b", "theirs"}
    # Nothing was changed by looking.
    assert up.world.zones.records(ZONE)["a A"] == ("192.0.2.1",)


def test_diff_of_a_zone_that_is_as_it_should_be(up: Stage) -> None:
    result = up.otto("dns", "diff", ZONE, "--exit-code")
    assert result.exit_code == 0
    assert "nothing to do" in result.stdout


def test_an_unknown_zone(up: Stage) -> None:
    result = up.otto("dns", "diff", "other.example")
    assert result.exit_code == 1
    assert "no spec describes a zone 'other.example'" in result.stderr
    assert up.otto("dns", "apply", "other.example").exit_code == 1


def test_plan_diff_and_their_documents(up: Stage) -> None:
    up.world.declare(domain(*HELD[:1]))
    plan = up.otto("plan", ZONE)
    assert "- destroy  @ MX  10 a.acme.example. (ttl 300) -> none" in plan.stdout
    assert "[guard.dns.exposed]" in plan.stdout
    document = valid("plan", up.otto("plan", ZONE, "--json").stdout)
    assert document["plan"]["about"]["zone"]["managed"] == 2
    assert "records/@/MX" in up.otto("diff", ZONE).stdout
    valid("diff", up.otto("diff", ZONE, "--json").stdout)


def test_a_plan_that_waits_is_explained_and_approved_like_any_other(up: Stage) -> None:
    up.world.declare(domain(*HELD[:1]))
    assert up.otto("dns", "apply", ZONE).exit_code == 1
    why = up.otto("why", ZONE)
    assert "guard.dns.exposed" in why.stdout
    valid("why", up.otto("why", ZONE, "--json").stdout)
    status = valid("status", up.otto("status", ZONE, "--json").stdout)["sites"][0]
    assert status["phase"] == "AwaitingApproval"
    said = up.otto("approve", ZONE, status["plan"][:12])
    assert said.exit_code == 0, said.output
    assert up.otto("dns", "apply", ZONE).exit_code == 0
    assert set(up.world.zones.records(ZONE)) == {"a A"}
    assert valid("history", up.otto("history", ZONE, "--json").stdout)["runs"]
    assert valid("audit", up.otto("audit", ZONE, "--json").stdout)["records"]


def test_the_zones_own_policy_counts_where_people_approve(up: Stage) -> None:
    up.world.declare(domain(*HELD[:1], policy=DomainPolicy(approvers=2)))
    assert up.otto("dns", "apply", ZONE).exit_code == 1
    plan = valid("status", up.otto("status", ZONE, "--json").stdout)["sites"][0]["plan"]
    assert "1 of 2 approvals" in up.otto("approve", ZONE, plan[:12], "--by", "ada").stdout


def test_a_zone_is_suspended_and_given_up(up: Stage) -> None:
    assert up.otto("suspend", ZONE).exit_code == 0
    assert up.otto("resume", ZONE).exit_code == 0
    result = up.otto("destroy", ZONE, "--yes")
    assert result.exit_code == 0, result.output
    assert not up.world.zones.records(ZONE)


def test_status_lists_zones_beside_sites(up: Stage) -> None:
    up.world.push(site_spec())
    assert up.otto("reconcile", "acme").exit_code == 0
    names = [item["name"] for item in valid("status", up.otto("status", "--json").stdout)["sites"]]
    assert names == ["acme", ZONE]


def test_check_says_what_is_wrong_and_fails(up: Stage) -> None:
    good = up.otto("dns", "check", ZONE)
    assert good.exit_code == 0
    assert "answers" in good.stdout
    up.world.zones.zones[ZONE].slow = {"ns2": {}}
    bad = up.otto("dns", "check", ZONE)
    assert bad.exit_code == 1
    assert "a.acme.example A on ns2" in bad.stdout.replace("\n", " ")
    document = valid("dns-check", up.otto("dns", "check", ZONE, "--json").stdout)
    assert document["findings"][0]["holds"] is False


def test_check_of_a_zone_that_is_not_ottos(stage: Stage) -> None:
    assert stage.otto("dns", "check", "Other.Example.").exit_code == 0
    assert "examine:other.example" in stage.world.zones.failures.calls


# Import

ZONE_FILE = """\
$ORIGIN acme.example.
$TTL 600
@ IN SOA ns1 hostmaster 1 7200 900 1209600 600
@ IN NS ns1
@ IN NS ns2.example.net.
@ IN MX 10 mail
@ IN TXT "v=spf1 mx -all"
ns1 IN A 192.0.2.53
mail 3600 IN A 192.0.2.10
mail IN AAAA 2001:DB8::10
www IN CNAME @
_sip._tcp IN SRV 10 5 5060 mail
*.dev IN A 192.0.2.11
long IN TXT "{a}" "{b}"
odd IN TXT "a;b" "c\\"d"
fp IN SSHFP 1 1 123456789abcdef67890123456789abcdef67890
sub IN NS ns1.sub
ns1.sub IN A 192.0.2.54
caa IN CAA 0 issue "letsencrypt.org"
""".replace("{a}", "x" * 255).replace("{b}", "y" * 10)


def test_a_zone_file_becomes_a_spec_that_says_the_same(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "acme.zone"
    path.write_text(ZONE_FILE, encoding="utf-8")
    result = stage.otto("dns", "import", ZONE, "--file", str(path), "--json")
    assert result.exit_code == 0, result.output
    document = valid("dns-import", result.stdout)
    assert not document["problems"]
    assert [item["type"] for item in document["left_out"]] == ["SSHFP"]
    (spec,) = YamlSpecs().parse("specs/acme.yaml", document["text"].encode()).domains
    assert spec.nameservers == ("ns1.acme.example", "ns2.example.net")
    assert spec.policy.ttl == 600
    wanted = {item.key: item for item in record_sets(ZONE, ZONE_FILE.encode())}
    for record in spec.records:
        live = wanted.pop(record.key)
        assert (record.values, record.ttl or 600) == (live.values, live.ttl), record
    assert {kind for _, kind in wanted} == {"SOA", "NS", "SSHFP"}
    assert "values: [v=spf1 mx -all]" in document["text"]
    assert "left out, as no spec holds this type: fp SSHFP" in document["text"]


def test_a_live_zone_becomes_a_spec(stage: Stage, tmp_path: Path) -> None:
    stage.world.zones.zones[ZONE] = SimZone({("a", "A"): RecordSet("a", "A", 60, ("192.0.2.1",))})
    output = tmp_path / "acme.yaml"
    words = ("--at", "192.0.2.53", "--key-name", "otto", "--key", "env:OTTO_DNS_KEY", "--output", str(output))
    result = stage.otto("dns", "import", ZONE, *words)
    assert result.exit_code == 0, result.output
    (spec,) = YamlSpecs().parse("specs/acme.yaml", output.read_bytes()).domains
    assert spec.records == (Record("a", A, ("192.0.2.1",)),)
    assert (spec.server.address, spec.server.key) == ("192.0.2.53", "env:OTTO_DNS_KEY")
    assert stage.otto("dns", "import", ZONE, *words).exit_code == 1  # it is there already


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["other.example"], "is not served there"),
        (["example"], "is no zone"),
        ([ZONE, "--provider", "bind"], "is none of"),
        ([ZONE, "--file", "/nowhere.zone"], "cannot be read"),
    ],
)
def test_what_cannot_be_imported(stage: Stage, words: list[str], message: str) -> None:
    result = stage.otto("dns", "import", *words)
    assert result.exit_code in (1, 2)
    assert message in result.stderr.replace("\n", " ")


@pytest.mark.parametrize(
    "data", [b"\xff", b"$INCLUDE /etc/passwd\n", b"a IN A 192.0.2.300\n", b"x" * 100, b"( " * 1000]
)
def test_what_is_no_zone_file(data: bytes) -> None:
    with pytest.raises(UsageError) as caught:
        record_sets(ZONE, data)
    assert "root:" not in caught.value.message


def test_where_a_zone_file_is_wrong() -> None:
    with pytest.raises(UsageError, match=r"near line [23]: "):
        record_sets(ZONE, b"$TTL 300\na IN A 192.0.2.300\n")


def test_a_zone_that_ottos_rules_do_not_like_is_imported_with_its_problems() -> None:
    found = written(DomainSpec(ZONE), [RecordSet("", "CNAME", 60, ("a.example.net.",))])
    assert "cannot be a CNAME" in found.problems[0].message


def test_a_server_that_does_not_answer(stage: Stage) -> None:
    stage.world.declare(domain(*HELD))
    stage.world.zones.failures.always("plan", TransientError("ns1 does not answer", mend="see ns1"))
    result = stage.otto("dns", "diff", ZONE)
    assert result.exit_code == 1
    assert "ns1 does not answer" in result.stderr
    assert asyncio.run(stage.world.store.status(ZONE)) is None
