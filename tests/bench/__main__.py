"""Benchmarks: `make bench`. Each figure beside a named baseline of the same run, as a ratio.

They measure, they do not judge: a figure over its goal is said, and the exit status stays 0.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable

import structlog
from rich.console import Console
from rich.table import Table
from tests.bench import pushes, specs
from tests.bench.figure import Figure

BENCHMARKS: dict[str, Callable[[], Awaitable[list[Figure]]]] = {
    "pushes": pushes.measure,
    "specs": specs.measure,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("names", nargs="*", help="which; all when left out")
    parser.add_argument("--json", action="store_true", help="print JSON")
    chosen = parser.parse_args()
    unknown = [name for name in chosen.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"no benchmark is called {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("error"))
    figures = asyncio.run(measure(chosen.names or list(BENCHMARKS)))
    if chosen.json:
        json.dump([figure.data() for figure in figures], sys.stdout, indent=2)
        return
    Console().print(table(figures))


async def measure(names: list[str]) -> list[Figure]:
    figures = []
    for name in names:
        print(f"measuring {name} …", file=sys.stderr, flush=True)  # noqa: T201
        figures += await BENCHMARKS[name]()
    return figures


def table(figures: list[Figure]) -> Table:
    shown = Table(box=None, pad_edge=False)
    for title in ("WHAT", "MEASURED", "GOAL", "BASELINE", "RATIO"):
        shown.add_column(title, justify="left" if title in {"WHAT", "BASELINE"} else "right")
    for figure in figures:
        shown.add_row(*figure.row())
    return shown


if __name__ == "__main__":
    main()
