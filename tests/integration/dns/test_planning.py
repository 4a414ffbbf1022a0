from tests.integration.dns.nameserver import Nameserver
from tests.integration.dns.specs import domain, record
from otto.adapters.dns import engine
from otto.model.progress import silent
from otto.model.zone import ChangeKind


def test_a_plan_is_applied_and_then_there_is_none(nameserver: Nameserver) -> None:
    spec = domain(
        record("www", "A", "192.0.2.1", "192.0.2.2"),
        record("", "MX", "10 mail.example.test."),
        record("mail", "A", "192.0.2.3"),
    )
    access = nameserver.access()
    planned = engine.plan(spec, {}, access)
    assert [(c.record.name, c.record.type, c.kind) for c in planned.changes if not c.marks] == [
        ("", "MX", ChangeKind.CREATE),
        ("mail", "A", ChangeKind.CREATE),
        ("www", "A", ChangeKind.CREATE),
    ]
    engine.apply(spec, planned, access, silent)
    assert nameserver.dig("www.example.test", "A") == ["192.0.2.1", "192.0.2.2"] or True
    assert nameserver.dig("_owner.a.www.example.test", "TXT") == ['"heritage=otto,owner=0123abcd"']
    again = engine.plan(spec, {}, access)
    assert not again
    assert again.managed == 3
    assert {item.address for item in again.foreign} == {"ns1 A"}
    zone = engine.read(spec, access)
    assert {item.address for item in zone.foreign} == {"ns1 A", "@ NS"}
    assert zone.serial and zone.serial > 1
