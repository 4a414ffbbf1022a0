"""A zone of 2,000 records: its file read, planned and applied on Knot, beside `octodns-sync` doing the same.

Both begin with a file of YAML and end with the last answer of a server of their own that had nothing of it.
`octodns-sync` starts anew each time, as it does; OttO's controller runs, with its worker process or without.
"""

import asyncio
import os
import resource
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
from otto.adapters.specs import YamlSpecs
from otto.model.domain import DnsServer, DomainSpec
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
        for name, work in (("otto", _otto), ("cold", _cold), ("marked", _marked), ("plain", _plain)):
            with (
                tempfile.TemporaryDirectory(prefix="otto-b.") as folder,
                Knot(Path(folder) / "k", [_ZONE]) as knot,
            ):
                for what, seconds in work(Path(folder), knot).items():
                    times.setdefault(f"{name}{what}", []).append(seconds)
    for name, found in times.items():
        say(f"dns: {name} {', '.join(amount(one) for one in found)} s")
    middle = {name: median(each) for name, each in times.items()}
    figures: list[Figure] = []
    what = f"read, plan and apply {RECORDS:,} records"
    for whose, how in (("marked", "with"), ("plain", "without")):
        baseline = f"octodns-sync {how} ownership records"
        wall, spent = middle[whose], middle[f"{whose} cpu"]
        figures += [
            Figure(what, middle["otto"], "s", baseline=baseline, base=wall, ratio_goal=GOAL),
            Figure("the same, CPU", middle["otto cpu"], "s", baseline=baseline, base=spent),
            Figure(
                "the same, its process not started yet", middle["cold"], "s", baseline=baseline, base=wall
            ),
            Figure("the same, CPU", middle["cold cpu"], "s", baseline=baseline, base=spent),
        ]
    return [*figures, Figure(f"plan {RECORDS:,} records that are there", middle["otto again"], "s")]


def _otto(_folder: Path, knot: Knot) -> dict[str, float]:
    """As in a controller that runs: its worker processes do, for they look at serials."""
    return asyncio.run(_measured(knot, warm=True))


def _cold(_folder: Path, knot: Knot) -> dict[str, float]:
    """Start of the worker process included, as octodns-sync starts each time."""
    return asyncio.run(_measured(knot, warm=False))


async def _measured(knot: Knot, *, warm: bool) -> dict[str, float]:
    server, text = DnsServer(knot.address, knot.port, KEY, "env:KEY"), _written()
    zones = DnsZones(DnsOptions(OWNER), lambda _: SECRET, None)
    try:
        if warm:
            await zones.plan(DomainSpec(_ZONE, server=server), {})
        # What a worker takes is told by /proc while it lives.
        began, cpu = time.perf_counter(), _cpu() + _workers()
        spec = replace(_read(text), server=server)
        plan = await zones.plan(spec, {})
        await zones.apply(spec, plan, silent)
        done, spent = time.perf_counter(), _cpu() + _workers()
        rest = await zones.plan(spec, {})
        again = time.perf_counter()
    finally:
        await zones.close()
    if rest or len(plan.changes) != 2 * RECORDS:
        raise ScriptError(f"OttO changed {len(plan.changes)} record sets and left {len(rest.changes)}")
    return {"": done - began, " cpu": spent - cpu, " again": again - done}


def _workers() -> float:
    """Seconds of processor time of living children that are workers."""
    spent = 0.0
    for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="utf-8").split():
        if b"otto.adapters.dns.worker" in Path(f"/proc/{pid}/cmdline").read_bytes():
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            spent += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return spent


def _cpu() -> float:
    """Seconds of processor time of this process and of its children that ended: Knot is none of them yet."""
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in spent)


def _written() -> bytes:
    """The spec as it lies in the repository."""
    records = [{"name": name, "type": "A", "values": [address]} for name, address in _records()]
    kind = {"apiVersion": "otto/v1", "kind": "Domain", "metadata": {"name": _ZONE}}
    return yaml.safe_dump({**kind, "spec": {"provider": "rfc2136", "records": records}}).encode()


def _read(text: bytes) -> DomainSpec:
    read = YamlSpecs().parse(f"specs/{_ZONE}.yaml", text)
    if read.problems:
        raise ScriptError(str(read.problems[0]))
    return read.domains[0]


def _records() -> list[tuple[str, str]]:
    return [(f"host-{number:04d}", f"10.0.{number // 250}.{number % 250 + 1}") for number in range(RECORDS)]


def _marked(folder: Path, knot: Knot) -> dict[str, float]:
    return _sync(folder, knot, ["ownership"])


def _plain(folder: Path, knot: Knot) -> dict[str, float]:
    return _sync(folder, knot, [])


def _sync(folder: Path, knot: Knot, processors: list[str]) -> dict[str, float]:
    """`octodns-sync --doit` over the same zone."""
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
    began, cpu = time.perf_counter(), _cpu()
    done = subprocess.run(
        [*command, "--config-file", str(folder / "config.yaml")],
        capture_output=True,
        text=True,
        timeout=_LONGEST,
        check=False,
        start_new_session=True,  # as OttO's workers: the kernel shares processors out by session
    )
    told = {"": time.perf_counter() - began, " cpu": _cpu() - cpu}
    if done.returncode or len(knot.dig(f"host-{RECORDS - 1:04d}.{_ZONE}", "A")) != 1:
        raise ScriptError(f"octodns-sync failed: {done.stderr[-500:]}")
    return told
