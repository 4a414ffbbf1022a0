"""`otto images build`: golden images made, tried, and put into the index."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from otto.cli import options
from otto.cli.exits import Exit
from otto.cli.invocation import Invocation
from otto.cli.running import run
from otto.model.errors import TransientError, UsageError
from otto.model.spec import Provider

if TYPE_CHECKING:
    from collections.abc import Callable

    from otto.desk.builds import BuildImages
    from otto.desk.question import Desk
    from otto.model.canonical import Data
    from otto.reconcile.buildbook import Begun
    from otto.reconcile.foundry import Heard, Made

_STOPPING = "stopping: what was begun is removed, images that are done stay"
_PAUSE = 0.2


def build(  # noqa: PLR0917  (its options)
    context: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Names of images; all when left out.", show_default=False),
    ] = None,
    provider: Annotated[
        list[Provider] | None,
        typer.Option(
            metavar="PROVIDER",
            help="Build for this provider; may be given several times. Without it, for the lab.",
            show_default=False,
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Build even what is there already.")] = False,
    by: options.By = None,
    plain: options.Plain = False,
    json: options.Json = False,
) -> None:
    """Build golden images, try them, and put the good ones into the index.

    Nothing is rebuilt whose inputs (template, roles, base, variables) are the same. The channel `candidate`
    then points at what was built, and `stable` too where it pointed nowhere. One that fails stops no other.
    """
    from otto.desk.builds import BuildImages  # noqa: PLC0415  (not for --help)

    invocation = Invocation.of(context)
    if plain and json:
        raise UsageError("--plain and --json exclude each other")
    wish = BuildImages(tuple(names or ()), tuple(provider or ()), force, by)
    made = run(_make(invocation, wish, plain=plain, json=json), lambda: invocation.err.print(_STOPPING))
    if json:
        from otto.cli import documents  # noqa: PLC0415  (either this or lines)

        documents.write(invocation.out, {"images": [document(item) for item in made]})
    if not all(item.good for item in made):
        raise typer.Exit(Exit.FAILED)


async def _make(
    invocation: Invocation, wish: "BuildImages", *, plain: bool, json: bool
) -> "tuple[Made, ...]":
    from otto.cli.imageboard import shown  # noqa: PLC0415  (not for --help)

    console = invocation.err if json else invocation.out
    async with invocation.desk as desk:
        begun = await desk.ask(wish)
        with shown(console, begun.builds, invocation.now, plain=plain or json) as board:
            return await _followed(desk, begun, board.hear)


async def _followed(desk: "Desk", begun: "Begun", hear: "Callable[[Heard], None]") -> "tuple[Made, ...]":
    """What came of each image, as it is heard; whoever stops listening breaks the rest off."""
    from otto.desk.builds import CancelBuild, SeeBuild  # noqa: PLC0415  (not for --help)

    made, seen, over = dict[tuple[str, str], "Made"](), 0, False
    try:
        while not over:
            news = await desk.ask(SeeBuild(begun.id, seen))
            for heard in news.heard:
                hear(heard)
                if heard.made is not None:
                    made[heard.build.provider, heard.build.digest] = heard.made
            seen, over = seen + len(news.heard), news.over
            if not over:
                await asyncio.sleep(_PAUSE)
    except asyncio.CancelledError:
        await desk.ask(CancelBuild(begun.id))
        raise
    if left := [build.name for build in begun.builds if (build.provider, build.digest) not in made]:
        mend = "otto images build again: what is done stays"
        raise TransientError(f"the build was broken off before its end: {', '.join(left)}", mend=mend)
    return tuple(made[build.provider, build.digest] for build in begun.builds)


def document(made: "Made") -> "dict[str, Data]":
    """What `--json` prints of an image."""
    artifact = made.image.artifacts.get(made.build.provider) if made.image else None
    return {
        "name": made.build.name,
        "provider": made.build.provider,
        "digest": made.build.digest,
        "parent": made.build.parent,
        "inputs": dict(made.build.inputs),
        "result": made.result.value,
        "artifact": artifact.id if artifact else None,
        "checks": list(artifact.smoke.checks) if artifact else [],
        "packages": len(made.image.packages) if made.image else 0,
        "channels": list(made.channels),
        "error": made.error,
        "seconds": round(made.seconds, 2),
    }
