"""Metrics of golden images."""

from collections import Counter as Tally
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Gauge

from otto.model.image import Channel, Image
from otto.telemetry.labels import label


class ImageMetrics:
    """Families about the index of images."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._images = Gauge(
            "otto_images",
            "Golden images of the index, by name, and whether they are revoked.",
            ("image", "revoked"),
            registry=registry,
        )
        self._moved = Gauge(
            "otto_image_channel_moved_timestamp",
            "When a channel was last pointed at an image.",
            ("image", "channel"),
            unit="seconds",
            registry=registry,
        )
        self._bad = Gauge(
            "otto_image_channel_bad",
            "1 while a channel points at an image that is revoked or gone: what follows it waits.",
            ("image", "channel"),
            registry=registry,
        )

    def images(self, images: Sequence[Image], channels: Sequence[Channel]) -> None:
        """Show the index as it is."""
        for family in (self._images, self._moved, self._bad):
            family.clear()
        counts = Tally((image.name, bool(image.revoked)) for image in images)
        for name in {image.name for image in images}:
            for revoked in (False, True):
                shown = self._images.labels(label(name), str(revoked).lower())
                shown.set(counts[name, revoked])
        good = {(image.name, image.digest) for image in images if not image.revoked}
        for channel in channels:
            names = (label(channel.image), label(channel.name))
            self._moved.labels(*names).set(channel.at.timestamp())
            self._bad.labels(*names).set((channel.image, channel.digest) not in good)
