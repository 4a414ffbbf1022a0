"""Reads of the API under load: 10,000 sites in store, beside a controller that reconciles them all.

The controller is real, and so are its store and its API; the world behind it is in memory, its tools as quick
as the lab's. Requests come from a process of their own, at a steady rate; each counts from the moment when it
was to be sent: an answer that is late makes none look quick.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

from tests.bench.figure import Figure, median, percentile
from tests.bench.progress import say

from otto.adapters.clock import SystemClock
from otto.adapters.queue import WorkQueue
from otto.adapters.store import open_store
from otto.cli.interpreter import settle
from otto.cli.up.listening import listen
from otto.cli.up.serving import api
from otto.config import ApiSettings, LoopSettings, SourceSettings
from otto.model.configuration import ConfigurationRequest, ConfigurationResult
from otto.model.host import Endpoint, Host
from otto.model.infrastructure import InfrastructureInputs, InfrastructurePlan
from otto.model.observed import InfrastructureState
from otto.model.progress import Report
from otto.model.spec import Role
from otto.model.status import Condition, ConditionType, Phase, SiteStatus, Truth
from otto.ports import Store
from otto.reconcile.controller import Controller
from otto.testing import site_spec
from otto.testing.configuration import MemoryConfiguration
from otto.testing.infrastructure import MemoryInfrastructure
from otto.testing.world import OWNER, World

SITES = 10_000
RATE = 200
SECONDS = int(os.environ.get("OTTO_BENCH_SECONDS", "30"))
GOAL = 100.0
_ENVIRONMENTS = ("prod", "test", "demo", "lab")


# Seconds that tools take, as in the lab on two cores.
_PLAN, _APPLY, _PLAY = 0.5, 1.0, 1.0


class Infrastructure(MemoryInfrastructure):
    """Terraform in memory, in no hurry."""

    async def plan(self, inputs: InfrastructureInputs, report: Report) -> InfrastructurePlan:
        """See the port."""
        await asyncio.sleep(_PLAN)
        return await super().plan(inputs, report)

    async def apply(self, plan: InfrastructurePlan, report: Report) -> InfrastructureState:
        """See the port."""
        await asyncio.sleep(_APPLY)
        return await super().apply(plan, report)


class Configuration(MemoryConfiguration):
    """Ansible in memory, in no hurry."""

    async def configure(self, request: ConfigurationRequest, report: Report) -> ConfigurationResult:
        """See the port."""
        await asyncio.sleep(_PLAY)
        return await super().configure(request, report)


def measure() -> list[Figure]:
    """Ask a controller at rest, then one at work."""
    return asyncio.run(_measure())


async def _measure() -> list[Figure]:
    sites = int(os.environ.get("OTTO_BENCH_SITES", SITES))
    with tempfile.TemporaryDirectory(prefix="otto-b.") as folder:
        async with _controller(Path(folder), sites) as (controller, port):
            settle()
            say(f"api: {RATE} requests a second for {SECONDS} s, the controller at rest")
            began = time.process_time()
            rest = await _load(port, sites)
            spent = (time.process_time() - began) * 1000 / len(rest)
            await controller.start()
            settle()
            work = asyncio.create_task(controller.run())
            try:
                say("api: the same, the controller at work on all of them")
                busy = await _load(port, sites)
                looked_at = len(await controller.kit.store.runs(limit=sites))
                waiting = controller.kit.queue.depth()  # type: ignore[attr-defined]
            finally:
                work.cancel()
                await asyncio.wait({work})
    if not looked_at or not waiting:
        raise AssertionError(f"the controller was not at work: {looked_at} runs, {waiting} sites waiting")
    say(f"api: {looked_at} sites were reconciled meanwhile, {waiting} were still to be")
    return [
        *_figures("while reconciling", busy, rest, goal=GOAL),
        *_figures("at rest", rest, None, goal=None),
        Figure("CPU for one of them, at rest", spent),
    ]


def _figures(when: str, times: list[float], beside: list[float] | None, goal: float | None) -> list[Figure]:
    def figure(what: str, share: float, goal: float | None = None) -> Figure:
        base = percentile(beside, share) if beside else None
        name = f"{RATE} reads a second, {when}, {what}"
        return Figure(
            name, percentile(times, share), goal=goal, baseline="at rest" if beside else "", base=base
        )

    return [figure("p99", 0.99, goal), figure("median", 0.5), figure("longest", 1.0)]


@asynccontextmanager
async def _controller(home: Path, sites: int) -> AsyncIterator[tuple[Controller, int]]:
    clock, world = SystemClock(), World()
    names = [f"site-{number:05}" for number in range(sites)]
    specs = [
        site_spec(name, labels={"env": _ENVIRONMENTS[n % 4], "n": str(n)}) for n, name in enumerate(names)
    ]
    world.push(*specs)
    async with open_store(home / "otto.db", clock) as store:
        say(f"api: keeping {sites} statuses")
        for name in names:
            await _keep(store, clock, name)
        kit = replace(
            world.kit(LoopSettings(workers=4)),
            infrastructure=Infrastructure(world.hosts, OWNER),
            configuration=Configuration(world.hosts, world.clock),
            store=store,
            ledger=store.ledger,
            clock=clock,
            queue=WorkQueue(clock),
        )
        controller = Controller(kit, home, SourceSettings(), lambda _: nullcontext(world.source))
        listener = listen(ApiSettings(port=0))
        async with api(controller, listener):
            yield controller, listener.getsockname()[1]


async def _keep(store: Store, clock: SystemClock, name: str) -> None:
    now = clock.now()
    roles = (Role.BALANCER, Role.WEB, Role.WEB)
    hosts = tuple(
        Host(
            f"{name}-{role.value}-{n}",
            role,
            f"{n:064}",
            "10.0.0.1",
            "10.0.0.1",
            22,
            "otto",
            80,
            "ssh-ed25519 " + "A" * 68,
        )
        for n, role in enumerate(roles)
    )
    status = SiteStatus(
        name,
        Phase.READY,
        now,
        endpoints=(Endpoint("10.0.0.1", 80, "http://10.0.0.1"),),
        hosts=hosts,
        digest="d" * 64,
        provider="lab",
    )
    for kind in ConditionType:
        status = status.with_condition(Condition(kind, Truth.TRUE, "Seen", "as it should be", now, "d" * 64))
    await store.save_status(status)


async def _load(port: int, sites: int) -> list[float]:
    """Milliseconds that requests took, made by another process."""
    command = [sys.executable, "-m", "tests.bench.apiload", str(port), str(sites), str(RATE), str(SECONDS)]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    try:
        out, _ = await asyncio.wait_for(process.communicate(), SECONDS + 60)
    except TimeoutError:
        process.kill()
        raise
    told = json.loads(out)
    if told["failed"]:
        raise AssertionError(f"{len(told['failed'])} requests failed: {told['failed'][:3]}")
    say(f"api: median {median(told['times']):.1f} ms, p99 {percentile(told['times'], 0.99):.1f} ms")
    return list(told["times"])
