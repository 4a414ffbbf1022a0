"""`otto images promote` and `revoke`: which image a channel points at, and which is used no more."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from otto.cli import options
from otto.cli.invocation import Invocation
from otto.cli.running import run
from otto.model.image import STABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otto.decide.channels import Promotion, Revocation
    from otto.model.image import Image
    from otto.reconcile.gallery import Gallery


def promote(
    context: typer.Context,
    image: Annotated[
        str,
        typer.Argument(
            metavar="IMAGE", help="NAME (its candidate), NAME@CHANNEL, NAME@sha256:…, or first digits."
        ),
    ],
    *,
    to: Annotated[str, typer.Option("--to", metavar="CHANNEL", help="The channel that moves.")] = STABLE,
    reason: options.Note = "",
    by: options.By = None,
    json: options.Json = False,
) -> None:
    """Have a channel point at an image.

    Every site that follows the channel is due at once: its hosts are replaced, under the rules of the guard.
    Only an image that passed its smoke test somewhere can be promoted. It is on record: otto audit.
    """
    from otto.desk.heard import LATER  # noqa: PLC0415  (not for --help)
    from otto.desk.images import Promote  # noqa: PLC0415

    invocation = Invocation.of(context)
    done = run(invocation.desk.ask(Promote(image, to, reason, by)))
    found, moved, heard = done.found, done.promotion, done.heard
    sites = found.sites(_moved_to(found, moved))
    if json:
        from otto.cli import documents  # noqa: PLC0415  (either this or a line)
        from otto.reconcile import imagedocuments  # noqa: PLC0415

        documents.write(invocation.out, imagedocuments.promoted(moved, sites, heard.value))
        return
    _say(invocation, [_promoted(moved, sites) + LATER[heard]])


def revoke(
    context: typer.Context,
    image: Annotated[
        str, typer.Argument(metavar="IMAGE", help="NAME@sha256:…, a digest, or the first digits of one.")
    ],
    *,
    reason: options.Reason,
    undo: Annotated[bool, typer.Option("--undo", help="Take a revocation back.")] = False,
    by: options.By = None,
    json: options.Json = False,
) -> None:
    """Have an image not be used any more.

    No host is made from it from now on, whatever names it. A channel that points at it goes back to the last
    good image it pointed at, and the hosts of the sites that follow it are replaced, under the rules of the
    guard. One that never pointed at another stays: its sites wait, and go on serving, until it moves.
    """
    from otto.desk.heard import LATER  # noqa: PLC0415  (not for --help)
    from otto.desk.images import RevokeImage  # noqa: PLC0415

    invocation = Invocation.of(context)
    done = run(invocation.desk.ask(RevokeImage(image, reason, undo, by)))
    found, revoked, back, heard = done.found, done.revocation, done.back, done.heard
    if json:
        from otto.cli import documents  # noqa: PLC0415  (either this or lines)
        from otto.reconcile import imagedocuments  # noqa: PLC0415

        documents.write(invocation.out, imagedocuments.revoked(found, revoked, back, heard.value))
        return
    _say(invocation, [revoked.entry.summary + LATER[heard], *_consequences(found, revoked, back)])


def _moved_to(found: "Gallery", moved: "Promotion") -> "Image":
    """The image a channel points at since."""
    return next(image for image in found.images if image.digest == moved.channel.digest)


def _promoted(moved: "Promotion", sites: Sequence[str]) -> str:
    from otto.cli.imagepages import named  # noqa: PLC0415  (not for --help)

    if not moved.moves:
        return f"nothing to do: {moved.entry.summary.partition(', from')[0]} already"
    followers = f"followed by {named(tuple(sites), 'site')}" if sites else "no site follows it"
    return f"{moved.entry.summary}; {followers}"


def _consequences(found: "Gallery", revoked: "Revocation", back: "Sequence[Promotion]") -> "Iterator[str]":
    """What becomes of those who use a revoked image, and what a person can do about it."""
    from otto.cli.imagepages import named  # noqa: PLC0415  (not for --help)
    from otto.model.image import short_id  # noqa: PLC0415

    if not revoked.image.revoked:
        return
    for moved in back:
        yield _promoted(moved, found.sites(_moved_to(found, moved)))
    better = found.better(revoked.image)
    digits = short_id(better.digest) if better else "DIGEST"
    for channel in found.pointing(revoked.image):
        yield (
            f"{channel.image}@{channel.name} still points at it, and what follows it waits; to move it: "
            f"otto images promote {digits} --to {channel.name}"
        )
    if sites := found.sites(revoked.image):
        yield f"waiting for another image: {named(sites, 'site')}"
    if hosts := found.hosts(revoked.image):
        yield f"still running it: {named(hosts, 'host')}"


def _say(invocation: Invocation, lines: Sequence[str]) -> None:
    from otto.cli.text import clean  # noqa: PLC0415  (not for --help)

    for line in lines:
        invocation.out.print(clean(line), soft_wrap=True)
