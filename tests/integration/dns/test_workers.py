"""The port over real servers, through worker processes: answers, errors, and what hangs or dies."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.integration.dns.nameserver import KEY, OWNER, SECRET, Knot, Nameserver, unguessable
from tests.integration.dns.specs import changed, domain, record

from otto.adapters.dns import DnsOptions, DnsZones
from otto.model.domain import DnsServer, DomainSpec
from otto.model.errors import StaleError, TerminalError, TransientError
from otto.model.progress import Progress, silent

SECRETS = {"env:KEY": SECRET, "env:WRONG": unguessable()}


@pytest.fixture
def knot(tmp_path: Path) -> Iterator[Knot]:
    with Knot(tmp_path / "knot", ["example.test"]) as server:
        yield server


@pytest.fixture
async def zones() -> AsyncIterator[DnsZones]:
    made = DnsZones(DnsOptions(OWNER, query_timeout=3.0), SECRETS.__getitem__, None)
    yield made
    await made.close()


def at(server: Nameserver, spec: DomainSpec, key: str = "env:KEY") -> DomainSpec:
    return replace(spec, server=DnsServer(server.address, server.port, KEY, key))


def children() -> set[int]:
    """Processes that we started and that live."""
    text = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text(encoding="utf-8")
    found = set()
    for pid in text.split():
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        if b"otto.adapters.dns.worker" in command:
            found.add(int(pid))
    return found


async def test_a_zone_is_planned_applied_and_checked(knot: Knot, zones: DnsZones) -> None:
    spec = at(knot, domain(record("www", "A", "192.0.2.1"), record("*.dev", "A", "192.0.2.2")))
    before = await zones.serial(spec)
    plan = await zones.plan(spec, {})
    steps: list[Progress] = []
    await zones.apply(spec, plan, steps.append)
    assert steps[-1].done == steps[-1].total == len(plan.changes)
    assert await zones.serial(spec) != before
    assert await zones.check(spec, {}) == ()
    assert not await zones.plan(spec, {})
    assert len(children()) == 1
    await zones.close()
    assert not children()


async def test_two_plans_of_the_same_have_one_digest_and_a_stale_one_is_told_as_such(
    knot: Knot, zones: DnsZones
) -> None:
    spec = at(knot, domain(record("www", "A", "192.0.2.1")))
    plan, same = await asyncio.gather(zones.plan(spec, {}), zones.plan(spec, {}))
    assert plan.digest == same.digest
    knot.update("example.test", ["update add www.example.test 60 A 192.0.2.9"])
    with pytest.raises(StaleError, match="moved on"):
        await zones.apply(spec, plan, silent)


async def test_errors_come_back_as_ours_without_the_secret(knot: Knot, zones: DnsZones) -> None:
    with pytest.raises(TerminalError, match="BADSIG") as caught:
        await zones.plan(at(knot, domain(), "env:WRONG"), {})
    assert SECRETS["env:WRONG"] not in f"{caught.value!r} {caught.value.detail} {caught.value.__cause__}"


async def test_a_secret_that_changes_is_taken_the_next_time(knot: Knot) -> None:
    held = {"env:KEY": unguessable()}
    zones = DnsZones(DnsOptions(OWNER, query_timeout=3.0), held.__getitem__, None)
    with pytest.raises(TerminalError, match="BADSIG"):
        await zones.plan(at(knot, domain()), {})
    held["env:KEY"] = SECRET
    assert not await zones.plan(at(knot, domain()), {})
    await zones.close()


async def test_who_hangs_is_cut_off_in_time_and_the_next_is_served(knot: Knot) -> None:
    zones = DnsZones(
        DnsOptions(OWNER, workers=1, timeout=2.0, query_timeout=600.0), SECRETS.__getitem__, None
    )
    with socket.create_server(("127.0.0.1", 0)) as silent_one:
        spec = replace(domain(), server=DnsServer("127.0.0.1", silent_one.getsockname()[1]))
        with pytest.raises(TransientError, match="not done within 2 s, and cut off"):
            await zones.plan(spec, {})
    assert not children()
    assert await zones.serial(at(knot, domain())) is not None
    await zones.close()


async def test_who_is_cancelled_leaves_no_process(zones: DnsZones) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent_one:
        spec = replace(domain(), server=DnsServer("127.0.0.1", silent_one.getsockname()[1]))
        task = asyncio.create_task(zones.plan(spec, {}))
        while not children():
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert not children()


async def test_a_worker_that_dies_is_told_and_replaced(knot: Knot, zones: DnsZones) -> None:
    await zones.serial(at(knot, domain()))
    with socket.create_server(("127.0.0.1", 0)) as silent_one:
        spec = replace(domain(), server=DnsServer("127.0.0.1", silent_one.getsockname()[1]))
        task = asyncio.create_task(zones.plan(spec, {}))
        connection, _ = await asyncio.to_thread(silent_one.accept)
        with connection:
            os.kill(next(iter(children())), signal.SIGKILL)
            with pytest.raises(TransientError, match="the process at work ended"):
                await task
    assert await zones.serial(at(knot, domain())) is not None


async def test_a_worker_ends_with_its_controller(tmp_path: Path, knot: Knot) -> None:
    """Even when that is killed, and its pipes are held open by others."""
    program = (
        "import asyncio, sys, time\n"
        "from tests.integration.dns.test_workers import *\n"
        "async def main():\n"
        "    zones = DnsZones(DnsOptions(OWNER), SECRETS.__getitem__, None)\n"
        "    await zones.serial(replace(domain(), server=DnsServer('127.0.0.1', int(sys.argv[1]))))\n"
        "    print(*children(), flush=True)\n"
        "    time.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, str(knot.port), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    worker = int(await asyncio.wait_for(process.stdout.readline(), 30))
    process.kill()
    await process.wait()
    for _ in range(500):
        if not Path(f"/proc/{worker}").exists():
            break
        await asyncio.sleep(0.01)
    assert not Path(f"/proc/{worker}").exists() or "Z" in Path(f"/proc/{worker}/stat").read_text(
        encoding="utf-8"
    )


async def test_a_zone_of_no_server_needs_the_lab(zones: DnsZones) -> None:
    with pytest.raises(TerminalError, match="no server is named, and the lab is switched off"):
        await zones.read(domain())


async def test_many_zones_at_once_wait_for_each_other(knot: Knot, zones: DnsZones) -> None:
    spec = at(knot, domain(record("www", "A", "192.0.2.1")))
    plans = await asyncio.gather(*(zones.plan(spec, {}) for _ in range(12)))
    assert {plan.digest for plan in plans} == {plans[0].digest}
    assert changed(plans[0]) == {"www A": "create"}
    assert len(children()) <= 2
