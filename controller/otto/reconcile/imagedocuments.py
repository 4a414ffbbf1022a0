"""What `otto images … --json` prints."""

from collections.abc import Iterable, Mapping

from otto.decide.channels import Promotion, Revocation
from otto.decide.imagediff import ImageDifference
from otto.model.canonical import Data, to_data
from otto.model.image import Image
from otto.reconcile.gallery import Gallery

Document = dict[str, Data]


def listed(found: Gallery, images: Iterable[Image]) -> Document:
    """What `otto images list --json` prints."""
    return {"images": [_summary(found, image) for image in images]}


def shown(found: Gallery, image: Image) -> Document:
    """What `otto images show --json` prints; the SBOM goes by itself."""
    return {
        **_summary(found, image),
        "channels": [to_data(channel) for channel in found.pointing(image)],
        "inputs": dict(image.inputs),
        "packages": [to_data(package) for package in image.packages],
        "files": dict(image.files),
    }


def differing(before: Image, after: Image, found: ImageDifference) -> Document:
    """What `otto images diff --json` prints."""
    data = to_data(found)
    parts = data if isinstance(data, dict) else {}
    return {"before": _named(before), "after": _named(after), **parts}


def promoted(found: Promotion, sites: Iterable[str], heard: str) -> Document:
    """What `otto images promote --json` prints."""
    return {
        "channel": to_data(found.channel),
        "before": found.before or None,
        "moved": found.moves,
        "sites": [*sites],
        "heard": heard,
    }


def revoked(found: Gallery, said: Revocation, back: Iterable[Promotion], heard: str) -> Document:
    """What `otto images revoke --json` prints."""
    image = said.image
    moved: list[Data] = [
        {"channel": one.channel.name, "digest": one.channel.digest, "before": one.before} for one in back
    ]
    return {
        **_named(image),
        "revoked": image.revoked,
        "changed": said.changes,
        "moved": moved,
        "channels": [channel.name for channel in found.pointing(image)],
        "sites": [*found.sites(image)],
        "hosts": [*found.hosts(image)],
        "heard": heard,
    }


def pruned(gone: Iterable[Image], failed: Mapping[str, str], kept: int) -> Document:
    """What `otto images prune --json` prints."""
    return {"pruned": [_named(image) for image in gone], "failed": dict(failed), "kept": kept}


def _named(image: Image) -> Document:
    return {"name": image.name, "digest": image.digest}


def listed_image(found: Gallery, image: Image) -> Document:
    """One image of a list, without who uses it."""
    return {
        **_named(image),
        "parent": image.parent,
        "built_at": to_data(image.built_at),
        "commit": image.commit,
        "revoked": image.revoked,
        "channels": [channel.name for channel in found.pointing(image)],
        "artifacts": {provider: to_data(built) for provider, built in sorted(image.artifacts.items())},
        "packages": len(image.packages),
    }


def _summary(found: Gallery, image: Image) -> Document:
    return {
        **listed_image(found, image),
        "sites": [*found.sites(image)],
        "hosts": [*found.hosts(image)],
    }
