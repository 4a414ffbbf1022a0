"""`otto images promote` and `revoke`: which image a channel points at, and which is used no more."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from otto.cli import naming, options, speaking, telling
from otto.cli.invocation import Invocation
from otto.cli.running import run
from otto.model.image import STABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otto.cli.gallery import Gallery
    from otto.decide.channels import Promotion, Revocation
    from otto.model.image import Image
    from otto.model.saying import Speaker
    from otto.ports import Store


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
    invocation = Invocation.of(context)
    who, why = speaking.speaker(invocation, by), speaking.reason(reason)
    found, moved, heard = run(_promote(invocation, image, to, who, why))
    sites = found.sites(_moved_to(found, moved))
    if json:
        from otto.cli import documents, imagedocuments  # noqa: PLC0415  (either this or a line)

        documents.write(invocation.out, imagedocuments.promoted(moved, sites, heard.value))
        return
    _say(invocation, [_promoted(moved, sites) + telling.LATER[heard]])


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
    invocation = Invocation.of(context)
    who, why = speaking.speaker(invocation, by), speaking.reason(reason, needed=True)
    found, revoked, back, heard = run(_revoke(invocation, image, who, why, undo=undo))
    if json:
        from otto.cli import documents, imagedocuments  # noqa: PLC0415  (either this or lines)

        documents.write(invocation.out, imagedocuments.revoked(found, revoked, back, heard.value))
        return
    _say(invocation, [revoked.entry.summary + telling.LATER[heard], *_consequences(found, revoked, back)])


async def _promote(
    invocation: Invocation, text: str, to: str, who: "Speaker", why: str
) -> "tuple[Gallery, Promotion, telling.Heard]":
    from otto.cli.gallery import gallery  # noqa: PLC0415  (not for --help)
    from otto.decide import channels, imaging  # noqa: PLC0415

    async with naming.reading_store(invocation) as store:
        found = await gallery(store)
        image = found.pick(imaging.candidate_of(text, found.images))
        moved = channels.promote(image, to, found.channels, who, why)
        if not moved.moves:
            return found, moved, telling.Heard.YES
        # On record before it counts, as all that allows more than before.
        await store.ledger.append(moved.entry)
        await store.images.point(moved.channel)
        found = await gallery(store)
    return found, moved, await telling.tell_of_images(invocation)


async def _revoke(
    invocation: Invocation, text: str, who: "Speaker", why: str, *, undo: bool
) -> "tuple[Gallery, Revocation, tuple[Promotion, ...], telling.Heard]":
    from otto.cli.gallery import gallery  # noqa: PLC0415  (not for --help)
    from otto.decide import channels, imaging  # noqa: PLC0415

    async with naming.reading_store(invocation) as store:
        found = await gallery(store)
        image = imaging.pick_fixed(text, found.images, found.channels)
        revoked = channels.revoke(image, found.channels, who, why, undo=undo)
        # Again, where it was cut off between the two.
        back = () if undo else channels.fall_back(revoked.image, found.images, found.channels, who)
        if not revoked.changes and not back:
            return found, revoked, (), telling.Heard.YES
        if revoked.changes:
            await _record(store, revoked, undo=undo)
        for moved in back:
            await store.ledger.append(moved.entry)
            await store.images.point(moved.channel)
        found = await gallery(store)
    return found, revoked, back, await telling.tell_of_images(invocation)


async def _record(store: "Store", revoked: "Revocation", *, undo: bool) -> None:
    """What allows more than before is on record before it counts; what allows less counts at once."""
    if undo:
        await store.ledger.append(revoked.entry)
    await store.images.revoke(revoked.image.digest, revoked.image.revoked)
    if not undo:
        await store.ledger.append(revoked.entry)


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
