"""`otto ci`: for the pipelines of a spec repository; no controller is needed."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from otto.cli import options
from otto.cli.ciformats import Form, conclusion, text, written
from otto.cli.exits import Exit
from otto.cli.failure import show_failure
from otto.cli.invocation import Invocation
from otto.model.errors import OttoError, UsageError

if TYPE_CHECKING:
    from otto.model.remark import Report

app = typer.Typer(help="For the CI of a spec repository.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def ci() -> None:
    """For the CI of a spec repository."""


@app.command("validate")
def validate(  # noqa: PLR0917  (Typer reads the options in this order)
    context: typer.Context,
    path: Annotated[
        Path, typer.Argument(metavar="[PATH]", help="A folder of the repository; here when left out.")
    ] = Path(),
    base: Annotated[
        str, typer.Option(metavar="REF", help="Say what would change against this branch or commit.")
    ] = "",
    policy: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The fleet's policy, judged along with the specs.")
    ] = None,
    form: Annotated[Form, typer.Option("--format", help="What the report is written as.")] = Form.TEXT,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the report there, and plain lines here.")
    ] = None,
    json: options.Json = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Fail on broken content even where its spec only warns.")
    ] = False,
    fetch: Annotated[
        bool, typer.Option("--fetch", help="Look at content in other repositories too, by fetching them.")
    ] = False,
    cache: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Keep what is known of files there, for the next job."),
    ] = None,
) -> None:
    """Judge the commit that is checked out, as the controller would.

    Specs, references between them, the fleet's policy, the content of sites: limits, pages, links. With
    --base also what a merge would change. Exit status 0 when nothing is wrong, 1 for errors, 2 when it could
    not look.
    """
    from otto.cli.cicheck import Wish, check  # noqa: PLC0415  (opens git repositories)

    invocation = Invocation.of(context)
    try:
        report = check(Wish(path, base, policy, fetch, strict, cache), invocation.settings)
        _tell(invocation, report, Form.JSON if json else form, output)
    except OttoError as error:
        show_failure(invocation.err, error)
        raise typer.Exit(Exit.USAGE) from error
    if report.errors:
        raise typer.Exit(Exit.FAILED)


def _tell(invocation: Invocation, report: "Report", form: Form, output: Path | None) -> None:
    body = written(report, form)
    if output is None:
        invocation.out.print(body, end="", soft_wrap=True)
        if form not in (Form.TEXT, Form.GITHUB):
            invocation.err.print(conclusion(report))
        return
    try:
        output.write_text(body, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {error.strerror}") from error
    for line in text(report):
        invocation.out.print(line, soft_wrap=True)
