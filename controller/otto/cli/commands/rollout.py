"""`otto rollout`: see how a change reaches running servers, and stop it, or take it back."""

from typing import TYPE_CHECKING, Annotated

import typer

from otto.cli import options, speaking
from otto.cli.invocation import Invocation
from otto.cli.running import run

if TYPE_CHECKING:
    from otto.desk.question import Question
    from otto.desk.saying import Said

app = typer.Typer(
    help="Changes on their way to running servers.", no_args_is_help=True, rich_markup_mode=None
)


@app.callback()
def rollout() -> None:
    """Changes on their way to running servers."""


@app.command()
def status(context: typer.Context, site: options.Site, *, json: options.Json = False) -> None:
    """Show how the last rollout of a site stands, batch by batch, and what is quarantined."""
    from otto.cli import rolloutpage  # noqa: PLC0415  (not for --help)
    from otto.desk.steering import SeeRollout  # noqa: PLC0415

    invocation = Invocation.of(context)
    found = run(invocation.desk.ask(SeeRollout(site)))
    rolloutpage.show(invocation.out, found, json=json)


@app.command()
def pause(
    context: typer.Context,
    site: options.Site,
    *,
    reason: options.Note = "",
    by: options.By = None,
    json: options.Json = False,
) -> None:
    """Stop before the next batch. What breaks meanwhile is mended; nothing else is changed."""
    from otto.desk.steering import PauseRollout  # noqa: PLC0415  (not for --help)

    _say(context, PauseRollout(site, reason, by), json=json)


@app.command()
def resume(
    context: typer.Context,
    site: options.Site,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Take back every pause and every quarantine, of older wishes too.")
    ] = False,
    reason: options.Note = "",
    by: options.By = None,
    json: options.Json = False,
) -> None:
    """Go on with what was paused; or, where nothing is paused, try again what is quarantined now.

    What was quarantined before that stays so. It matters only if the repository asks for the very same again.
    """
    from otto.desk.steering import ResumeRollout  # noqa: PLC0415  (not for --help)

    _say(context, ResumeRollout(site, reason, by, everything), json=json)


@app.command()
def abort(
    context: typer.Context,
    site: options.Site,
    *,
    reason: options.Note = "",
    by: options.By = None,
    json: options.Json = False,
) -> None:
    """End a rollout under way: what it changed goes back to what was verified last."""
    from otto.desk.steering import AbortRollout  # noqa: PLC0415  (not for --help)

    _say(context, AbortRollout(site, reason, by), json=json)


@app.command()
def undo(
    context: typer.Context,
    site: options.Site,
    *,
    reason: options.Note = "",
    by: options.By = None,
    json: options.Json = False,
) -> None:
    """Take back what is in place, to what held before. The newest commit is not tried again then."""
    from otto.desk.steering import UndoRollout  # noqa: PLC0415  (not for --help)

    _say(context, UndoRollout(site, reason, by), json=json)


def _say(context: typer.Context, word: "Question[Said]", *, json: bool) -> None:
    invocation = Invocation.of(context)
    speaking.show(invocation, run(invocation.desk.ask(word)), json=json)
