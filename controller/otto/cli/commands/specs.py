"""`otto validate` and `otto init`: specs before they are pushed."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from otto.cli import options
from otto.cli.exits import Exit
from otto.cli.invocation import Invocation
from otto.cli.text import clean, counted

if TYPE_CHECKING:
    from otto.model.problem import Problem


def validate(
    context: typer.Context,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH...", help="Spec files, or folders of them; here when left out."),
    ] = None,
    json: options.Json = False,
) -> None:
    """Check specs, every problem at once.

    Each with its place and what may stand there. Exit status 0 when all is sound, 1 when something
    is not: fit for pre-commit and CI.
    """
    from otto.adapters.specs.check import to_json, validate_paths  # noqa: PLC0415  (reads YAML and schemas)

    invocation = Invocation.of(context)
    found = validate_paths(paths or [])
    if json:
        from otto.cli import documents  # noqa: PLC0415

        documents.write(invocation.out, to_json(found))
    else:
        for problem in found.problems:
            _show(invocation, problem)
        good = counted(len(found.sites), "good site")
        good += f", {counted(len(found.zones), 'good zone')}" if found.zones else ""
        _conclude(invocation, len(found.files), good, len(found.problems))
    if found.problems:
        raise typer.Exit(Exit.FAILED)


def _show(invocation: Invocation, problem: "Problem") -> None:
    from rich.text import Text  # noqa: PLC0415  (see `console`)

    head = Text.assemble((clean(problem.where), "bold"), ": ", (clean(problem.message), "red"))
    invocation.out.print(head, soft_wrap=True)
    told = (
        ("at", problem.pointer),
        ("found", problem.found),
        ("allowed", problem.allowed),
        ("mend", problem.mend),
    )
    for name, words in told:
        if words:
            invocation.out.print(Text.assemble((f"    {name:<8}", "dim"), clean(words)), soft_wrap=True)


def _conclude(invocation: Invocation, files: int, good: str, problems: int) -> None:
    looked = f"{counted(files, 'file')}, {good}"
    words = f"{looked}, {counted(problems, 'problem')}" if problems else f"{looked}: all is sound"
    invocation.err.print(words, style="red" if problems else "green")


def init(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A new or empty folder.")],
) -> None:
    """Begin a spec repository with examples.

    With schemas for editors and a pre-commit hook.
    """
    from otto.adapters.git.scaffold import scaffold  # noqa: PLC0415  (opens git repositories)

    invocation = Invocation.of(context)
    written = scaffold(path)
    invocation.out.print(clean(f"{path}: {counted(len(written), 'file')} written"), soft_wrap=True)
    invocation.out.print(
        clean(f"next: read {path / 'README.md'}, change specs/, otto validate {path}"), soft_wrap=True
    )
