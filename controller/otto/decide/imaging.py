"""What the name of an image stands for, at one provider; and what is wrong when it stands for nothing."""

import contextlib
import difflib
import re
from collections.abc import Iterable, Mapping, Sequence

from otto.model.canonical import digest
from otto.model.errors import TerminalError, UsageError
from otto.model.image import BASE, CANDIDATE, STABLE, Channel, Image, ImageName, short_id
from otto.model.spec import Role, SiteSpec

_PART = "[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?"
_NAME = re.compile(f"(?P<name>{_PART})(?:@(?:(?P<digest>sha256:[0-9a-f]{{64}})|(?P<channel>{_PART})))?")
_CHANNEL = re.compile(_PART)
_LONGEST = 160
_DIGITS = re.compile("[0-9a-f]{6,64}")
_LISTED = 10


def parse(text: str) -> ImageName:
    """An image's name as a spec writes it; `nginx` alone means its stable channel.

    Raises:
        UsageError: it is none.
    """
    found = _NAME.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None:
        mend = "write NAME, NAME@CHANNEL or NAME@sha256:DIGEST"
        raise UsageError(f"{text[:80]!r} is no name of an image", mend=mend)
    name, fixed, channel = found["name"], found["digest"] or "", found["channel"] or ""
    if name == BASE:
        if fixed or channel:
            raise UsageError(f"{BASE} has neither channels nor digests", mend=f"write {BASE} alone")
        return ImageName(BASE)
    return ImageName(name, "" if fixed else channel or STABLE, fixed)


def channel_name(text: str) -> str:
    """The name of a channel.

    Raises:
        UsageError: no channel can be called so.
    """
    if len(text) > _LONGEST or not _CHANNEL.fullmatch(text):
        mend = "lower-case letters, digits, and . _ - between them: stable"
        raise UsageError(f"no channel can be called {text[:80]!r}", mend=mend)
    return text


def artifact(wanted: ImageName, image: Image, provider: str) -> str:
    """Id of what an image is at a provider, fit to make new hosts from.

    Args:
        wanted: the name that led to the image.
        image: the image.
        provider: which provider.

    Raises:
        TerminalError: it is revoked, was not built for the provider, or failed its smoke test there.
    """
    told = called(wanted, image)
    if image.revoked:
        raise TerminalError(f"image {told} is revoked: {image.revoked}", mend=_instead(wanted))
    built = image.artifacts.get(provider)
    again = f"otto images build {image.name} --provider {provider}"
    if built is None:
        others = ", ".join(sorted(image.artifacts)) or "none"
        raise TerminalError(f"image {told} is not built for {provider} (built for: {others})", mend=again)
    if not built.smoke.passed:
        raise TerminalError(f"image {told} did not pass its smoke test at {provider}", mend=again)
    return built.id


def called(wanted: ImageName, image: Image) -> str:
    """A name and what it stands for, for people: `nginx@stable (0123456789ab)`."""
    return f"{wanted.name}@{wanted.channel} ({short_id(image.digest)})" if wanted.channel else _fixed(wanted)


def missing(wanted: ImageName, images: Sequence[Image], channels: Sequence[Channel]) -> TerminalError:
    """Why a name stands for nothing, and what would mend that.

    Args:
        wanted: the name.
        images: all of the index.
        channels: all of the index.
    """
    known = sorted({image.name for image in images})
    if wanted.name not in known:
        return _unknown(wanted.name, known)
    if wanted.digest:
        return _no_digest(wanted, images)
    of_name = {channel.name: channel for channel in channels if channel.image == wanted.name}
    if wanted.channel in of_name:
        gone = short_id(of_name[wanted.channel].digest)
        return TerminalError(f"{_fixed(wanted)} points at image {gone}, which is gone", mend=_instead(wanted))
    return _no_channel(wanted, sorted(of_name))


def standing(images: Iterable[Image], channels: Iterable[Channel]) -> dict[ImageName, str]:
    """What every name stands for, as a digest that is another one whenever hosts would be.

    Args:
        images: all of the index.
        channels: all of the index.
    """
    fixed = {
        ImageName(image.name, digest=image.digest): digest([image.digest, image.artifacts, image.revoked])
        for image in images
    }
    followed = {
        ImageName(channel.image, channel.name): fixed.get(ImageName(channel.image, digest=channel.digest), "")
        for channel in channels
    }
    return fixed | followed


def following(specs: Mapping[str, SiteSpec], names: Iterable[ImageName]) -> tuple[str, ...]:
    """Sites whose specs name one of these, sorted."""
    wanted = frozenset(names)
    return tuple(sorted(site for site, spec in specs.items() if wanted & named_by(spec)))


