"""`otto suspend` and `resume`: whether OttO works on a site at all."""

from typing import TYPE_CHECKING

import typer

from otto.cli import options
from otto.cli.invocation import Invocation
from otto.cli.running import run

if TYPE_CHECKING:
    from otto.desk.heard import Heard


def suspend(
    context: typer.Context, site: options.Site, *, by: options.By = None, note: options.Note = ""
) -> None:
    """Leave a site alone until it is resumed.

    Whatever its spec says. It goes on serving.
    """
    from otto.desk.intents import Suspend  # noqa: PLC0415  (not for --help)

    invocation = Invocation.of(context)
    heard = run(invocation.desk.ask(Suspend(site, note, by)))
    _say(invocation, f"{site} is suspended; to go on: otto resume {site}", heard)


def resume(
    context: typer.Context, site: options.Site, *, by: options.By = None, note: options.Note = ""
) -> None:
    """Take back a suspend or destroy.

    The site follows its spec again.
    """
    from otto.desk.intents import Resume  # noqa: PLC0415  (not for --help)

    invocation = Invocation.of(context)
    heard = run(invocation.desk.ask(Resume(site, note, by)))
    _say(invocation, f"{site} follows its spec again", heard)


def _say(invocation: Invocation, words: str, heard: "Heard") -> None:
    from otto.cli.text import clean  # noqa: PLC0415
    from otto.desk.heard import LATER  # noqa: PLC0415

    invocation.out.print(clean(words + LATER[heard]), soft_wrap=True)
