"""Planned, applied, planned again: on Knot and on BIND."""

from tests.integration.dns.nameserver import Nameserver
from tests.integration.dns.specs import applied, changed, domain, planned, record

from otto.adapters.dns import engine
from otto.model.zone import ChangeKind

MARK = '"heritage=otto,owner=0123abcd"'


def test_a_plan_is_applied_with_ownership_records_and_then_there_is_nothing_to_do(
    nameserver: Nameserver,
) -> None:
    spec = domain(
        record("www", "A", "192.0.2.1", "192.0.2.2"),
        record("", "MX", "10 mail.example.test."),
        record("mail", "AAAA", "2001:db8::3", ttl=60),
    )
    plan = applied(spec, nameserver.access())
    assert changed(plan) == {"www A": "create", "@ MX": "create", "mail AAAA": "create"}
    assert sorted(nameserver.dig("www.example.test", "A")) == ["192.0.2.1", "192.0.2.2"]
    assert nameserver.dig("_owner.a.www.example.test", "TXT") == [MARK]
    assert nameserver.dig("_owner.mx.example.test", "TXT") == [MARK]
    again = planned(spec, nameserver.access())
    assert not again
    assert again.managed == 3


def test_what_others_made_is_left_alone_and_shown(nameserver: Nameserver) -> None:
    spec = domain(record("www", "A", "192.0.2.1"))
    applied(spec, nameserver.access())
    nameserver.update("example.test", ["update add theirs.example.test 60 A 192.0.2.9"])
    plan = planned(domain(), nameserver.access())
    assert changed(plan) == {"www A": "delete"}
    assert "theirs A" in {item.address for item in plan.foreign}
    zone = engine.read(spec, nameserver.access())
    assert {item.address for item in zone.ours} == {"www A"}
    assert {item.address for item in zone.foreign} == {"@ NS", "ns1 A", "theirs A"}
    assert zone.exists
    assert zone.serial == engine.serial(spec, nameserver.access())


def test_an_exclusive_zone_loses_what_no_spec_names_but_never_its_own_nameservers(
    nameserver: Nameserver,
) -> None:
    nameserver.update("example.test", ["update add theirs.example.test 60 A 192.0.2.9"])
    plan = applied(domain(record("www", "A", "192.0.2.1"), exclusive=True), nameserver.access())
    assert changed(plan) == {"theirs A": "delete", "www A": "create"}
    assert nameserver.dig("theirs.example.test", "A") == []
    assert nameserver.dig("example.test", "NS") == ["ns1.example.test."]
    assert nameserver.dig("ns1.example.test", "A") == ["192.0.2.53"]
    assert not planned(domain(record("www", "A", "192.0.2.1"), exclusive=True), nameserver.access())


def test_anothers_record_in_the_way_is_a_conflict_until_it_may_be_taken_over(nameserver: Nameserver) -> None:
    nameserver.update("example.test", ["update add www.example.test 60 A 192.0.2.9"])
    records = (record("www", "A", "192.0.2.1"), record("api", "A", "192.0.2.1"))
    plan = applied(domain(*records), nameserver.access())
    assert [item.address for item in plan.conflicts] == ["www A"]
    assert changed(plan) == {"api A": "create"}
    assert nameserver.dig("www.example.test", "A") == ["192.0.2.9"]
    taken = applied(domain(*records, takeover=True), nameserver.access())
    assert changed(taken) == {"www A": "update"}
    assert [change.takes_over for change in taken.changes] == [True, True]
    assert nameserver.dig("www.example.test", "A") == ["192.0.2.1"]


def test_anothers_cname_is_in_the_way_of_an_address_and_goes_only_when_taken_over(
    nameserver: Nameserver,
) -> None:
    nameserver.update("example.test", ["update add www.example.test 60 CNAME elsewhere.example.test."])
    spec = domain(record("www", "A", "192.0.2.1"))
    plan = planned(spec, nameserver.access())
    assert not plan
    assert [item.address for item in plan.conflicts] == ["www CNAME"]
    applied(domain(*spec.records, takeover=True), nameserver.access())
    assert nameserver.dig("www.example.test", "A") == ["192.0.2.1"]
    assert nameserver.dig("www.example.test", "CNAME") == []


