"""Names of ownership records: there and back, and as octoDNS's own processor makes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from octodns.processor.ownership import OwnershipProcessor
from octodns.record import Record
from octodns.zone import Zone

from otto.decide.dns.marks import excess, is_mark, mark, marked

LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
NAMES = st.lists(LABEL, min_size=0, max_size=4).map(".".join)
STARS = st.builds(lambda name: f"*.{name}" if name else "*", NAMES)


@given(st.one_of(NAMES, STARS), st.sampled_from(["A", "AAAA", "CNAME", "MX", "NS", "TXT", "CAA", "SRV"]))
def test_a_mark_leads_back_to_what_it_marks(name: str, type_: str) -> None:
    found, kind = mark((name, type_))
    assert is_mark(found, kind)
    assert marked(found) == (name, type_)


@pytest.mark.parametrize("name", ["", "www", "*", "*.dev", "a.b"])
def test_a_mark_is_named_as_octodns_names_it(name: str) -> None:
    zone = Zone("example.test.", [])
    zone.add_record(Record.new(zone, name, {"type": "A", "ttl": 60, "value": "192.0.2.1"}))
    marks = OwnershipProcessor("o").process_source_zone(zone, []).records
    assert {record.name for record in marks if record._type == "TXT"} == {mark((name, "A"))[0]}


@pytest.mark.parametrize(
    ("name", "type_"),
    [
        ("_owner", "TXT"),
        ("_owner.a.www", "A"),
        ("_ownership.a.www", "TXT"),
        ("x._owner.a", "TXT"),
        ("www", "TXT"),
    ],
)
def test_what_only_looks_like_a_mark_is_none(name: str, type_: str) -> None:
    assert not is_mark(name, type_)


def test_a_name_is_too_long_when_its_mark_would_be() -> None:
    assert excess(("x" * 60, "A"), "example.test") == 0
    longest = ".".join(["x" * 60] * 4)
    assert excess((longest, "A"), "example.test") == len(f"_owner.a.{longest}.example.test.") - 253