def named_by(spec: SiteSpec) -> frozenset[ImageName]:
    """The golden images that a spec names; what is no name of one is told where it is resolved."""
    found: set[ImageName] = set()
    for role in Role:
        with contextlib.suppress(UsageError):
            found.add(parse(spec.group(role).image))
    return frozenset(found - {ImageName(BASE)})


def pick(text: str, images: Sequence[Image], channels: Sequence[Channel]) -> Image:
    """The image that a person means: a name as in a spec, a digest, or the first digits of one.

    Args:
        text: what they wrote.
        images: all of the index.
        channels: all of the index.

    Raises:
        UsageError: it means none, or several.
    """
    digits = text.removeprefix("sha256:")
    if _DIGITS.fullmatch(digits) and not any(image.name == text for image in images):
        return _by_digits(text, digits, images)
    wanted = parse(text)
    found = next((image for image in images if stands_for(wanted, image, channels)), None)
    if found is None:
        error = missing(wanted, images, channels)
        raise UsageError(error.message, mend=error.mend)
    return found


def pick_fixed(text: str, images: Sequence[Image], channels: Sequence[Channel]) -> Image:
    """As `pick`, by digest alone: a channel's name may mean another image when the same is said again.

    Raises:
        UsageError: it means none, or several, or follows a channel.
    """
    found = pick(text, images, channels)
    if found.digest.removeprefix("sha256:").startswith(text.rpartition("sha256:")[2]):
        return found
    raise UsageError(
        f"{text} follows a channel, which moves", mend=f"name the image itself: {short_id(found.digest)}"
    )


def candidate_of(text: str, images: Iterable[Image]) -> str:
    """What a person means who promotes: an image's name alone is its candidate."""
    return f"{text}@{CANDIDATE}" if any(image.name == text for image in images) else text


def stands_for(wanted: ImageName, image: Image, channels: Iterable[Channel]) -> bool:
    """Whether a name stands for an image, as far as channels are told."""
    if wanted.digest or image.name != wanted.name:
        return (image.name, image.digest) == (wanted.name, wanted.digest)
    return any(
        (channel.image, channel.name, channel.digest) == (wanted.name, wanted.channel, image.digest)
        for channel in channels
    )


def _by_digits(text: str, digits: str, images: Sequence[Image]) -> Image:
    found = [image for image in images if image.digest.removeprefix("sha256:").startswith(digits)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError(f"there is no image {text}", mend="otto images list")
    listed = ", ".join(f"{image.name} {short_id(image.digest, 20)}" for image in found[:_LISTED])
    raise UsageError(f"{text} means {len(found)} images: {listed}", mend="give more digits")


def _unknown(name: str, known: Sequence[str]) -> TerminalError:
    close = difflib.get_close_matches(name, [*known, BASE], 1)
    mend = f"did you mean {close[0]}? Else: " if close else ""
    listed = ", ".join([BASE, *known])
    return TerminalError(
        f"there is no image {name} (images: {listed})", mend=f"{mend}otto images build {name}"
    )


def _no_digest(wanted: ImageName, images: Sequence[Image]) -> TerminalError:
    other = next((image for image in images if image.digest == wanted.digest), None)
    of_other = f"; that is an image of {other.name}" if other else ""
    message = f"image {wanted.name} has no {wanted.digest} in the index{of_other}"
    return TerminalError(message, mend=f"otto images list {wanted.name}")


def _no_channel(wanted: ImageName, known: Sequence[str]) -> TerminalError:
    close = difflib.get_close_matches(wanted.channel, known, 1)
    listed = ", ".join(known) or "none"
    mend = f"otto images promote {wanted.name}"
    if wanted.channel == CANDIDATE:
        mend = f"otto images build {wanted.name}"
    elif wanted.channel != STABLE:
        mend += f" --to {wanted.channel}"
    if close:
        mend = f"did you mean {wanted.name}@{close[0]}? Else: {mend}"
    return TerminalError(
        f"image {wanted.name} has no channel {wanted.channel} (channels: {listed})", mend=mend
    )


def _fixed(wanted: ImageName) -> str:
    """A name in full: what a person reading an error should not have to guess is the channel."""
    if wanted.digest:
        return f"{wanted.name}@{short_id(wanted.digest)}"
    return f"{wanted.name}@{wanted.channel}"


def _instead(wanted: ImageName) -> str:
    if wanted.digest:
        return f"name another image in the spec: otto images list {wanted.name}"
    return f"move the channel: otto images promote DIGEST --to {wanted.channel}"
