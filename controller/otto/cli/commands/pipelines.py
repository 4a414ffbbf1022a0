"""`otto pipelines`: what events made of sites, stage by stage; and to start one."""

from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup

from otto.cli import options
from otto.cli.invocation import Invocation
from otto.cli.running import run as run_to_end

if TYPE_CHECKING:
    from typer._click import Context

    from otto.model.pipeline import Pipeline

_LIST = "list"
_MOST = 1000


class Listing(TyperGroup):
    """A group that lists when no command of it is named: `pipelines hello` is `pipelines list hello`."""

    def parse_args(self, ctx: "Context", args: list[str]) -> list[str]:
        """Put the command in that goes without saying."""
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = [_LIST, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=Listing,
    help="What events made of sites, stage by stage.",
    rich_markup_mode=None,
)


@app.callback()
def pipelines() -> None:
    """What events made of sites, stage by stage: pushes, images, schedules, people.

    Without a command: `list`, which then need not be written.
    """


@app.command(_LIST)
def listed(
    context: typer.Context,
    site: options.SomeSite = None,
    *,
    limit: Annotated[int, typer.Option(min=1, max=_MOST, help="Newest pipelines to show.")] = 20,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Show them as they change, until Ctrl-C.")
    ] = False,
    json: options.Json = False,
) -> None:
    """List pipelines, newest first, of one site or all.

    With --watch: in place on a terminal, else one line per change; with --json one document per change.
    """
    from otto.desk.pipelines import SeePipelines  # noqa: PLC0415  (not for --help)

    invocation = Invocation.of(context)
    if watch:
        run_to_end(_watch(invocation, site, limit, json=json))
        return
    found = run_to_end(invocation.desk.ask(SeePipelines(site, limit)))
    if json:
        _write(invocation, found)
        return
    from otto.cli import pipelinepages  # noqa: PLC0415  (not for --help)

    invocation.out.print(pipelinepages.table(found, invocation.now()))


@app.command("show")
def shown(
    context: typer.Context,
    pipeline: Annotated[str, typer.Argument(metavar="ID", help="A pipeline's id (a prefix will do).")],
    json: options.Json = False,
) -> None:
    """Show one pipeline: its stages, and what each of them said."""
    from otto.desk.pipelines import SeePipeline  # noqa: PLC0415  (not for --help)

    invocation = Invocation.of(context)
    found = run_to_end(invocation.desk.ask(SeePipeline(pipeline)))
    if json:
        _write(invocation, (found,))
        return
    from otto.cli import pipelinepages  # noqa: PLC0415

    for part in pipelinepages.page(found, invocation.now()):
        invocation.out.print(part)


@app.command("run")
def started(context: typer.Context, site: options.Site, by: options.By = None) -> None:
    """Have a running controller fetch a site's repositories, look at it and verify it now.

    Prints the pipeline's id. What is to be changed for it is changed as after a push: held by the same rules.
    """
    from otto.desk.pipelines import StartPipeline  # noqa: PLC0415  (not for --help)

    invocation = Invocation.of(context)
    invocation.out.print(run_to_end(invocation.desk.ask(StartPipeline(site, by))), soft_wrap=True)


async def _watch(invocation: Invocation, site: str | None, limit: int, *, json: bool) -> None:
    from otto.cli.pipelinewatch import watch  # noqa: PLC0415  (with the watch)

    async with invocation.desk:
        await watch(invocation, site, limit, json=json)


def _write(invocation: Invocation, found: "tuple[Pipeline, ...]") -> None:
    from otto.cli import documents  # noqa: PLC0415

    documents.write(invocation.out, documents.pipelines_document(found))
