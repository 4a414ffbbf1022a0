"""Reference of the commands, from the Typer application."""

import inspect
from collections.abc import Iterator
from typing import Any

import typer.main

from generator.page import code, joined, table
from otto.cli.main import app

# Typer carries a Click of its own, which has no public name; what is used here is Click's documented API.
Command = Any
_INTRO = """\
# Commands

    otto [OPTIONS] COMMAND [ARGS]...

Options of `otto` itself stand before the command. How commands end is told in
[Exit statuses](exit-status.md), what `--json` prints in [Output as JSON](status-json.md).

Shell completion, with names of sites: `otto --install-completion`."""


def render() -> str:
    """The page."""
    root = typer.main.get_command(app)
    return joined([_INTRO, _index(root), "## Options of `otto`", _options(root), *_commands(root, ())])


def command_names() -> frozenset[str]:
    """Every command, those of groups with the group's name before them: `status`, `lab up`."""
    return frozenset(" ".join(way) for way, _ in _walk(typer.main.get_command(app), ()))


def _walk(group: Command, way: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Command]]:
    for name, command in group.commands.items():
        if not command.hidden:
            yield (*way, name), command
            if hasattr(command, "commands"):
                yield from _walk(command, (*way, name))


def _index(root: Command) -> str:
    rows = []
    for way, command in _walk(root, ()):
        name = " ".join(way)
        rows.append((f"[`otto {name}`](#otto-{name.replace(' ', '-')})", _summary(command)))
    return table(("command", ""), rows)


def _commands(root: Command, way: tuple[str, ...]) -> Iterator[str]:
    for path, command in _walk(root, way):
        name = " ".join(path)
        yield f"## `otto {name}`"
        yield f"    otto {name} {_usage(command)}".rstrip()
        yield _help(command)
        yield _options(command)


def _usage(command: Command) -> str:
    if hasattr(command, "commands"):
        return "COMMAND [ARGS]..."
    has_options = any(parameter.param_type_name == "option" for parameter in command.params)
    words = ["[OPTIONS]"] if has_options else []
    return " ".join([*words, *(_metavar(p) for p in command.params if p.param_type_name == "argument")])


def _options(command: Command) -> str:
    rows = [_row(parameter) for parameter in command.params if not getattr(parameter, "hidden", False)]
    return table(("", "", "default"), rows) if rows else ""


def _row(parameter: Command) -> tuple[str, str, str]:
    if parameter.param_type_name == "argument":
        return code(_metavar(parameter)), parameter.help or "", ""
    names = ", ".join(code(name) for name in parameter.opts)
    value = "" if parameter.is_flag else f" {code(_metavar(parameter))}"
    return names + value, parameter.help or "", _default(parameter)


def _metavar(parameter: Command) -> str:
    return str(parameter.metavar or parameter.name.upper())


def _default(parameter: Command) -> str:
    default = parameter.default
    if parameter.is_flag or default is None or default in ("", ()):
        return ""
    return code(f"{default:g}" if isinstance(default, float) else default)


def _summary(command: Command) -> str:
    return _help(command).partition("\n\n")[0].replace("\n", " ")


def _help(command: Command) -> str:
    return inspect.cleandoc(command.help or "")
