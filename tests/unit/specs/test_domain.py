"""Domains as they are written: what is good, and what is wrong with the rest."""

import time
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from otto.adapters.specs.recordvalues import normal
from otto.decide.dns.aliases import circles
from otto.model.domain import DnsProvider, DomainSpec, Record, RecordType

from .writing import only, parse

PATH = "specs/example.org.yaml"


def document(name: str = "example.org", /, **fields: object) -> dict[str, Any]:
    return {
        "apiVersion": "otto/v1",
        "kind": "Domain",
        "metadata": {"name": name},
        "spec": {"provider": "rfc2136", **fields},
    }


def records(*found: dict[str, Any]) -> str:
    return yaml.safe_dump(document(records=list(found)))


def domain(text: str) -> DomainSpec:
    file = parse(text, PATH)
    assert not file.problems, [str(problem) for problem in file.problems]
    return file.domains[0]


def test_the_least() -> None:
    spec = domain(yaml.safe_dump(document()))
    assert spec == DomainSpec("example.org", file=PATH, line=1)
    assert spec.provider is DnsProvider.RFC2136
    assert parse(yaml.safe_dump(document()), PATH).names == ("example.org",)


def test_everything() -> None:
    text = """\
apiVersion: otto/v1
kind: Domain
metadata: {name: example.org, labels: {team: web}}
spec:
  provider: rfc2136
  server: {address: 192.0.2.53, port: 5353, keyName: otto, key: "env:KEY", algorithm: hmac-sha512}
  nameservers: [ns1.example.org, ns2.example.net]
  registrar: lab
  dnssec: true
  resolvers: ["192.0.2.1", "2001:db8::1"]
  suspend: true
  policy:
    {exclusive: true, takeover: true, ttl: 60, updateShare: 0.5, deleteShare: 0, approval: always,
     approvers: 2, approvalExpiry: 1h, protect: true, drift: ask, limits: {count: 9, reason: short-lived}}
  records:
    - {name: "@", site: hello}
    - {name: www, type: A, site: hello, ttl: 5}
"""
    spec = domain(text)
    assert spec.server.port == 5353
    assert spec.server.key == "env:KEY"
    assert spec.registrar == "lab"
    assert spec.dnssec is True
    assert spec.policy.limits is not None
    assert (spec.policy.limits.count, spec.policy.limits.window_count) == (9.0, 12.0)
    assert (spec.policy.ttl, spec.policy.approval_expiry, spec.policy.drift) == (60, 3600.0, "ask")
    assert spec.sites == {"hello"}
    assert spec.records == (
        Record("", RecordType.A, (), None, "hello"),
        Record("", RecordType.AAAA, (), None, "hello"),
        Record("www", RecordType.A, (), 5, "hello"),
    )


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("A", "192.0.2.1", "192.0.2.1"),
        ("AAAA", "2001:DB8:0:0::1", "2001:db8::1"),
        ("CNAME", "@", "example.org."),
        ("CNAME", "www", "www.example.org."),
        ("CNAME", "_x.example.net.", "_x.example.net."),
        ("MX", "10 mail", "10 mail.example.org."),
        ("MX", "0 .", "0 ."),
        ("NS", "ns1.example.net.", "ns1.example.net."),
        ("SRV", "10 5 5060 sip", "10 5 5060 sip.example.org."),
        ("CAA", "0 issue letsencrypt.org", '0 issue "letsencrypt.org"'),
        ("CAA", '128 iodef "mailto:a@example.org"', '128 iodef "mailto:a@example.org"'),
        ("TXT", "v=spf1 -all", '"v=spf1 -all"'),
        ("TXT", 'a "b" \\ c', '"a \\"b\\" \\\\ c"'),
        ("TXT", '"a" "b\\"\\065"', '"a" "b\\"A"'),
        ("TXT", "", '""'),
        ("TXT", "x" * 300, f'"{"x" * 255}" "{"x" * 45}"'),
    ],
)
def test_values_as_in_a_zone_file(kind: str, text: str, value: str) -> None:
    assert normal(RecordType(kind), text, "example.org") == value
    # What OttO writes itself reads as the same again.
    assert normal(RecordType(kind), value, "example.org") == value


@given(st.text(max_size=900))
def test_any_text_is_a_txt_value_or_says_why(text: str) -> None:
    file = parse(records({"name": "a", "type": "TXT", "values": [text]}), PATH)
    if file.problems:
        return
    (value,) = file.domains[0].records[0].values
    assert value.isascii()
    assert normal(RecordType.TXT, value, "example.org") == value


