"""Benchmarks: `make bench`. Each figure beside a named baseline of the same run, as a ratio.

They measure; a missed goal is said, and ends with another status only if that was asked for.
"""

import argparse
import json
import sys
from collections.abc import Callable

import structlog
from rich.console import Console
from rich.table import Table
from tests.bench import api, content, dns, fresh, images, interruption, machine, pushes, specs, steady
from tests.bench.figure import Figure
from tests.bench.plain import ScriptError
from tests.bench.progress import say

from otto.model.errors import OttoError

BENCHMARKS: dict[str, Callable[[], list[Figure]]] = {
    "fresh": fresh.measure,
    "images": images.measure,
    "steady": steady.measure,
    "content": content.measure,
    "pushes": pushes.measure,
    "specs": specs.measure,
    "api": api.measure,
    "dns": dns.measure,
}
_TITLES = ("WHAT", "OTTO", "BASELINE", "RATIO", "GOAL", "")
# Figures from a machine that does other things mean little; that many processes wait on average at most.
_BUSY = 1.0


def main() -> int:
    """Measure what was asked for; the exit status: 1 when it could not be, 3 for a goal missed (--strict)."""
    chosen = _arguments()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("error"))
    interruption.heed()
    about = machine.about()
    if machine.load() > _BUSY:
        say(f"the machine is busy (load {machine.load():.1f}): figures will mean little")
    figures: list[Figure] = []
    try:
        for name in chosen.names or BENCHMARKS:
            say(f"{name}: load {machine.load():.2f}")
            figures += BENCHMARKS[name]()
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    except (ScriptError, OttoError, AssertionError) as error:
        say(f"cannot be measured: {error}")
        return 1
    finally:
        _show(figures, about, as_json=chosen.json)
    missed = [figure for figure in figures if figure.met is False]
    return 3 if missed and chosen.strict else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("names", nargs="*", help=f"of {', '.join(BENCHMARKS)}; all when left out")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--strict", action="store_true", help="exit status 3 when a goal is missed")
    chosen = parser.parse_args()
    if unknown := [name for name in chosen.names if name not in BENCHMARKS]:
        parser.error(f"no benchmark is called {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    return chosen


def _show(figures: list[Figure], about: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        found = {"machine": about, "load": machine.load(), "figures": [figure.data() for figure in figures]}
        json.dump(found, sys.stdout, indent=2)
        print()  # noqa: T201
    elif figures:
        Console(width=None if sys.stdout.isatty() else 150).print(table(figures))


def table(figures: list[Figure]) -> Table:
    """Figures as people read them."""
    shown = Table(box=None, pad_edge=False)
    for title in _TITLES:
        shown.add_column(title, justify="left" if title in {"WHAT", "BASELINE", ""} else "right")
    for figure in figures:
        shown.add_row(*figure.row())
    return shown


if __name__ == "__main__":
    sys.exit(main())
