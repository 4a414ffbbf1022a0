"""Push to decision: real git, the real hook, the real socket, the real source; a world in memory behind."""

import asyncio
import os
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from tests.bench.figure import Figure, median, percentile

from otto import resources
from otto.adapters.clock import SystemClock
from otto.adapters.git import open_source, quarantined, seed
from otto.adapters.specs import CachedSpecs, YamlSpecs
from otto.adapters.store import open_store
from otto.config import SourceSettings
from otto.reconcile.controller import Controller
from otto.testing.world import World

PUSHES = 100
GOAL = 250.0


def measure() -> list[Figure]:
    """Push a changed page again and again; when was the site's place in the queue decided?"""
    return asyncio.run(_measure())


async def _measure() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="otto-b.") as folder:
        base = Path(folder)
        plain = await asyncio.to_thread(_plain_pushes, base / "plain")
        async with _controller(base / "home") as controller:
            decided, pushed = await _pushes(controller, base)
    return [
        Figure("push to decision, median", median(decided), goal=GOAL),
        Figure("push to decision, p99", percentile(decided, 0.99), goal=GOAL),
        Figure(
            "whole git push, median",
            median(pushed),
            baseline="git push without a hook",
            base=median(plain),
        ),
    ]


@asynccontextmanager
async def _controller(home: Path) -> AsyncIterator[Controller]:
    home.mkdir()
    seed(home, resources.path("specs"), resources.path("sites"))
    clock = SystemClock()
    async with open_store(home / "otto.db", clock) as store:
        kit = replace(
            World().kit(),
            source=open_source(home),
            specs=CachedSpecs(YamlSpecs()),
            store=store,
            clock=clock,
        )
        controller = Controller(kit, home, SourceSettings(), lambda objects: quarantined(home, objects))
        await controller.start()
        try:
            yield controller
        finally:
            await controller.stop()


async def _pushes(controller: Controller, base: Path) -> tuple[list[float], list[float]]:
    home, work = base / "home", base / "work"
    await asyncio.to_thread(_git, base, "clone", "-q", str(home / "specs.git"), str(work))
    decided, pushed = [], []
    for number in range(PUSHES):
        await asyncio.to_thread(_change, work, number)
        started = time.perf_counter()
        push = asyncio.create_task(asyncio.to_thread(_git, work, "push", "-q", "origin", "HEAD:main"))
        before = controller.fleet.catalogue.commit
        while controller.fleet.catalogue.commit == before:
            await asyncio.sleep(0.0005)
        decided.append((time.perf_counter() - started) * 1000)
        await push
        pushed.append((time.perf_counter() - started) * 1000)
    return decided, pushed


def _plain_pushes(base: Path) -> list[float]:
    """The same pushes to a bare repository that nobody watches."""
    base.mkdir()
    seed(base, resources.path("specs"), resources.path("sites"))
    for hook in (base / "specs.git" / "hooks").iterdir():
        hook.unlink()
    _git(base, "clone", "-q", str(base / "specs.git"), str(base / "work"))
    took = []
    for number in range(PUSHES // 4):
        _change(base / "work", number)
        started = time.perf_counter()
        _git(base / "work", "push", "-q", "origin", "HEAD:main")
        took.append((time.perf_counter() - started) * 1000)
    return took


def _change(work: Path, number: int) -> None:
    (work / "sites" / "hello" / "note.txt").write_text(f"{number}\n")
    _git(work, "add", "-A")
    _git(work, "commit", "-q", "-m", f"Note {number}")


def _git(folder: Path, *arguments: str) -> None:
    who = {"NAME": "Bench", "EMAIL": "bench@localhost"}
    names = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in who.items()}
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_GLOBAL": "/dev/null"} | names
    subprocess.run(
        ["git", *arguments], cwd=folder, env=environment, check=True, capture_output=True, timeout=60
    )
