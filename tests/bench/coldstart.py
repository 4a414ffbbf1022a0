"""A controller over the repository of OTTO_HOME, from nothing to the point where its socket answers.

All of it is real; only the loop does not run, so that no site is worked on. A process of its own, for its
memory: `python -m tests.bench.coldstart` says when it has started, and then decides once for every line it
is sent.
"""

import asyncio
import json
import os
import sys
import time
from pathlib import Path

import structlog

from otto import config
from otto.cli import compose
from otto.reconcile.controller import Controller


async def main() -> None:
    """Start, and look whenever told to."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("error"))
    settings = config.load(os.environ)
    async with compose.open_kit(settings) as kit:
        controller = compose.make_controller(kit, settings)
        await controller.start()
        _tell(controller, 0.0, 0)
        try:
            while await asyncio.to_thread(sys.stdin.readline):
                began = time.perf_counter()
                found = await controller.watcher.look()
                _tell(controller, (time.perf_counter() - began) * 1000, len(found.touched) if found else 0)
        finally:
            await controller.stop()


def _tell(controller: Controller, milliseconds: float, due: int) -> None:
    found = {
        "milliseconds": milliseconds,
        "due": due,
        "sites": len(controller.fleet.catalogue.sites),
        "peak": _peak(),
    }
    print(json.dumps(found), flush=True)  # noqa: T201


def _peak() -> float:
    """The most memory that was resident at once, in MiB.

    From /proc, because what getrusage(2) says begins with what was resident before the exec.
    """
    lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


if __name__ == "__main__":
    asyncio.run(main())