def test_anothers_record_that_is_just_as_desired_is_no_conflict_and_stays_theirs(
    nameserver: Nameserver,
) -> None:
    nameserver.update("example.test", ["update add www.example.test 300 A 192.0.2.1"])
    plan = planned(domain(record("www", "A", "192.0.2.1")), nameserver.access())
    assert not plan
    assert not plan.conflicts
    assert not planned(domain(), nameserver.access())
    marked = applied(domain(record("www", "A", "192.0.2.1"), takeover=True), nameserver.access())
    assert changed(marked) == {}
    assert [change.marks for change in marked.changes] == [True]
    assert changed(planned(domain(), nameserver.access())) == {"www A": "delete"}


def test_two_owners_of_one_zone_conflict_and_neither_loses_anything(nameserver: Nameserver) -> None:
    ours, theirs = nameserver.access("aaaa0001"), nameserver.access("bbbb0002")
    applied(domain(record("www", "A", "192.0.2.1")), ours)
    for exclusive in (False, True):
        plan = planned(domain(record("www", "A", "192.0.2.2"), exclusive=exclusive), theirs)
        assert {item.address for item in plan.conflicts} == {"www A", "_owner.a.www TXT"}
        assert "www A" not in changed(plan)
    applied(domain(exclusive=True), theirs)
    assert nameserver.dig("www.example.test", "A") == ["192.0.2.1"]
    applied(domain(record("www", "A", "192.0.2.2"), takeover=True), theirs)
    assert nameserver.dig("www.example.test", "A") == ["192.0.2.2"]
    plan = planned(domain(record("www", "A", "192.0.2.1")), ours)
    assert not plan
    assert plan.conflicts


def test_ownership_records_whose_record_somebody_deleted_are_cleaned_up(nameserver: Nameserver) -> None:
    applied(domain(record("www", "A", "192.0.2.1")), nameserver.access())
    nameserver.update("example.test", ["update delete www.example.test A"])
    plan = applied(domain(), nameserver.access())
    assert [(change.record.name, change.kind) for change in plan.changes] == [
        ("_owner.a.www", ChangeKind.DELETE)
    ]
    assert nameserver.dig("_owner.a.www.example.test", "TXT") == []


def test_records_of_a_site_follow_it_stay_while_it_is_unknown_and_go_with_it(nameserver: Nameserver) -> None:
    access = nameserver.access()
    spec = domain(record("www", "A", site="hello"), record("www", "AAAA", site="hello"))
    applied(spec, access, {"hello": ("192.0.2.1", "2001:db8::1")})
    assert nameserver.dig("www.example.test", "AAAA") == ["2001:db8::1"]
    assert not planned(spec, access, {})
    moved = applied(spec, access, {"hello": ("192.0.2.7",)})
    assert changed(moved) == {"www A": "update", "www AAAA": "delete"}
    assert changed(planned(spec, access, {"hello": ()})) == {"www A": "delete"}


def test_every_type_goes_there_and_comes_back_the_same(nameserver: Nameserver) -> None:
    spec = domain(
        record("", "CAA", '0 issue "ca.example.net"', '128 iodef "mailto:x@example.test"'),
        record("", "MX", "10 mail.example.test.", "20 mail2.example.test."),
        record("", "TXT", '"v=spf1 -all; not a comment"', '"a \\"quoted\\" word"'),
        record("_sip._tcp", "SRV", "10 20 5060 sip.example.test."),
        record("alias", "CNAME", "www.example.test."),
        record("key._domainkey", "TXT", f'"v=DKIM1; k=rsa; p={"A" * 220}" "{"B" * 200}"'),
        record("sub", "NS", "ns1.elsewhere.test.", "ns2.elsewhere.test."),
        record("*", "A", "192.0.2.1"),
        record("*.dev", "AAAA", "2001:db8::1"),
        record("xn--bcher-kva", "A", "192.0.2.1"),
    )
    applied(spec, nameserver.access())
    plan = planned(spec, nameserver.access())
    assert not plan.changes
    assert plan.managed == len(spec.records)
    zone = engine.read(spec, nameserver.access())
    assert {item.address for item in zone.foreign} == {"@ NS", "ns1 A"}
    assert changed(planned(domain(), nameserver.access())).keys() == {item.address for item in zone.ours}


