"""`otto images build`: golden images made, tried, and put into the index."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from otto.cli import options
from otto.cli.exits import Exit
from otto.cli.invocation import Invocation
from otto.cli.running import run
from otto.model.errors import UsageError
from otto.model.spec import Provider

if TYPE_CHECKING:
    from otto.model.canonical import Data
    from otto.model.image import Build
    from otto.reconcile.foundry import Foundry, Made

# Those whose images OttO can boot and try.
_TRIED = (Provider.LAB,)
_STOPPING = "stopping: what was begun is removed, images that are done stay"


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
    invocation = Invocation.of(context)
    if plain and json:
        raise UsageError("--plain and --json exclude each other")
    providers = _providers(invocation, provider or [])
    work = _make(invocation, names or [], providers, by, force=force, plain=plain, json=json)
    made = run(work, lambda: invocation.err.print(_STOPPING))
    if json:
        from otto.cli import documents  # noqa: PLC0415  (either this or lines)

        documents.write(invocation.out, {"images": [document(item) for item in made]})
    if not all(item.good for item in made):
        raise typer.Exit(Exit.FAILED)


def _providers(invocation: Invocation, asked: Sequence[Provider]) -> tuple[Provider, ...]:
    """Where images are built: where it is asked for, or else wherever they can be tried.

    Raises:
        UsageError: nowhere, or somewhere that may not be touched.
    """
    allowed = invocation.settings.providers
    if barred := [item for item in asked if item not in allowed]:
        raise UsageError(f"{barred[0].value} may not be touched", mend="add it to CLOWD_PROVIDERS")
    chosen = tuple(dict.fromkeys(asked)) or tuple(item for item in _TRIED if item in allowed)
    if not chosen:
        raise UsageError(
            f"CLOWD_PROVIDERS allows only {', '.join(item.value for item in allowed)}, where this version of "
            "OttO cannot try an image",
            mend="add lab to CLOWD_PROVIDERS, or name one of those with --provider",
        )
    return chosen


async def _make(
    invocation: Invocation,
    names: Sequence[str],
    providers: Sequence[Provider],
    by: str | None,
    *,
    force: bool,
    plain: bool,
    json: bool,
) -> "tuple[Made, ...]":
    from dataclasses import replace  # noqa: PLC0415  (not for --help)

    from otto.cli.imageboard import shown  # noqa: PLC0415
    from otto.cli.journal import journal  # noqa: PLC0415
    from otto.cli.speaking import speaker  # noqa: PLC0415

    who = speaker(invocation, by)
    with journal(invocation, file=False):
        async with invocation.composition.open_foundry(invocation.settings) as foundry:
            wanted = [replace(item, anew=force) for item in _builds(foundry, names, providers)]
            console = invocation.err if json else invocation.out
            with shown(console, wanted, foundry.clock, plain=plain or json) as board:
                return await foundry.make(wanted, who, board.hear)


def _builds(foundry: "Foundry", names: Sequence[str], providers: Sequence[Provider]) -> "list[Build]":
    return [item for each in providers for item in foundry.builder.builds(each, names)]


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
        "error": str(made.error) if made.error else "",
        "seconds": round(made.seconds, 2),
    }
