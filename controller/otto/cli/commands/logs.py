"""`otto logs`: what the controller wrote down."""

import asyncio
import json as json_module
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from otto.cli import options
from otto.cli.invocation import Invocation
from otto.cli.running import run as run_to_end
from otto.cli.text import clean, clean_lines, clock_time
from otto.model.errors import TransientError, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from otto.adapters.logfile import Entry
    from otto.desk.logs import Logged, SeeLog

_PAUSE, _PAUSE_AFAR, _PAUSE_AWAY = 0.25, 1.0, 2.0
_STYLES = {"debug": "dim", "warning": "yellow", "error": "red", "critical": "bold red"}
_SAID = frozenset({"timestamp", "level", "event", "logger", "site", "exception"})


def logs(
    context: typer.Context,
    site: options.SomeSite = None,
    *,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what is written from now on.")
    ] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="Newest entries to begin with.")] = 50,
    run: Annotated[str, typer.Option(metavar="ID", help="Of one run only (a prefix will do).")] = "",
    level: Annotated[str, typer.Option(help="Least level: debug, info, warning or error.")] = "debug",
    json: Annotated[
        bool, typer.Option("--json", help="Print the entries as they are, one JSON per line.")
    ] = False,
) -> None:
    """Show the controller's log, of one site or all."""
    from otto.desk.logs import LEVELS, SeeLog  # noqa: PLC0415  (not for --help)

    if level not in LEVELS:
        raise typer.BadParameter("use debug, info, warning or error", param_hint="--level")
    run_to_end(_logs(Invocation.of(context), SeeLog(site or "", run, level, lines), follow=follow, json=json))


async def _logs(invocation: Invocation, question: "SeeLog", *, follow: bool, json: bool) -> None:
    desk = invocation.desk
    # Asked again and again, a controller elsewhere keeps the connection; a home would open its store.
    async with desk if invocation.server is not None else nullcontext():
        found = await desk.ask(question)
        if not found.exists and not follow:
            mend = "otto up writes one; or name another --home"
            raise UsageError(f"there is no log {invocation.place} yet", mend=mend)
        _show_all(invocation, found, json=json)
        while follow:
            await asyncio.sleep(_PAUSE if invocation.server is None else _PAUSE_AFAR)
            found = await _more(invocation, replace(question, since=found.place))
            _show_all(invocation, found, json=json)


async def _more(invocation: Invocation, question: "SeeLog") -> "Logged":
    """What came since; a controller that is away is waited for: it goes on where it was left."""
    told = False
    while True:
        try:
            return await invocation.desk.ask(question)
        except TransientError as error:
            if not told:
                invocation.err.print(f"{clean(str(error))}; waiting", style="yellow", soft_wrap=True)
                told = True
            await asyncio.sleep(_PAUSE_AWAY)


def _show_all(invocation: Invocation, found: "Logged", *, json: bool) -> None:
    for text in found.entries:
        entry = json_module.loads(text)
        if isinstance(entry, dict):
            show(invocation.out, entry, json=json)


def show(console: "Console", entry: "Entry", *, json: bool) -> None:
    """One entry, as it is or for people."""
    if json:
        console.print(json_module.dumps(entry), soft_wrap=True)
        return
    from rich.text import Text  # noqa: PLC0415  (see `console`)

    level = str(entry.get("level", "info"))
    pairs = " ".join(f"{name}={_value(value)}" for name, value in entry.items() if name not in _SAID)
    line = Text.assemble(
        (_time(entry) + " ", "dim"),
        (f"{clean(level):<8}", _STYLES.get(level, "green")),
        (f"{clean(str(entry.get('site', '')))} " if entry.get("site") else "", "bold"),
        (clean(str(entry.get("event", ""))), "bold"),
        (f"  {clean(pairs)}" if pairs else "", ""),
    )
    console.print(line, soft_wrap=True)
    if entry.get("exception"):
        console.print(Text(clean_lines(str(entry["exception"])), "dim"), soft_wrap=True)


def _time(entry: "Entry") -> str:
    text = str(entry.get("timestamp", ""))
    try:
        return clock_time(datetime.fromisoformat(text))
    except ValueError:
        return clean(text)


def _value(value: object) -> str:
    return value if isinstance(value, str) and " " not in value else json_module.dumps(value)
