"""What goes wrong with a zone on a server, on Knot and on BIND: a clear error, and nothing lost."""

import contextlib
import re
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from tests.integration.dns.nameserver import SECRET, Bind, Knot, Nameserver, free_port, unguessable
from tests.integration.dns.specs import applied, changed, domain, planned, record

from otto.adapters.dns import engine
from otto.adapters.dns.access import Access, Server
from otto.adapters.dns.faults import translated
from otto.model.domain import DomainSpec, Record
from otto.model.errors import OttoError, StaleError, TerminalError, TransientError
from otto.model.progress import Progress, silent
from otto.model.zone import ChangeKind, RecordChange, ZonePlan

SPEC = domain(record("www", "A", "192.0.2.1"))


def large(count: int, address: str = "192.0.2.1") -> DomainSpec:
    return domain(*(record(f"host-{number:05d}", "A", address) for number in range(count)))


def test_a_wrong_secret_is_told_and_never_shown(nameserver: Nameserver) -> None:
    secret = unguessable()
    access = nameserver.access(server=replace(nameserver.server, key=secret))
    with pytest.raises(
        TerminalError, match=r"secret of the key otto is not the one it has \(BADSIG\)"
    ) as caught:
        engine.plan(SPEC, {}, access)
    assert "spec.server.key" in caught.value.mend
    assert secret not in str(caught.value)


def test_a_key_that_the_server_does_not_know_is_told(nameserver: Nameserver) -> None:
    access = nameserver.access(server=replace(nameserver.server, key_name="nobody"))
    with pytest.raises(TerminalError, match=r"does not know the key nobody with hmac-sha256 \(BADKEY\)"):
        engine.plan(SPEC, {}, access)


def test_a_secret_that_is_no_base64_and_an_unknown_algorithm_are_told_before_anything_is_sent() -> None:
    server = Server("127.0.0.1", free_port(), "otto", "no base64!")
    with pytest.raises(TerminalError, match="secret is not base64"):
        engine.plan(SPEC, {}, Knot(Path(), [], port=server.port).access(server=server))
    with pytest.raises(TerminalError, match="unknown algorithm hmac-crc32"):
        engine.plan(
            SPEC, {}, Knot(Path(), []).access(server=replace(server, key="AAAA", algorithm="hmac-crc32"))
        )


def test_a_transfer_without_a_key_is_refused_in_words(nameserver: Nameserver) -> None:
    access = nameserver.access(server=Server(nameserver.address, nameserver.port))
    with pytest.raises(
        TerminalError, match=r"refuses us \(no key is given\) to transfer example.test|has no authority"
    ) as caught:
        engine.plan(SPEC, {}, access)
    assert caught.value.mend


def test_a_zone_that_the_server_does_not_serve_is_told(nameserver: Nameserver) -> None:
    spec = domain(record("www", "A", "192.0.2.1"), name="other.test")
    with pytest.raises(TerminalError, match=r"does not serve other\.test"):
        engine.plan(spec, {}, nameserver.access())
    assert not engine.read(spec, nameserver.access()).exists


@pytest.mark.parametrize(("shift", "side"), [("-2h", "behind"), ("+2h", "ahead of")])
def test_a_clock_that_differs_is_told_with_by_how_much(tmp_path: Path, shift: str, side: str) -> None:
    wrapper = ["faketime", "-f", shift]
    with (
        Knot(tmp_path / "knot", ["example.test"], wrapper=wrapper) as server,
        pytest.raises(TransientError, match=r"clock differs by (\d+) s") as caught,
    ):
        engine.plan(SPEC, {}, server.access())
    told = re.search(r"by (\d+) s \(([a-z ]+) ours\)", caught.value.message)
    assert told
    assert 7150 < int(told[1]) < 7250
    assert told[2] == side
    assert "NTP" in caught.value.mend


def test_our_own_clock_that_is_wrong_is_told_in_the_same_way(tmp_path: Path) -> None:
    ours = (
        "from tests.integration.dns.test_trouble import SPEC, Server, Access, engine\n"
        "import sys\n"
        "server = Server('127.0.0.1', int(sys.argv[1]), 'otto', sys.argv[2])\n"
        "try: engine.plan(SPEC, {}, Access('x', server))\n"
        "except Exception as error: print(error)\n"
    )
    with Bind(tmp_path / "bind", ["example.test"]) as server:
        command = ["faketime", "-f", "+2h", sys.executable, "-c", ours, str(server.port), SECRET]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    told = re.search(r"by (\d+) s \(behind ours\)", done.stdout)
    assert told, done.stdout
    assert 7150 < int(told[1]) < 7250