BAD: list[tuple[str, dict[str, Any], str, str]] = [
    ("CNAME at the apex", {"name": "@", "type": "CNAME", "values": ["www"]}, "/0", "cannot be a CNAME"),
    (
        "apex NS",
        {"name": "@", "type": "NS", "values": ["ns1.a.example."]},
        "/0",
        "nameservers are named once",
    ),
    ("outside", {"name": "www.example.net.", "site": "hello"}, "/0/name", "outside of the zone example.org"),
    ("in full", {"name": "www.example.org", "site": "hello"}, "/0/name", "names are inside the zone"),
    ("no dot", {"name": "a", "type": "CNAME", "values": ["b.c"]}, "/0/values/0", "whether this name ends"),
    ("MX", {"name": "a", "type": "MX", "values": ["mail"]}, "/0/values/0", "no MX record"),
    ("MX number", {"name": "a", "type": "MX", "values": ["70000 mail"]}, "/0/values/0", "preference"),
    ("SRV", {"name": "_a._b", "type": "SRV", "values": ["1 2 x"]}, "/0/values/0", "no SRV record"),
    ("SRV name", {"name": "a", "type": "SRV", "values": ["1 2 3 x"]}, "/0/name", "_SERVICE._PROTOCOL"),
    ("CAA", {"name": "a", "type": "CAA", "values": ["issue x"]}, "/0/values/0", "no CAA record"),
    ("CAA flags", {"name": "a", "type": "CAA", "values": ["256 issue x"]}, "/0/values/0", "flags"),
    ("TXT quotes", {"name": "a", "type": "TXT", "values": ['"a']}, "/0/values/0", "quotation marks"),
    ("TXT long", {"name": "a", "type": "TXT", "values": [f'"{"x" * 256}"']}, "/0/values/0", "too long"),
    ("TXT ü", {"name": "a", "type": "TXT", "values": ["ü"]}, "/0/values/0", "not printable ASCII"),
    ("TXT \\195", {"name": "a", "type": "TXT", "values": ['"\\195"']}, "/0/values/0", "not printable ASCII"),
    ("TXT byte", {"name": "a", "type": "TXT", "values": ['"\\256"']}, "/0/values/0", "is no byte"),
    ("IPv4", {"name": "a", "type": "A", "values": ["192.0.2.256"]}, "/0/values/0", "no IPv4 address"),
    ("IPv6", {"name": "a", "type": "AAAA", "values": ["fe80::1%eth0"]}, "/0/values/0", "zone of its own"),
    ("alike", {"name": "a", "type": "AAAA", "values": ["::1", "0::1"]}, "/0/values/1", "same as value 1"),
    ("two", {"name": "a", "type": "CNAME", "values": ["b", "c"]}, "/0/values", "CNAME has one value"),
    ("none", {"name": "a", "type": "A", "values": []}, "/0/values", "may not be empty"),
    ("null MX", {"name": "a", "type": "MX", "values": ["0 .", "1 b"]}, "/0/values", "stands alone"),
    ("no type", {"name": "a", "values": ["192.0.2.1"]}, "/0", 'missing field "type"'),
    ("both", {"name": "a", "site": "hello", "values": ["192.0.2.1"]}, "/0/values", "no values of its own"),
    ("site MX", {"name": "a", "site": "hello", "type": "MX"}, "/0/type", "holds addresses"),
    ("ALIAS", {"name": "a", "type": "ALIAS", "values": ["b"]}, "/0/type", "rfc2136 has no ALIAS"),
    ("TTL", {"name": "a", "site": "hello", "ttl": 2**31}, "/0/ttl", "too big"),
    ("upper case", {"name": "WWW", "site": "hello"}, "/0/name", "not written as it has to be"),
    ("star inside", {"name": "a.*", "site": "hello"}, "/0/name", "not written as it has to be"),
    ("label", {"name": "a" * 64, "site": "hello"}, "/0/name", "not written as it has to be"),
    ("long", {"name": ".".join(["a" * 60] * 4), "site": "hello"}, "/0/name", "too long"),
    ("address MX", {"name": "a", "type": "MX", "values": ["10 192.0.2.1."]}, "/0/values/0", "is an address"),
    ("address", {"name": "a", "type": "CNAME", "values": ["192.0.2.1"]}, "/0/values/0", "is an address"),
    ("IDN", {"name": "xn--zzzzzzz99999", "site": "hello"}, "/0/name", "not the ASCII form"),
    ("mark", {"name": "_owner.a.www", "type": "TXT", "values": ["x"]}, "/0/name", "OttO writes whose"),
    (
        "no room",
        {"name": ".".join(["a" * 59] * 4), "site": "hello"},
        "/0/name",
        "to have an ownership record",
    ),
    ("itself", {"name": "a", "type": "CNAME", "values": ["a"]}, "/0/values", "leads back to itself"),
    ("by *", {"name": "*", "type": "CNAME", "values": ["www"]}, "/0/values", "leads back to itself"),
    ("one value", {"name": "a", "type": "A", "values": "192.0.2.1"}, "/0/values", "has to be a list"),
    ("minutes", {"name": "a", "site": "hello", "ttl": "5m"}, "/0/ttl", "has to be a whole number"),
    ("wildcard NS", {"name": "*", "type": "NS", "values": ["ns.a.example."]}, "/0", "cannot be delegated"),
]


