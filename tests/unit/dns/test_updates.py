"""The messages that changes become: what must be so before, what is done, and how large they are."""

import dns.message
import dns.rrset
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.dns.changes import gone, made, marking, turned

from otto.adapters.dns.updates import batches
from otto.model.errors import TerminalError
from otto.model.zone import RecordChange


def sections(*changes: RecordChange, fresh: bool = False) -> tuple[list[str], list[str]]:
    """Prerequisites and updates of the one message, as dnspython reads them from the wire."""
    (batch,) = batches("example.test", changes, fresh=fresh)
    message = dns.message.from_wire(batch.message.to_wire())
    return [_text(rrset) for rrset in message.sections[1]], [_text(rrset) for rrset in message.sections[2]]


def _text(rrset: dns.rrset.RRset) -> str:
    kind = rrset.deleting.name if rrset.deleting is not None else "IN"
    name = rrset.name.to_text().removesuffix("example.test.").removesuffix(".") or "@"
    values = " ".join(rdata.to_text() for rdata in rrset)  # one: a message keeps each apart
    return f"{name} {rrset.ttl} {kind} {rrset.rdtype.name} {values}".strip()


def test_what_is_made_must_not_be_there_nor_an_alias_in_its_place() -> None:
    required, done = sections(made("www", "A", "192.0.2.1", "192.0.2.2"))
    assert required == ["www 0 NONE A", "www 0 NONE CNAME"]
    assert sorted(done) == ["www 300 IN A 192.0.2.1", "www 300 IN A 192.0.2.2"]


def test_an_alias_is_made_where_nothing_is() -> None:
    required, _ = sections(made("www", "CNAME", "x.test."))
    assert required == ["www 0 NONE ANY"]


def test_an_ownership_record_is_made_where_nothing_is() -> None:
    required, _ = sections(marking(made("www", "A", "192.0.2.1")))
    assert required == ["_owner.a.www 0 NONE ANY"]


def test_what_changes_must_be_just_what_was_seen() -> None:
    required, done = sections(turned("www", "A", "192.0.2.1", "192.0.2.2"))
    assert required == ["www 0 IN A 192.0.2.1"]
    assert done == ["www 0 ANY A", "www 300 IN A 192.0.2.2"]


def test_what_goes_must_be_just_what_was_seen() -> None:
    required, done = sections(gone("www", "TXT", '"a"', '"b"'))
    assert sorted(required) == ['www 0 IN TXT "a"', 'www 0 IN TXT "b"']
    assert done == ["www 0 ANY TXT"]


def test_a_name_that_turns_into_an_alias_gives_its_addresses_up_in_the_same_message() -> None:
    required, done = sections(made("www", "CNAME", "x.test."), gone("www", "A", "192.0.2.1"))
    assert required == ["www 0 IN A 192.0.2.1", "www 0 NONE CNAME"]
    assert done == ["www 0 ANY A", "www 300 IN CNAME x.test."]


def test_an_alias_that_turns_into_addresses_is_not_required_to_be_absent() -> None:
    required, _ = sections(gone("www", "CNAME", "x.test."), made("www", "A", "192.0.2.1"))
    assert required == ["www 0 IN CNAME x.test.", "www 0 NONE A"]


def test_the_apex_never_is_without_nameservers() -> None:
    required, done = sections(turned("", "NS", "old.test.", "new.test."))
    assert required == ["@ 0 IN NS old.test."]
    assert done == ["@ 300 IN NS new.test.", "@ 0 NONE NS old.test."]


def test_a_zone_made_just_now_has_nameservers_that_no_plan_knew_of() -> None:
    required, done = sections(made("", "NS", "ns.test."), fresh=True)
    assert required == []
    assert done == ["@ 300 IN NS ns.test."]


VALUES = {
    "A": st.ip_addresses(v=4).map(str),
    "AAAA": st.ip_addresses(v=6).map(str),
    "TXT": st.text("abc ;é", max_size=200).map(lambda text: f'"{text.encode("ascii", "ignore").decode()}"'),
    "CNAME": st.just("somewhere.else.test."),
    "CAA": st.just('0 issue "ca.example.net; x=y"'),
    "SRV": st.integers(0, 65535).map(lambda number: f"{number} 0 443 a.test."),
}
CHANGES = st.lists(
    st.tuples(
        st.from_regex(r"[a-z]{1,20}(\.[a-z]{1,20})?", fullmatch=True), st.sampled_from(sorted(VALUES))
    ).flatmap(lambda key: VALUES[key[1]].map(lambda value: made(*key, value))),
    min_size=1,
    max_size=60,
    unique_by=lambda change: change.record.name,
)


@given(CHANGES, st.integers(600, 3000))
@settings(max_examples=60, deadline=None)
def test_no_message_is_larger_than_it_may_be_and_all_changes_are_in_one(
    changes: list[RecordChange], most: int
) -> None:
    everything = [*changes, *map(marking, changes)]
    found = batches("example.test", everything, most=most)
    header = 12 + len(b"\7example\4test\0") + 4
    assert all(len(batch.message.to_wire()) <= most + header for batch in found)
    assert sum(batch.changes for batch in found) == len(everything)
    names = [rrset.name.to_text() for batch in found for rrset in batch.message.update]
    assert len(names) == len(everything)
    for batch in found:
        here = {rrset.name.to_text() for rrset in batch.message.update}
        for name in here:
            if not name.startswith("_owner"):
                assert any(each.startswith("_owner") and each.endswith(f".{name}") for each in here)


def test_changes_at_one_name_that_no_message_can_hold_are_refused() -> None:
    values = [f'"{number:03d}{"x" * 250}"' for number in range(300)]
    with pytest.raises(TerminalError, match=r"big of example\.test"):
        batches("example.test", [made("big", "TXT", *values)])
