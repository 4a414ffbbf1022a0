"""`otto images prune`: images that nobody needs are removed."""

from typing import TYPE_CHECKING, Annotated

import typer

from otto.cli import naming, options, speaking
from otto.cli.exits import Exit
from otto.cli.invocation import Invocation
from otto.cli.running import run

if TYPE_CHECKING:
    from otto.cli.pruning import Pruned
    from otto.model.image import Image
    from otto.model.saying import Speaker


def prune(
    context: typer.Context,
    *,
    keep: Annotated[
        int, typer.Option(min=0, metavar="N", help="How many of the newest of each name stay in any case.")
    ] = 2,
    yes: options.Yes = False,
    by: options.By = None,
    note: options.Note = "",
    json: options.Json = False,
) -> None:
    """Remove images that no channel, no spec, no host and no other image needs, with what was built of them.

    What a site was last put in place with is needed, too: it is what the site goes back to. Lists what would
    go, and asks. An image that cannot be removed stays, and the exit status is 1.
    """
    invocation = Invocation.of(context)
    who, why = speaking.speaker(invocation, by), speaking.reason(note)
    images = run(_candidates(invocation, keep))
    if images and not yes:
        _confirm(invocation, images)
    done = run(_prune(invocation, images, keep, who, why))
    _told(invocation, done, len(images), json=json)
    if done.failed:
        raise typer.Exit(Exit.FAILED)


async def _candidates(invocation: Invocation, keep: int) -> "tuple[Image, ...]":
    from otto.cli.pruning import candidates  # noqa: PLC0415  (not for --help)

    async with naming.reading_store(invocation) as store:
        return await candidates(store, keep)


async def _prune(
    invocation: Invocation, images: "tuple[Image, ...]", keep: int, who: "Speaker", note: str
) -> "Pruned":
    """Remove what is still needless: somebody may have promoted one while the question was open."""
    from otto.cli import pruning  # noqa: PLC0415  (not for --help)

    if not images:
        return pruning.Pruned()
    agreed = {image.digest for image in images}
    async with (
        naming.reading_store(invocation) as store,
        invocation.composition.open_foundry(invocation.settings) as foundry,
    ):
        left = [image for image in await pruning.candidates(store, keep) if image.digest in agreed]
        return await pruning.prune(store, foundry.builder, left, who, note)


def _confirm(invocation: Invocation, images: "tuple[Image, ...]") -> None:
    from otto.cli import asking  # noqa: PLC0415  (unless --yes)
    from otto.cli.text import counted  # noqa: PLC0415
    from otto.model.image import short_id  # noqa: PLC0415

    listed = ", ".join(f"{image.name} {short_id(image.digest)}" for image in images)
    question = f"This removes {counted(len(images), 'image')}: {listed}. Go on?"
    asking.agreed(invocation, question, "nothing was removed")


def _told(invocation: Invocation, done: "Pruned", asked: int, *, json: bool) -> None:
    if json:
        from otto.cli import documents  # noqa: PLC0415  (either this or lines)
        from otto.reconcile import imagedocuments  # noqa: PLC0415

        kept = asked - len(done.gone)
        documents.write(invocation.out, imagedocuments.pruned(done.gone, done.failed, kept))
        return
    from otto.cli import tables  # noqa: PLC0415
    from otto.model.image import short_id  # noqa: PLC0415

    if not asked:
        invocation.out.print("every image is needed: nothing was removed")
    for image in done.gone:
        line = tables.words(f"removed {image.name} {short_id(image.digest)}", "green")
        invocation.out.print(line, soft_wrap=True)
    for digest, why in done.failed.items():
        line = tables.words(f"not removed: {short_id(digest)}: {why}", "red")
        invocation.err.print(line, soft_wrap=True)
