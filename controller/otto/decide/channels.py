"""Moving channels, revoking images, and which images nobody needs: what is allowed, and what is recorded."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from otto.decide.imaging import channel_name
from otto.model.errors import UsageError
from otto.model.history import AuditEntry
from otto.model.image import Channel, Image, ImageName, short_id
from otto.model.saying import Speaker

# How many images a channel remembers that it pointed at.
_REMEMBERED = 10


@dataclass(frozen=True, slots=True)
class Promotion:
    """A channel's move.

    Attributes:
        channel: as it is from now on.
        before: digest it pointed at, "" for a new one.
        entry: for the audit record.
    """

    channel: Channel
    before: str
    entry: AuditEntry

    @property
    def moves(self) -> bool:
        """Whether it points anywhere else than before."""
        return self.before != self.channel.digest


@dataclass(frozen=True, slots=True)
class Revocation:
    """An image's revocation, or the end of it.

    Attributes:
        image: as it is from now on.
        pointing: channels that point at it, sorted.
        entry: for the audit record.
        changes: whether anything is otherwise than before.
    """

    image: Image
    pointing: tuple[Channel, ...]
    entry: AuditEntry
    changes: bool

    @property
    def names(self) -> tuple[ImageName, ...]:
        """By which names specs mean it."""
        return names_of(self.image, self.pointing)


def promote(image: Image, to: str, channels: Iterable[Channel], who: Speaker, why: str) -> Promotion:
    """Have a channel point at an image.

    Args:
        image: which.
        to: the channel's name.
        channels: all there are.
        who: who moves it.
        why: why, in their words.

    Raises:
        UsageError: no channel can be called so, or the image is not fit for hosts anywhere.
    """
    to = channel_name(to)
    told = f"image {image.name} {short_id(image.digest)}"
    if image.revoked:
        mend = f"choose another: otto images list {image.name}"
        raise UsageError(f"{told} is revoked: {image.revoked}", mend=mend)
    if not fit(image):
        mend = f"otto images build {image.name}"
        raise UsageError(f"{told} did not pass its smoke test at any provider", mend=mend)
    known = next((one for one in channels if (one.image, one.name) == (image.name, to)), None)
    earlier = (known.digest, *known.before) if known else ()
    before = known.digest if known else ""
    detail = {"image": image.name, "channel": to, "digest": image.digest, "before": before, "as": who.account}
    coming_from = f", from {short_id(before)}" if before else ""
    summary = f"{image.name}@{to} points at {short_id(image.digest)}{coming_from}"
    entry = AuditEntry(who.at, who.name, "promote", summary=summary, reason=why, detail=detail)
    others = tuple(one for one in earlier if one != image.digest)[:_REMEMBERED]
    moved = Channel(image.name, to, image.digest, who.at, who.name, why, others)
    return Promotion(moved, before, entry)


def fall_back(
    revoked: Image, images: Iterable[Image], channels: Sequence[Channel], who: Speaker
) -> tuple[Promotion, ...]:
    """Have channels that point at a revoked image go back to the last one they pointed at that is good.

    A channel that never pointed at another good one stays where it is; what follows it waits for a person.

    Args:
        revoked: the image, revoked.
        images: all there are.
        channels: all there are.
        who: who revokes it.
    """
    known, found = [image for image in images if image.digest != revoked.digest], []
    for channel in pointing_at(revoked, channels):
        last = last_good(channel, known)
        if last is not None:
            why = f"{short_id(revoked.digest)} was revoked: {revoked.revoked}"
            found.append(promote(last, channel.name, channels, who, why))
    return tuple(found)


def last_good(channel: Channel, images: Iterable[Image]) -> Image | None:
    """The latest image that a channel pointed at earlier and that may be used; None for none.

    Args:
        channel: the channel.
        images: all there are.
    """
    good = {image.digest: image for image in images if image.name == channel.image and fit(image)}
    return next((good[digest] for digest in channel.before if digest in good), None)


def fit(image: Image) -> bool:
    """Whether hosts may be made from an image anywhere: it is not revoked, and passed its smoke test."""
    return not image.revoked and any(built.smoke.passed for built in image.artifacts.values())


def revoke(
    image: Image, channels: Iterable[Channel], who: Speaker, why: str, *, undo: bool = False
) -> Revocation:
    """Have an image not be used any more, or used again.

    Args:
        image: which.
        channels: all there are.
        who: who says so.
        why: why, in their words; not empty.
        undo: whether it may be used again.

    Raises:
        UsageError: it is not revoked, and that was to be undone.
    """
    told = f"image {image.name} {short_id(image.digest)}"
    if undo and not image.revoked:
        raise UsageError(f"{told} is not revoked", mend=f"otto images list {image.name}")
    reason = "" if undo else why
    what = "unrevoke" if undo else "revoke"
    summary = f"{told} may be used again" if undo else f"{told} must not be used any more"
    detail = {"image": image.name, "digest": image.digest, "as": who.account}
    entry = AuditEntry(who.at, who.name, what, summary=summary, reason=why, detail=detail)
    changed = replace(image, revoked=reason)
    return Revocation(changed, pointing_at(image, channels), entry, image.revoked != reason)


def pointing_at(image: Image, channels: Iterable[Channel]) -> tuple[Channel, ...]:
    """Channels that point at an image, sorted."""
    found = (one for one in channels if (one.image, one.digest) == (image.name, image.digest))
    return tuple(sorted(found, key=lambda one: one.name))


def names_of(image: Image, pointing: Iterable[Channel]) -> tuple[ImageName, ...]:
    """By which names specs mean an image: its digest, and the channels that point at it."""
    by_channel = (ImageName(image.name, channel.name) for channel in pointing)
    return (ImageName(image.name, digest=image.digest), *by_channel)


def needless(
    images: Sequence[Image], channels: Sequence[Channel], used: Mapping[str, str], keep: int
) -> tuple[Image, ...]:
    """Images that nobody needs, oldest first. What a channel would go back to is needed, too.

    Args:
        images: all there are.
        channels: all there are.
        used: digest or artifact id -> who uses it.
        keep: how many of the newest of each name stay in any case; revoked ones are not counted, nor kept.
    """
    pointed = {(channel.image, channel.digest) for channel in channels}
    back = filter(None, (last_good(channel, images) for channel in channels))
    pointed |= {(image.name, image.digest) for image in back}
    kept = _newest(images, keep) | {
        image.digest for image in images if (image.name, image.digest) in pointed or user_of(image, used)
    }
    while parents := {image.parent for image in images if image.digest in kept} - kept:
        kept |= parents
    gone = (image for image in images if image.digest not in kept)
    return tuple(sorted(gone, key=lambda image: (image.built_at, image.digest)))


def user_of(image: Image, used: Mapping[str, str]) -> str:
    """Who uses an image, "" for nobody."""
    ids = (image.digest, *sorted(artifact.id for artifact in image.artifacts.values()))
    return next((used[one] for one in ids if one in used), "")


def _newest(images: Sequence[Image], keep: int) -> set[str]:
    newest: set[str] = set()
    for name in {image.name for image in images}:
        fit = [image for image in images if image.name == name and not image.revoked]
        fit.sort(key=lambda image: (image.built_at, image.digest), reverse=True)
        newest |= {image.digest for image in fit[:keep]}
    return newest
