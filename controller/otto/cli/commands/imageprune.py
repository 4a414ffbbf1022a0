"""`otto images prune`: images that nobody needs are removed."""

from typing import TYPE_CHECKING, Annotated

import typer

from otto.cli import options, speaking
from otto.cli.exits import Exit
from otto.cli.invocation import Invocation
from otto.cli.running import run

if TYPE_CHECKING:
    from otto.model.image import Image
    from otto.reconcile.pruning import Pruned


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
    from otto.desk.builds import PruneImages, SeeNeedless  # noqa: PLC0415  (not for --help)
    from otto.reconcile.pruning import Pruned  # noqa: PLC0415

    invocation = Invocation.of(context)
    why = speaking.reason(note)
    images = run(invocation.desk.ask(SeeNeedless(keep)))
    if images and not yes:
        _confirm(invocation, images)
    wish = PruneImages(tuple(image.digest for image in images), keep, why, by)
    done = run(invocation.desk.ask(wish)) if images else Pruned()
    _told(invocation, done, len(images), json=json)
    if done.failed:
        raise typer.Exit(Exit.FAILED)


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
