"""Errors, told once: what went wrong, where, and how to mend it. No traceback for what was to be expected."""

import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from otto.cli.text import clean, clean_lines
from otto.model.errors import OttoError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

# A tool's own words are shown up to here; all of them are in the log.
_DETAIL_LINES = 30


def show_failure(console: "Console", error: OttoError) -> None:
    """An error of ours, on standard error."""
    for line in _failure(error):
        console.print(line, soft_wrap=True)


def show_surprise(console: "Console", error: BaseException, log: Path | None, *, debug: bool) -> None:
    """An error that nobody expected: a mistake in OttO."""
    from rich.text import Text  # noqa: PLC0415  (see `console`)

    if debug:
        console.print(clean_lines("".join(traceback.format_exception(error))), soft_wrap=True)
    words = clean(f"{type(error).__name__}: {error}")[:500]
    console.print(Text.assemble(("error: ", "bold red"), f"OttO made a mistake: {words}"), soft_wrap=True)
    where = "" if debug else "run it again with --debug for the whole story"
    if log is not None and log.exists():
        where = f"{where}; the log is {log}".lstrip("; ")
    if where:
        console.print(Text.assemble(("mend:  ", "bold"), where), soft_wrap=True)


def _failure(error: OttoError) -> Iterator["Text"]:
    from rich.text import Text  # noqa: PLC0415  (see `console`)

    yield Text.assemble(("error: ", "bold red"), clean(error.message))
    for line in _shortened(error.detail):
        yield Text(f"       {line}", style="dim")
    if error.mend:
        yield Text.assemble(("mend:  ", "bold"), clean(error.mend))


def _shortened(detail: str) -> list[str]:
    lines = clean_lines(detail).splitlines()
    if len(lines) <= _DETAIL_LINES:
        return lines
    return [f"… {len(lines) - _DETAIL_LINES} lines before these …", *lines[-_DETAIL_LINES:]]