@pytest.mark.parametrize(
    ("item", "pointer", "message"), [row[1:] for row in BAD], ids=[row[0] for row in BAD]
)
def test_a_bad_record(item: dict[str, Any], pointer: str, message: str) -> None:
    problem = only(parse(records(item), PATH))
    assert problem.pointer == f"/spec/records{pointer}"
    assert message in problem.message
    assert problem.site == "example.org"
    assert problem.line > 1


TOGETHER: list[tuple[str, list[dict[str, Any]], str]] = [
    (
        "CNAME beside",
        [{"name": "a", "type": "CNAME", "values": ["b"]}, {"name": "a", "site": "hello"}],
        "CNAME cannot stand beside A, AAAA",
    ),
    (
        "twice",
        [{"name": "a", "type": "A", "values": ["192.0.2.1"]}, {"name": "a", "site": "hello"}],
        "a A stands in the list twice",
    ),
    (
        "delegated",
        [
            {"name": "sub", "type": "NS", "values": ["ns1.a.example."]},
            {"name": "x.sub", "type": "TXT", "values": ["x"]},
        ],
        "lies in sub, which is delegated",
    ),
    (
        "beside a delegation",
        [
            {"name": "sub", "type": "NS", "values": ["ns1.a.example."]},
            {"name": "sub", "type": "TXT", "values": ["x"]},
        ],
        "NS cannot stand beside TXT",
    ),
    (
        "MX to an alias",
        [{"name": "m", "type": "CNAME", "values": ["b"]}, {"name": "@", "type": "MX", "values": ["1 m"]}],
        "MX cannot lead to m.example.org, which is a CNAME",
    ),
]


@pytest.mark.parametrize(
    ("items", "message"), [row[1:] for row in TOGETHER], ids=[row[0] for row in TOGETHER]
)
def test_records_that_exclude_each_other(items: list[dict[str, Any]], message: str) -> None:
    assert message in only(parse(records(*items), PATH)).message


def test_every_problem_is_told_at_once() -> None:
    """What the schema finds in one record hides nothing of the others."""
    file = parse(
        """\
apiVersion: otto/v1
kind: Domain
metadata: {name: example.org}
spec:
  provider: rfc2136
  nameservers: [ns1.example.org.]
  records:
    - {name: spf, type: SPF, values: [x]}
    - {name: "@", type: CNAME, values: [www]}
    - {name: www, type: A, values: [192.0.2.1]}
    - {name: www, type: CNAME, values: [mail]}
    - {name: www.other.example., type: A, values: [192.0.2.1]}
    - {name: www, type: A, values: [192.0.2.2]}
    - {name: a, type: A, values: [192.0.2.300], ttl: 1h}
""",
        PATH,
    )
    told = [(problem.line, problem.pointer) for problem in file.problems]
    assert told == [
        (6, "/spec/nameservers/0"),
        (8, "/spec/records/0/type"),
        (9, "/spec/records/1"),
        (11, "/spec/records/3"),
        (12, "/spec/records/4/name"),
        (13, "/spec/records/5/name"),
        (14, "/spec/records/6/ttl"),
    ]
    assert file.problems[5].mend == "put all values into that of line 10"
    assert file.problems[6].mend == "write it in seconds: 3600"
    assert all(problem.mend or problem.allowed for problem in file.problems)


