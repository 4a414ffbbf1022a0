"""In which order changes are made, and what is never apart."""

from tests.unit.dns.changes import gone, made, marking, turned

from otto.adapters.dns.units import about, units


def test_a_record_and_its_mark_and_all_else_at_the_name_stay_together() -> None:
    changes = [gone("www", "A", "192.0.2.1"), made("www", "CNAME", "x.test."), made("api", "A", "192.0.2.1")]
    marks = [marking(change) for change in changes]
    found = units([*marks, *changes])
    assert [{about(change) for change in unit} for unit in found] == [{"api"}, {"www"}]
    order = [(change.kind.value, change.record.type) for change in found[1]]
    assert order == [("delete", "A"), ("create", "TXT"), ("create", "CNAME"), ("delete", "TXT")]


def test_a_name_is_there_before_others_lead_to_it_and_until_they_no_longer_do() -> None:
    changes = [
        gone("oldmail", "A", "192.0.2.1"),
        gone("old", "MX", "10 oldmail.test."),
        made("", "MX", "10 zmail.test."),
        made("alias", "CNAME", "zmail.test."),
        made("zmail", "A", "192.0.2.1"),
        turned("www", "A", "192.0.2.1", "192.0.2.2"),
    ]
    found = [about(unit[0]) for unit in units(changes)]
    assert found[:2] in (["zmail", "www"], ["www", "zmail"])
    assert set(found[2:4]) == {"", "alias"}
    assert found[4:] == ["old", "oldmail"]
