"""`otto logs`: what the controller wrote down."""

import asyncio
import json as json_module
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from otto.cli import logfile, options
from otto.cli.invocation import Invocation
from otto.cli.running import run as run_to_end
from otto.cli.text import clean, clean_lines, clock_time
from otto.model.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

_PAUSE = 0.25
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
    if level not in ("debug", "info", "warning", "error"):
        raise typer.BadParameter("use debug, info, warning or error", param_hint="--level")
    invocation = Invocation.of(context)
    path = invocation.settings.home / "logs" / "otto.jsonl"
    if not path.exists() and not follow:
        raise UsageError(f"there is no log at {path} yet", mend="otto up writes one; or name another --home")
    wanted = logfile.Wanted(site or "", run, level)
    follower = logfile.Follower(path)
    for entry in logfile.newest(path, lines, wanted) if lines else ():
        show(invocation.out, entry, json=json)
    if follow:
        run_to_end(_follow(invocation, follower, wanted, json=json))
    follower.close()


async def _follow(
    invocation: Invocation, follower: logfile.Follower, wanted: logfile.Wanted, *, json: bool
) -> None:
    while True:
        for entry in follower.more():
            if wanted.holds(entry):
                show(invocation.out, entry, json=json)
        await asyncio.sleep(_PAUSE)


def show(console: "Console", entry: logfile.Entry, *, json: bool) -> None:
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


def _time(entry: logfile.Entry) -> str:
    text = str(entry.get("timestamp", ""))
    try:
        return clock_time(datetime.fromisoformat(text))
    except ValueError:
        return clean(text)


def _value(value: object) -> str:
    return value if isinstance(value, str) and " " not in value else json_module.dumps(value)
