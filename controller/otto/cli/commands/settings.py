"""`otto config` and `otto version`: what OttO runs with."""

import json as json_module
import platform
import re
from collections.abc import Iterator
from enum import Enum
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from otto import __version__
from otto.cli import options
from otto.cli.invocation import Invocation
from otto.cli.running import run
from otto.cli.text import clean

if TYPE_CHECKING:
    from otto.config import Settings

_PASSWORD = re.compile(r"(?<=://)([^:/@]*):[^@/]*@")


def config(
    context: typer.Context,
    json: options.Json = False,
    changed: Annotated[bool, typer.Option("--changed", help="Only what is not as it is by default.")] = False,
) -> None:
    """Show every setting, its value and what it does."""
    invocation = Invocation.of(context)
    rows = [row for row in _rows(invocation.settings) if not changed or row["value"] != row["default"]]
    if json:
        invocation.out.print(json_module.dumps({"settings": rows}, indent=2), soft_wrap=True)
        return
    from rich.text import Text  # noqa: PLC0415  (see `console`)

    from otto.cli.tables import blank, words  # noqa: PLC0415

    table = blank("SETTING", "VALUE", "")
    table.columns[0].no_wrap = True
    for row in rows:
        style = "bold" if row["value"] != row["default"] else ""
        about = Text.assemble(str(row["help"]), (f"\n{row['environment']}", "dim"))
        table.add_row(words(str(row["name"]), style), words(_shown(row["value"]), style), about)
    invocation.out.print(table)


def _rows(settings: "Settings") -> Iterator[dict[str, Any]]:
    from otto.config import environment_name, names  # noqa: PLC0415  (reads YAML)

    home = {"name": "home", "environment": "OTTO_HOME", "help": "where everything is kept; default ./var"}
    yield {**home, "value": str(settings.home), "default": None}
    for dotted, _, default, help_text in names():
        yield {
            "name": dotted,
            "value": _plain(attrgetter(dotted)(settings)),
            "default": _plain(default),
            "environment": environment_name(dotted),
            "help": help_text,
        }


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    return _PASSWORD.sub(r"\1:***@", value) if isinstance(value, str) else value


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return " ".join(str(item) for item in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def version(context: typer.Context, json: options.Json = False) -> None:
    """Show OttO's version and Python's. With --server, that controller's as well."""
    invocation = Invocation.of(context)
    python, there = platform.python_version(), None
    if invocation.server is not None:
        from otto.desk.greeting import Greet  # noqa: PLC0415  (only for another machine)

        there = run(invocation.desk.ask(Greet())).version
    if json:
        known = {"version": __version__, "python": python} | ({"server": there} if there else {})
        invocation.out.print(json_module.dumps(known))
        return
    invocation.out.print(f"otto {__version__} (Python {python})")
    if there:
        invocation.out.print(clean(f"controller {there} {invocation.place}"), soft_wrap=True)
