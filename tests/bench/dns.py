"""A zone of 2,000 records, planned and applied on Knot, beside `octodns-sync` doing the same."""

import asyncio
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import yaml
from tests.bench.figure import Figure, amount, median
from tests.bench.plain import ScriptError
from tests.bench.progress import say
from tests.integration.dns.nameserver import KEY, OWNER, SECRET, Knot

from otto.adapters.dns import DnsOptions, DnsZones
from otto.model.domain import DnsServer, DomainSpec, Record, RecordType
from otto.model.progress import silent

RECORDS = 2_000
ROUNDS = 5
GOAL = 1.2
_ZONE = "example.test"
_LONGEST = 120.0


def measure() -> list[Figure]:
    """Each round on new servers, OttO and octodns-sync by turns."""
    times: dict[str, list[float]] = {}
    for number in range(ROUNDS):
        say(f"dns: round {number + 1} of {ROUNDS}")
        for name, work in (("otto", _otto), ("marked", _marked), ("plain", _plain)):
            with (
                tempfile.TemporaryDirectory(prefix="otto-b.") as folder,
                Knot(Path(folder) / "k", [_ZONE]) as knot,
            ):
                for what, seconds in work(Path(folder), knot).items():
                    times.setdefault(f"{name}{what}", []).append(seconds)
    for name, found in times.items():
        say(f"dns: {name} {', '.join(amount(one) for one in found)} s")
    cold, again = median(times["otto"]), median(times["otto again"])
    marked, plain = median(times["marked"]), median(times["plain"])
    what = f"plan and apply {RECORDS:,} records"
    with_marks = "octodns-sync with ownership records"
    return [
        Figure(what, cold, "s", baseline=with_marks, base=marked, ratio_goal=GOAL),
        Figure("the same", cold, "s", baseline="octodns-sync, which makes none", base=plain, ratio_goal=GOAL),
        Figure(f"plan {RECORDS:,} records that are there", again, "s", baseline=with_marks, base=marked),
    ]


def _otto(_folder: Path, knot: Knot) -> dict[str, float]:
    return asyncio.run(_planned_and_applied(knot))


async def _planned_and_applied(knot: Knot) -> dict[str, float]:
    """From nothing, starting of the worker process included; and a plan once all is there."""
    zones = DnsZones(DnsOptions(OWNER), lambda _: SECRET, None)
    spec = replace(_spec(), server=DnsServer(knot.address, knot.port, KEY, "env:KEY"))
    began = time.perf_counter()
    plan = await zones.plan(spec, {})
    await zones.apply(spec, plan, silent)
    done = time.perf_counter()
    rest = await zones.plan(spec, {})
    again = time.perf_counter()
    await zones.close()
    if rest or len(plan.changes) != 2 * RECORDS:
        raise ScriptError(f"OttO changed {len(plan.changes)} record sets and left {len(rest.changes)}")
    return {"": done - began, " again": again - done}


def _spec() -> DomainSpec:
    records = tuple(Record(name, RecordType.A, (address,)) for name, address in _records())
    return DomainSpec(_ZONE, records=records)


def _records() -> list[tuple[str, str]]:
    return [(f"host-{number:04d}", f"10.0.{number // 250}.{number % 250 + 1}") for number in range(RECORDS)]


def _marked(folder: Path, knot: Knot) -> dict[str, float]:
    return {"": _sync(folder, knot, ["ownership"])}


def _plain(folder: Path, knot: Knot) -> dict[str, float]:
    return {"": _sync(folder, knot, [])}


def _sync(folder: Path, knot: Knot, processors: list[str]) -> float:
    """`octodns-sync --doit` over the same zone; seconds."""
    (folder / "zones").mkdir()
    zone = {name: {"type": "A", "ttl": 300, "value": address} for name, address in _records()}
    (folder / "zones" / f"{_ZONE}.yaml").write_text(yaml.safe_dump(zone), encoding="utf-8")
    target = {
        "class": "octodns_bind.Rfc2136Provider",
        "host": knot.address,
        "port": knot.port,
        "key_name": KEY,
        "key_secret": SECRET,
        "key_algorithm": "hmac-sha256",
    }
    config = {
        "providers": {
            "config": {"class": "octodns.provider.yaml.YamlProvider", "directory": str(folder / "zones")},
            "knot": target,
        },
        "processors": {"ownership": {"class": "octodns.processor.ownership.OwnershipProcessor"}},
        "zones": {f"{_ZONE}.": {"sources": ["config"], "targets": ["knot"], "processors": processors}},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    # Nothing of the apex is in its source, which it would take for too great a change.
    program = str(Path(sys.executable).parent / "octodns-sync")
    command = [program, "--quiet", "--doit", "--force"]
    began = time.perf_counter()
    done = subprocess.run(
        [*command, "--config-file", str(folder / "config.yaml")],
        capture_output=True,
        text=True,
        timeout=_LONGEST,
        check=False,
    )
    seconds = time.perf_counter() - began
    if done.returncode or len(knot.dig(f"host-{RECORDS - 1:04d}.{_ZONE}", "A")) != 1:
        raise ScriptError(f"octodns-sync failed: {done.stderr[-500:]}")
    return seconds
