"""`otto policy`: policies as tests, for CI."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from otto.cli import options
from otto.cli.exits import Exit
from otto.cli.invocation import Invocation
from otto.cli.text import clean, counted, figures

if TYPE_CHECKING:
    from rich.text import Text

    from otto.adapters.specs.policycases import PolicyCases
    from otto.decide.policytest import PolicyResult
    from otto.model.problem import Problem
    from otto.model.verdict import Reason

app = typer.Typer(help="What the guard says of recorded plans.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def policy() -> None:
    """What the guard says of recorded plans."""


@app.command("test")
def try_cases(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files of cases, YAML or JSON.")],
    json: options.Json = False,
) -> None:
    """Judge recorded plans, and compare with what is expected.

    Exit status 0 when all is as expected, 1 when something is not, 2 when a file cannot be read.
    Touches nothing.
    """
    from otto.adapters.specs.policycases import read_cases  # noqa: PLC0415  (reads YAML and schemas)
    from otto.decide.policytest import run  # noqa: PLC0415

    invocation = Invocation.of(context)
    read = read_cases(files)
    results = () if read.problems else run(read.cases)
    if json:
        from otto.cli import documents  # noqa: PLC0415

        documents.write(invocation.out, documents.policy_test_document(read, results))
    else:
        _show(invocation, read, results)
    if read.problems:
        raise typer.Exit(Exit.USAGE)
    if not all(item.passed for item in results):
        raise typer.Exit(Exit.FAILED)


def _show(invocation: Invocation, read: "PolicyCases", results: "tuple[PolicyResult, ...]") -> None:
    for problem in read.problems:
        invocation.err.print(_told(problem), soft_wrap=True)
    for item in results:
        invocation.out.print(_line(item), soft_wrap=True)
    failed = sum(not item.passed for item in results)
    if not read.problems:
        words = f"{counted(len(results), 'case')}, " + (f"{failed} failed" if failed else "all as expected")
        invocation.err.print(words, style="red" if failed else "green")


def _told(problem: "Problem") -> "Text":
    from rich.text import Text  # noqa: PLC0415  (see `console`)

    return Text.assemble(("error: ", "bold red"), clean(str(problem)))


def _line(item: "PolicyResult") -> "Text":
    from rich.text import Text  # noqa: PLC0415  (see `console`)

    if item.passed:
        return Text.assemble(("ok      ", "green"), clean(item.case.name))
    expected = item.case.expected
    wanted = " with ".join(filter(None, (expected.verdict, ", ".join(expected.rules))))
    got = "; ".join(map(_reason, item.reasons)) or "no reason"
    words = f"{item.case.name} ({item.case.file}:{item.case.line}): expected {wanted}, got {item.kind}: {got}"
    return Text.assemble(("FAILED  ", "bold red"), clean(words))


def _reason(reason: "Reason") -> str:
    return f"{reason.rule} ({figures(reason) or reason.message})"
