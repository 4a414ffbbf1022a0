"""How the suite is spread over processes: a file stays together, and so does all that needs the lab."""

import json
import os
import sys
from pathlib import Path

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give every test without an `xdist_group` one, for `--dist loadgroup`.

    Tests of one file share its fixtures. Tests of the lab share the machine's memory and its two cores: one
    after the other they take no longer, and none waits for another's containers.

    Groups are handed out in the order of their first tests (`--no-loadscope-reorder`): what takes longest
    comes first, and what is over in a second comes last, so that both processes end together.
    """
    if not config.pluginmanager.hasplugin("xdist"):
        return
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            lab = item.get_closest_marker("lab") is not None
            item.add_marker(pytest.mark.xdist_group("lab" if lab else str(item.path)))
    if getattr(config.option, "loadgroup", False):
        items.sort(key=_turn)


# Groups of minutes, the longest first; then all others of real tools, then those that need nothing.
_LONG = ("lab", "survival", "packer", "healing", "ansible", "guard", "life", "rolling-out", "waves")


def _turn(item: pytest.Item) -> tuple[int, int]:
    """When a test's group has its turn; within one, tests stay in their order."""
    marker = item.get_closest_marker("xdist_group")
    group = marker.args[0] if marker else ""
    unit = Path(__file__).parent / "unit"
    return _LONG.index(group) if group in _LONG else len(_LONG), int(unit in item.path.parents)


# Characters of a failure that are told at once.
_TAIL = 3000

_SECTIONS = {
    "healing": "healing, in seconds from the damage",
    "rollout": "rolling out under visitors, requests and those that failed",
    "size": "sizes of images, in MB",
}


@pytest.hookimpl(trylast=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Tell a failure when it happens, in CI: a run that is cut off has no summary."""
    if report.failed and "CI" in os.environ and "PYTEST_XDIST_WORKER" not in os.environ:
        sys.stderr.write(f"\nFAILED {report.nodeid} ({report.when})\n{report.longreprtext[-_TAIL:]}\n")
        sys.stderr.flush()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show figures: how long healing took, what visitors noticed of changes, how large images are.

    They are properties of the tests (tests/acceptance): they come from workers to here, and to `--junitxml`.
    """
    reports = [report for found in terminalreporter.stats.values() for report in found]
    kept = [item for report in reports for item in getattr(report, "user_properties", ())]
    for section, title in _SECTIONS.items():
        rows = [json.loads(str(value)) for name, value in dict.fromkeys(kept) if name == section]
        if rows:
            terminalreporter.section(title)
            for line in _table(rows):
                terminalreporter.write_line(line)


def _table(rows: list[dict[str, object]]) -> list[str]:
    """Rows of equal keys, in columns; the last one is as long as it likes."""
    lines = [list(rows[0]), *(list(map(str, row.values())) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