def test_a_server_that_says_nothing_is_given_up_on(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent_one:
        server = Server("127.0.0.1", silent_one.getsockname()[1])
        access = replace(Knot(tmp_path, []).access(server=server), timeout=0.3)
        with pytest.raises(TransientError, match=r"does not answer in time about example\.test"):
            engine.plan(SPEC, {}, access)


def test_a_server_that_is_down_or_unheard_of_is_told(tmp_path: Path) -> None:
    access = Knot(tmp_path, []).access(server=Server("127.0.0.1", free_port()))
    with pytest.raises(TransientError, match=r"cannot be reached about example\.test"):
        engine.plan(SPEC, {}, access)
    with pytest.raises(TransientError, match=r"nowhere\.invalid is not found"):
        engine.plan(SPEC, {}, replace(access, server=Server("nowhere.invalid")))


@pytest.mark.parametrize(
    "behind",
    [
        "update add www.example.test 60 A 192.0.2.9",
        "update add www.example.test 60 CNAME ns1.example.test.",
        'update add _owner.a.www.example.test 60 TXT "heritage=otto,owner=somebody"',
        "update add old.example.test 60 A 192.0.2.9",
        "update delete old.example.test A",
    ],
)
def test_a_change_between_plan_and_apply_makes_the_server_itself_refuse_it_all(
    nameserver: Nameserver, behind: str
) -> None:
    access = nameserver.access()
    applied(domain(record("old", "A", "192.0.2.3")), access)
    spec = domain(
        record("www", "A", "192.0.2.1"), record("api", "A", "192.0.2.1"), record("old", "A", "192.0.2.4")
    )
    plan = planned(spec, access)
    nameserver.update("example.test", [behind])
    with pytest.raises(StaleError, match="moved on since it was planned") as caught:
        engine.apply(spec, plan, access, silent)
    assert caught.value.mend == "plan again"
    assert nameserver.dig("api.example.test", "A") == []


def test_an_alias_is_not_made_beside_something_new(nameserver: Nameserver) -> None:
    spec = domain(record("www", "CNAME", "ns1.example.test."))
    plan = planned(spec, nameserver.access())
    nameserver.update("example.test", ['update add www.example.test 60 TXT "here"'])
    with pytest.raises(StaleError):
        engine.apply(spec, plan, nameserver.access(), silent)
    assert [item.address for item in planned(spec, nameserver.access()).conflicts] == ["www TXT"]


def test_a_large_zone_goes_in_several_messages_and_a_server_that_dies_meanwhile_is_picked_up_again(
    nameserver: Nameserver,
) -> None:
    """10,000 record sets with as many ownership records; the server is killed between two messages."""
    count = 10_000 if isinstance(nameserver, Knot) else 1_000
    spec, access = large(count), nameserver.access()
    plan = planned(spec, access)
    assert len(plan.changes) == 2 * count
    steps = []

    def die_after_two(progress: Progress) -> None:
        steps.append(progress.done)
        if len(steps) == 2:
            nameserver.end(signal.SIGKILL)

    with pytest.raises(TransientError, match="cannot be reached"):
        engine.apply(spec, plan, access, die_after_two)
    nameserver.start()
    rest = planned(spec, access)
    assert len(rest.changes) == 2 * count - steps[-1]
    _in_pairs(rest.changes)
    engine.apply(spec, rest, access, silent)
    emptied = applied(domain(), access)
    assert len(emptied.changes) == 2 * count
    assert emptied.managed == count
    assert {item.address for item in engine.read(domain(), access).foreign} == {"@ NS", "ns1 A"}


def _in_pairs(changes: tuple[RecordChange, ...]) -> None:
    """Each record set that is missing misses its ownership record, too."""
    names = {change.record.name for change in changes}
    assert all(change.kind is ChangeKind.CREATE for change in changes)
    assert all(f"_owner.a.{name}" in names for name in names if not name.startswith("_owner"))


def test_two_controllers_that_change_at_once_do_not_overwrite_each_other(nameserver: Nameserver) -> None:
    """One of eight plans for the same record set wins; the others are stale."""
    specs = [
        (domain(record("www", "A", f"192.0.2.{n}")), nameserver.access(f"owner{n:03d}")) for n in range(1, 9)
    ]
    plans = [planned(spec, access) for spec, access in specs]
    outcomes: list[type[Exception] | None] = []
    threads = [
        threading.Thread(target=_try, args=(spec, plan, access, outcomes))
        for (spec, access), plan in zip(specs, plans, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count(None) == 1
    assert outcomes.count(StaleError) == 7
    assert len(nameserver.dig("www.example.test", "A")) == 1
    assert len(nameserver.dig("_owner.a.www.example.test", "TXT")) == 1


def _try(spec: DomainSpec, plan: ZonePlan, access: Access, outcomes: list[type[Exception] | None]) -> None:
    try:
        engine.apply(spec, plan, access, silent)
    except OttoError as error:
        outcomes.append(type(error))
    else:
        outcomes.append(None)


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (record("", "CNAME", "elsewhere.test."), "root CNAME not allowed"),
        (record("x" * 64, "A", "192.0.2.1"), "too long at 64 chars"),
        (record(".".join(["a" * 60] * 4), "A", "192.0.2.1"), "too long"),
        (record("www", "A", "not an address"), "invalid IPv4"),
        (record("_owner.a.www", "TXT", '"x"'), "is where OttO writes whose a record is"),
        (record("www", "MX", "10"), "failed to parse"),
        (record("www", "ALIAS", "elsewhere.test."), "ALIAS"),
    ],
)
def test_what_no_zone_may_hold_is_refused_with_its_place(
    nameserver: Nameserver, bad: Record, why: str
) -> None:
    spec = replace(domain(bad), file="specs/example.yaml", line=7)
    with pytest.raises(OttoError, match=why) as caught, contextlib.suppress(StaleError):
        _translated(spec, nameserver)
    assert isinstance(caught.value, TerminalError)


def _translated(spec: DomainSpec, nameserver: Nameserver) -> None:
    try:
        planned(spec, nameserver.access())
    except Exception as error:
        raise translated(error, "rfc2136", spec.name) from error


def test_an_alias_beside_other_records_is_refused_with_the_file(nameserver: Nameserver) -> None:
    spec = replace(
        domain(record("www", "CNAME", "elsewhere.test."), record("www", "TXT", '"x"')),
        file="specs/e.yaml",
        line=3,
    )
    with pytest.raises(TerminalError, match=r"specs/e.yaml:3.*CNAME.*coexist"):
        planned(spec, nameserver.access())


def test_names_as_long_as_they_may_be_are_served(nameserver: Nameserver) -> None:
    longest = 252 - len(".example.test") - len("_owner.a.")
    name = ".".join(["a" * 63, "b" * 63, "c" * 63])
    name += "." + "d" * (longest - len(name) - 1)
    applied(domain(record(name, "A", "192.0.2.1")), nameserver.access())
    assert nameserver.dig(f"{name}.example.test", "A") == ["192.0.2.1"]
    assert not planned(domain(record(name, "A", "192.0.2.1")), nameserver.access())
    with pytest.raises(TerminalError, match="1 characters too long to have an ownership record"):
        planned(domain(record(name + "d", "A", "192.0.2.1")), nameserver.access())


def test_a_record_set_too_large_for_one_message_is_told_before_anything_is_sent(
    nameserver: Nameserver,
) -> None:
    values = [f'"{number:05d}{"x" * 240}"' for number in range(300)]
    spec = domain(record("big", "TXT", *values), record("small", "A", "192.0.2.1"))
    with pytest.raises(TerminalError, match=r"big of example\.test: its changes do not fit into one update"):
        applied(spec, nameserver.access())
    assert nameserver.dig("small.example.test", "A") == []


def test_drift_is_seen_by_the_serial_and_planned_back(nameserver: Nameserver) -> None:
    access = nameserver.access()
    applied(SPEC, access)
    before = engine.serial(SPEC, access)
    nameserver.update(
        "example.test", ["update delete www.example.test A", "update add www.example.test 5 A 192.0.2.66"]
    )
    assert engine.serial(SPEC, access) != before
    assert changed(planned(SPEC, access)) == {"www A": "update"}
