"""Golden images: built once, named by what went into them, found by channel or digest."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

CANDIDATE = "candidate"
STABLE = "stable"
BASE = "base"
"""The provider's plain system: no golden image, and always there."""


def short_id(image: str, length: int = 12) -> str:
    """The first digits of an image's digest or id, for people, without the algorithm."""
    return image.removeprefix("sha256:")[:length]


@dataclass(frozen=True, slots=True)
class ImageName:
    """An image as a spec names it: `nginx`, `nginx@candidate` or `nginx@sha256:…`.

    Attributes:
        name: the image's name.
        channel: the channel that is followed; "" with a fixed digest, and for `base`.
        digest: the fixed digest, `sha256:` and 64 hexadecimal digits; "" where a channel is followed.
    """

    name: str
    channel: str = ""
    digest: str = ""

    def __str__(self) -> str:
        """As a spec would write it; the stable channel goes without saying."""
        if self.digest or self.channel not in ("", STABLE):
            return f"{self.name}@{self.digest or self.channel}"
        return self.name


@dataclass(frozen=True, slots=True)
class Package:
    """A package of an image, from the image's own package database.

    Attributes:
        name: its name.
        version: its version.
        architecture: "" for a package of Python's.
        source: the source package it was built from; `pypi` for a package of Python's.
    """

    name: str
    version: str
    architecture: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Smoke:
    """How an image's smoke test went: it was booted and asked.

    Attributes:
        passed: whether everything held.
        checks: what was asked, in words, with what came.
        seconds: how long it took, from the request to boot to the last answer.
    """

    passed: bool
    checks: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Artifact:
    """What a build left at one provider: an id of the provider's own, and how its smoke test went."""

    id: str
    built_at: datetime
    smoke: Smoke


@dataclass(frozen=True, slots=True)
class Image:
    """A golden image, as the index has it.

    Attributes:
        name: `nginx`, `haproxy`, `otto` or `clowd`.
        digest: names everything that went in: template, roles, base, variables (`sha256:…`).
        parent: digest or reference of what it was built on.
        inputs: what the digest is made of, by name: `template`, `roles`, `base`, `variables`.
        artifacts: provider -> what was built there.
        built_at: when the first artifact was.
        commit: commit of OttO's own repository it was built from, "" outside of one.
        packages: what it holds, sorted by name.
        files: path -> SHA-256 of the files that are nobody's package's, or differ from it.
        sbom: a CycloneDX document (JSON text).
        revoked: why it must not be used any more, "" while it may.
    """

    name: str
    digest: str
    parent: str
    built_at: datetime
    inputs: Mapping[str, str] = field(default_factory=dict)
    artifacts: Mapping[str, Artifact] = field(default_factory=dict)
    commit: str = ""
    packages: tuple[Package, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    sbom: str = ""
    revoked: str = ""

    @property
    def light(self) -> "Image":
        """This image without its CycloneDX document, which is long."""
        return replace(self, sbom="")

    def beside(self, known: "Image | None") -> "Image":
        """This image, built again or for another provider, with what the index knows of its digest.

        Artifacts of other providers stay, the first build's time too, and a revocation: what was built from
        the same inputs is no better the second time.
        """
        if known is None:
            return self
        return replace(
            self,
            artifacts={**known.artifacts, **self.artifacts},
            built_at=min(known.built_at, self.built_at),
            revoked=known.revoked or self.revoked,
        )


@dataclass(frozen=True, slots=True)
class Channel:
    """A name that points at an image, and who moved it there.

    Attributes:
        image: name of the images it points at.
        name: its own.
        digest: of the image it points at.
        at: when it was moved there.
        by: who moved it.
        reason: why, in their words.
        before: digests of the images it pointed at earlier, the latest first; a few.
    """

    image: str
    name: str
    digest: str
    at: datetime
    by: str
    reason: str = ""
    before: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Build:
    """What an image builder is asked for, and everything the answer depends on.

    Attributes:
        name: which image.
        provider: for which provider.
        digest: digest of `inputs`.
        inputs: name -> digest of what goes in.
        parent: what it is built on.
        anew: whether it is built even where the provider has it already.
    """

    name: str
    provider: str
    digest: str
    inputs: Mapping[str, str]
    parent: str
    anew: bool = False
