"""What is in an image, read from a tar archive of its file system: nothing of it is ever run or unpacked."""

import hashlib
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from otto.adapters.packer import dpkg, pythons
from otto.model.errors import TerminalError
from otto.model.image import Package

_CHUNK = 1 << 20
_LARGEST_TEXT = 64 << 20
_MOST_FILES = 20_000
# Made anew by whoever needs them, and of no one's making: they would differ in every build.
_VOLATILE = ("var/lib/dpkg/", "var/cache/", "var/lib/apt/", "dev/", "proc/", "sys/", "run/", "tmp/")
_COMPILED = "/__pycache__/"
# Set by the engine in every host.
_ENGINES = frozenset({"etc/hosts", "etc/hostname", "etc/resolv.conf", ".dockerenv", "run/.containerenv"})
# What must not be in an image, though it is on every machine that ran.
_KEYS = ("authorized_keys", "id_rsa", "id_ed25519", "id_ecdsa", ".bash_history", ".python_history")
_SECRET_FOLDERS = (
    "var/lib/otto/",
    "var/lib/apt/lists/",
    "var/cache/apt/archives/",
    "var/log/",
    "root/.ansible/",
    "tmp/",
    "var/tmp/",
)
_FORBIDDEN = frozenset(
    {
        "etc/otto/configuration.json",
        "etc/otto/managed.json",
        "var/lib/systemd/random-seed",
        "var/lib/systemd/credential.secret",
        "var/lib/dbus/machine-id",
    }
)
# Debian's packages ship these where logs and lists go; they say nothing of a machine.
_HARMLESS = frozenset({"var/log/README", "var/lib/apt/lists/lock", "var/cache/apt/archives/lock"})


@dataclass(frozen=True, slots=True)
class Contents:
    """What an image holds.

    Attributes:
        packages: installed ones, sorted.
        files: path -> SHA-256 of files that are nobody's package's, or differ from it.
        leftovers: what the building machine should not have left in it, in words.
    """

    packages: tuple[Package, ...]
    files: Mapping[str, str]
    leftovers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    sha256: str
    md5: str
    size: int


def read(archive: Path) -> Contents:
    """Read an archive.

    Raises:
        TerminalError: it is none, or there is no Debian system in it.
    """
    entries: dict[str, _Entry] = {}
    notes = _Notes()
    try:
        with tarfile.open(archive, "r|*") as tar:
            for path, data in _files(tar):
                entries[path] = _summed(data)
                notes.read(path, data)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise TerminalError(f"the image's file system cannot be read: {error}") from error
    if not notes.status:
        raise TerminalError("the image holds no Debian system: it has no /var/lib/dpkg/status")
    sizes = {path: entry.size for path, entry in entries.items()}
    return Contents(notes.packages(), _own(entries, notes.brought()), leftovers(sizes))


class _Notes:
    """What an image's package managers note down.

    Attributes:
        status: dpkg's, "" while it was not come to.
    """

    def __init__(self) -> None:
        self.status = ""
        self._sums: dict[str, str] = {}
        self._pythons: list[Package] = []

    def read(self, path: str, data: bytes) -> None:
        """Take note of a file, if it says anything."""
        if path == dpkg.STATUS:
            self.status = _text(data)
        elif path.startswith(dpkg.SUMS[0]) and path.endswith(dpkg.SUMS[1]):
            self._sums |= dpkg.sums(_text(data))
        elif found := pythons.note(path):
            self._read_python(found, _text(data))

    def _read_python(self, note: pythons.Note, text: str) -> None:
        if note.kind == pythons.RECORD:
            self._sums |= pythons.files(note.folder, text)
        elif package := pythons.package(text):
            self._pythons.append(package)

    def packages(self) -> tuple[Package, ...]:
        """All packages, sorted by name. Those of Python that are Debian's are told of once, as Debian's."""
        debian = dpkg.packages(self.status)
        return tuple(sorted((*debian, *self._pythons), key=lambda item: (item.name, item.architecture)))

    def brought(self) -> dict[str, str]:
        """Files that packages brought -> their MD5 or SHA-256."""
        return self._sums | dpkg.configuration_files(self.status)


def leftovers(sizes: Mapping[str, int]) -> tuple[str, ...]:
    """What should not be in an image, in words.

    Args:
        sizes: file -> size in bytes; paths without the leading slash.
    """
    return tuple(f"/{path} {why}" for path, size in sorted(sizes.items()) if (why := _left(path, size)))


def _left(path: str, size: int) -> str:
    name = PurePosixPath(path).name
    if path == "etc/machine-id":
        return "holds an id" if size else ""
    if path in _HARMLESS:
        return ""
    if path.startswith("etc/ssh/ssh_host_") or (name in _KEYS and path.startswith(("root/", "home/"))):
        return "belongs to one machine alone"
    if path in _FORBIDDEN:
        return "is what a machine that ran has"
    return "was left by the build" if path.startswith(_SECRET_FOLDERS) else ""


def _own(entries: Mapping[str, _Entry], known: Mapping[str, str]) -> dict[str, str]:
    """Files that no package brought as they are, with a leading slash; so many at most."""
    own = {
        f"/{path}": entry.sha256
        for path, entry in sorted(entries.items())
        if known.get(path) not in (entry.md5, entry.sha256)
        and path not in _ENGINES
        and not path.startswith(_VOLATILE)
        and _COMPILED not in f"/{path}"
    }
    return dict(list(own.items())[:_MOST_FILES])


def _files(tar: tarfile.TarFile) -> Iterator[tuple[str, bytes]]:
    for member in tar:
        path = member.name.removeprefix("./").lstrip("/")
        if member.isreg() and (file := tar.extractfile(member)):
            yield path, file.read()


def _summed(data: bytes) -> _Entry:
    md5 = hashlib.md5(data, usedforsecurity=False)  # dpkg's own sums
    return _Entry(hashlib.sha256(data).hexdigest(), md5.hexdigest(), len(data))


def _text(data: bytes) -> str:
    return data[:_LARGEST_TEXT].decode("utf-8", "replace")