@pytest.mark.parametrize("bad", ["name: Example", "name: [a]", "labels: 3"])
def test_a_document_whose_frame_is_wrong_is_judged_by_its_schema_alone(bad: str) -> None:
    text = f"apiVersion: otto/v1\nkind: Domain\nmetadata: {{{bad}}}\nspec: {{records: [7, {{name: a}}]}}\n"
    assert parse(text, PATH).problems


def test_a_record_knows_its_line() -> None:
    text = records({"name": "a", "site": "hello"}, {"name": "b", "type": "A", "values": ["192.0.2.1"]})
    assert {record.name: record.line for record in domain(text).records} == {"a": 8, "b": 10}


def test_a_wildcard_is_no_circle_where_the_name_is_there() -> None:
    star = {"name": "*", "type": "CNAME", "values": ["www"]}
    assert len(domain(records(star, {"name": "www", "type": "A", "values": ["192.0.2.1"]})).records) == 2
    # `www` is there, as something lies below it: the wildcard does not answer for it (RFC 4592, 2.2.2).
    below = {"name": "a.www", "type": "A", "values": ["192.0.2.1"]}
    assert len(domain(records(star, below)).records) == 2


def test_an_alias_beside_an_address_is_one_problem() -> None:
    star = {"name": "*", "type": "CNAME", "values": ["www"]}
    address = {"name": "www", "type": "A", "values": ["192.0.2.1"]}
    alias = {"name": "www", "type": "CNAME", "values": ["mail"]}
    assert "cannot stand beside" in only(parse(records(star, address, alias), PATH)).message


def test_a_long_row_of_aliases_is_read_in_a_moment() -> None:
    row = {f"h{number}": f"h{number + 1}.example.org." for number in range(20_000)}
    began = time.perf_counter()
    assert list(circles(row, "example.org")) == []
    (circle,) = circles({**row, "h20000": "h10000.example.org."}, "example.org")
    assert len(circle) == 10_001
    assert time.perf_counter() - began < 5


def test_glue_below_a_delegation_is_fine() -> None:
    spec = domain(
        records(
            {"name": "sub", "type": "NS", "values": ["ns1.sub.example.org."]},
            {"name": "ns1.sub", "type": "A", "values": ["192.0.2.1"]},
        )
    )
    assert len(spec.records) == 2


@pytest.mark.parametrize(
    ("name", "mend"),
    [
        ("straße.example", "write it as xn--strae-oqa.example"),
        ("Example.ORG.", "write it as example.org"),
        ("example", ""),
        ("a..example", ""),
        (f"{'a' * 64}.example", ""),
    ],
)
def test_a_bad_name_of_a_zone(name: str, mend: str) -> None:
    problem = only(parse(yaml.safe_dump(document(name), allow_unicode=True), PATH))
    assert problem.pointer == "/metadata/name"
    assert problem.mend == mend


def test_an_ascii_form_of_nothing() -> None:
    problem = only(parse(yaml.safe_dump(document("xn--a.example")), PATH))
    assert "not the ASCII form" in problem.message


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"provider": "route53", "server": {"address": "192.0.2.1"}}, "reached by its API"),
        ({"provider": "powerdns"}, "needs the address of its API"),
        ({"registrar": "lab"}, "nothing to tell the registrar"),
        ({"resolvers": ["1.2.3"]}, "no IP address"),
        ({"server": {"address": "a", "keyName": "k", "key": "c2VjcmV0"}}, "not written as it has to be"),
        ({"policy": {"limits": {"count": 9}}}, 'missing field "reason"'),
        ({"policy": {"approvalExpiry": "0s"}}, "no time at all"),
    ],
)
def test_bad_fields(fields: dict[str, Any], message: str) -> None:
    problem = only(parse(yaml.safe_dump(document(**fields)), PATH))
    assert message in problem.message
    assert "c2VjcmV0" not in str(problem)


def test_a_file_that_cannot_be_read_names_its_zone() -> None:
    file = parse("metadata:\n  name: example.org\nspec: [", PATH)
    assert file.names == ("example.org",)


def test_ten_thousand_records_are_read_in_a_moment() -> None:
    head = "apiVersion: otto/v1\nkind: Domain\nmetadata: {name: big.example}\nspec:\n  provider: rfc2136\n"
    lines = [
        f"    - {{name: h{n}, type: A, values: [10.0.{n // 256}.{n % 256}], ttl: 60}}" for n in range(10_000)
    ]
    began = time.perf_counter()
    spec = domain(head + "  records:\n" + "\n".join(lines))
    assert len(spec.records) == 10_000
    assert time.perf_counter() - began < 10  # on a machine that is busy; alone it is half a second