def test_a_name_turns_from_address_to_alias_and_back_in_one_step(nameserver: Nameserver) -> None:
    access = nameserver.access()
    applied(domain(record("www", "A", "192.0.2.1")), access)
    alias = applied(domain(record("www", "CNAME", "ns1.example.test.")), access)
    assert changed(alias) == {"www A": "delete", "www CNAME": "create"}
    assert nameserver.dig("www.example.test", "CNAME") == ["ns1.example.test."]
    applied(domain(record("www", "A", "192.0.2.1")), access)
    assert nameserver.dig("www.example.test", "A") == ["192.0.2.1"]


def test_the_nameservers_of_the_apex_change_once_they_are_taken_over(nameserver: Nameserver) -> None:
    access = nameserver.access()
    spec = domain(record("ns2", "A", "192.0.2.54"), nameservers=("ns1.example.test", "ns2.example.test"))
    assert [item.address for item in planned(spec, access).conflicts] == ["@ NS"]
    spec = domain(record("ns2", "A", "192.0.2.54"), nameservers=("ns2.example.test",), takeover=True)
    applied(spec, access)
    assert nameserver.dig("example.test", "NS") == ["ns2.example.test."]
    assert not planned(spec, access)


def test_a_type_that_octodns_does_not_know_is_foreign_and_never_in_danger(nameserver: Nameserver) -> None:
    nameserver.update("example.test", ['update add odd.example.test 60 HINFO "a" "b"'])
    plan = applied(domain(exclusive=True), nameserver.access())
    assert "odd HINFO" in {item.address for item in plan.foreign}
    assert nameserver.dig("odd.example.test", "HINFO") == ['"a" "b"']


def test_what_octodns_reads_otherwise_than_the_server_has_it_is_changed_all_the_same(
    nameserver: Nameserver,
) -> None:
    """A server compares to the letter with what was there before, or calls each plan stale for ever."""
    odd = (
        ("split", 'TXT "v=DKIM1; " "p=" "abc"'),
        ("where", "LOC 31 58 52.1 S 115 49 11.7 E 20m 10m 10m 2m"),
        ("CAPITALS", "CNAME Elsewhere.Other.TEST."),
        ("finger", "SSHFP 1 1 123456789ABCDEF67890123456789ABCDEF67890"),
        ("new", 'SVCB 1 foo.example.net. port="53" alpn="h2,h3"'),
    )
    nameserver.update("example.test", [f"update add {name}.example.test 60 {data}" for name, data in odd])
    spec = domain(record("split", "TXT", '"other"'), exclusive=True, takeover=True)
    plan = applied(spec, nameserver.access())
    assert changed(plan) == {
        "split TXT": "update",
        "where LOC": "delete",
        "capitals CNAME": "delete",
        "finger SSHFP": "delete",
        "new SVCB": "delete",
    }
    (split,) = (change for change in plan.changes if change.record.address == "split TXT")
    assert split.before is not None
    assert split.before.values == ('"v=DKIM1; " "p=" "abc"',)
    assert nameserver.dig("split.example.test", "TXT") == ['"other"']
    assert not planned(spec, nameserver.access())


def test_a_zone_with_an_international_name_is_planned_applied_and_emptied(nameserver: Nameserver) -> None:
    zone = "xn--mller-kva.test"
    with type(nameserver)(nameserver.folder / "other", [zone]) as server:
        spec = domain(record("", "MX", "10 xn--bcher-kva.example."), record("*", "A", "192.0.2.1"), name=zone)
        assert len(changed(applied(spec, server.access()))) == 2
        assert server.dig(f"www.{zone}", "A") == ["192.0.2.1"]
        assert server.dig(f"_owner.mx.{zone}", "TXT") == [MARK]
        assert not planned(spec, server.access())
        applied(domain(name=zone), server.access())
        assert server.dig(f"www.{zone}", "A") == []
