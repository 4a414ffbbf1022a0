"""What differs between two golden images: packages, files, and what they were built from."""

from collections.abc import Mapping
from dataclasses import dataclass

from otto.model.image import Image


@dataclass(frozen=True, slots=True)
class Changed:
    """Something that both have, and that differs.

    Attributes:
        name: what: a package (with its architecture where that tells it apart), a path, an input.
        before: version or digest in the first.
        after: the same in the second.
    """

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Differing:
    """What differs between two mappings; names are sorted.

    Attributes:
        added: in the second alone, with its version or digest.
        removed: in the first alone, with its version or digest.
        changed: in both.
    """

    added: Mapping[str, str]
    removed: Mapping[str, str]
    changed: tuple[Changed, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


@dataclass(frozen=True, slots=True)
class ImageDifference:
    """What differs between two images."""

    inputs: Differing
    packages: Differing
    files: Differing

    def __bool__(self) -> bool:
        return bool(self.inputs or self.packages or self.files)


def difference(before: Image, after: Image) -> ImageDifference:
    """What differs between two images."""
    return ImageDifference(
        differing(_inputs(before), _inputs(after)),
        differing(_packages(before), _packages(after)),
        differing(before.files, after.files),
    )


def differing(before: Mapping[str, str], after: Mapping[str, str]) -> Differing:
    """What differs between two mappings."""
    return Differing(
        {name: after[name] for name in sorted(after.keys() - before.keys())},
        {name: before[name] for name in sorted(before.keys() - after.keys())},
        tuple(
            Changed(name, before[name], after[name])
            for name in sorted(before.keys() & after.keys())
            if before[name] != after[name]
        ),
    )


def _inputs(image: Image) -> Mapping[str, str]:
    return {**image.inputs, "parent": image.parent}


def _packages(image: Image) -> Mapping[str, str]:
    """Versions by name; a name that several architectures or versions share is told apart by them."""
    named: dict[str, list[tuple[str, str]]] = {}
    for package in image.packages:
        named.setdefault(package.name, []).append((package.architecture, package.version))
    found: dict[str, str] = {}
    for name, several in named.items():
        for architecture, version in sorted(several):
            key = name if len(several) == 1 else f"{name}:{architecture}"
            found[key] = f"{found[key]}, {version}" if key in found else version
    return found
