"""Where images are made and tried, as the builder needs it; the lab has such a place (`otto.lab.workshop`).

All methods block, some for minutes, and raise only errors of `otto.model.errors`.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from otto.model.host import Host
from otto.model.progress import Report


class Trial(Protocol):
    """A host made of an image, to be looked at and tried."""

    def export(self, archive: Path) -> None:
        """Write its file system, as it is in the image, as a tar archive."""

    def boot(self, cancelled: Callable[[], bool]) -> Host:
        """Boot it as a host is.

        Args:
            cancelled: whether nobody waits for it any more.
        """


class Workshop(Protocol):
    """A provider's part in making images."""

    @property
    def owner(self) -> str:
        """Whose it is: the mark of what is made."""

    @property
    def base(self) -> str:
        """What images begin with: a reference that is a digest of what went into it."""

    def ready(self, report: Report) -> str:
        """Have the place up, and the base image in it; its reference."""

    def locked(self, name: str) -> AbstractContextManager[int]:
        """Have an image to oneself."""

    def tools(self, folder: Path, search: str) -> Mapping[str, str]:
        """What Packer needs in its environment, whose PATH would be `search`."""

    def room(self, name: str) -> Sequence[str]:
        """Room for the machine an image is made in, and the arguments of `docker run` that make it there."""

    def find(self, reference: str) -> str:
        """Id of an image by its name or id, "" when there is none."""

    def built(self, name: str, digest: str) -> str:
        """Id of what was built from the inputs of this digest, and has a name; "" for nothing."""

    def name(self, artifact: str, name: str, digest: str) -> None:
        """Give an image its name."""

    def discard(self, artifact: str) -> None:
        """Remove an image, as far as it is ours; gone already is fine."""

    def sweep(self, name: str) -> int:
        """Remove what earlier builds of an image left; how many things that was."""

    def pack_base(self, name: str, folder: Path) -> Path:
        """Put what images begin with into an archive in a folder, for an image that takes it along."""

    def trial(
        self, artifact: str, name: str, size: str, *, nested: bool = False
    ) -> AbstractContextManager[Trial]:
        """A host of an image, not booted yet; gone when the block ends.

        Args:
            artifact: the image's id.
            name: what it is an image of.
            size: of the host, as specs name it.
            nested: whether it makes containers of its own.
        """
