"""The golden images there are, and who uses them, out of the store."""

from collections.abc import Mapping
from dataclasses import dataclass

from otto.decide import channels as channeling
from otto.decide import imaging
from otto.model.image import Channel, Image
from otto.model.spec import SiteSpec
from otto.ports import Store


@dataclass(frozen=True, slots=True)
class Gallery:
    """What the store knows of images.

    Attributes:
        images: all of the index, newest first.
        channels: all of the index.
        specs: site -> its last good spec.
        runs_on: host -> id of the image it was made from, as states have it.
    """

    images: tuple[Image, ...]
    channels: tuple[Channel, ...]
    specs: Mapping[str, SiteSpec]
    runs_on: Mapping[str, str]

    def pick(self, text: str) -> Image:
        """The image a person means.

        Raises:
            UsageError: there is none, or there are several.
        """
        return imaging.pick(text, self.images, self.channels)

    def pointing(self, image: Image) -> tuple[Channel, ...]:
        """Channels that point at an image."""
        return channeling.pointing_at(image, self.channels)

    def sites(self, image: Image) -> tuple[str, ...]:
        """Sites whose specs mean an image."""
        return imaging.following(self.specs, channeling.names_of(image, self.pointing(image)))

    def hosts(self, image: Image) -> tuple[str, ...]:
        """Hosts that run an image."""
        ids = {artifact.id for artifact in image.artifacts.values()}
        return tuple(sorted(host for host, of in self.runs_on.items() if of in ids))

    def better(self, image: Image) -> Image | None:
        """The newest other image of the same name that may be used."""
        others = (one for one in self.images if one.name == image.name and one.digest != image.digest)
        return next(filter(channeling.fit, others), None)


async def gallery(store: Store) -> Gallery:
    """Read it.

    Raises:
        OttoError: the store cannot be read.
    """
    return Gallery(
        images=await store.images.images(),
        channels=await store.images.channels(),
        specs={site: known.spec for site, known in (await store.remembered()).items()},
        runs_on={
            host.name: host.image for status in await store.statuses() for host in status.hosts if host.image
        },
    )


async def used(store: Store, found: Gallery) -> Mapping[str, str]:
    """Who uses which image: digest or artifact id -> words.

    What a site was last put in place with counts, too, and what it had before: it goes back to these.

    Raises:
        OttoError: the store cannot be read.
    """
    words: dict[str, str] = {}
    for site in sorted({*found.specs, *(status.site for status in await store.statuses())}):
        applied = await store.applied(site)
        for wish, why in (
            (applied.previous, "goes back to it"),
            (applied.desired, "was put in place with it"),
        ):
            words |= dict.fromkeys(wish.images.values() if wish else (), f"site {site} {why}")
    for site, spec in found.specs.items():
        fixed = {name.digest for name in imaging.named_by(spec) if name.digest}
        words |= dict.fromkeys(fixed, f"the spec of {site} names it")
    return words | {image: f"host {host} runs on it" for host, image in found.runs_on.items()}
