#!/usr/bin/python3
"""Lays a release of a site's files beside the others and switches to it in one step."""

# Of the kind Ansible calls JSONARGS, as otto_state is, for the same reason.

from __future__ import annotations

import base64
import fcntl
import hashlib
import io
import json
import os
import re
import shutil
import stat
import sys
import tarfile
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

TYPE_CHECKING = False  # importing it would cost time
if TYPE_CHECKING:
    from typing import IO, Any

DOCUMENTATION = r"""
module: otto_release
short_description: Unpack a content archive as a release and switch to it atomically
description:
  - With O(look) it only says whether the release is there, whole, and current.
  - Unpacks below a name nobody serves, then renames; an interrupted run never becomes current.
  - A release whose files differ from the archive is mended file by file, each by a rename, so that
    visitors see every file whole at any moment.
options:
  revision: {description: Id of the release., type: str, required: true}
  digest: {description: Digest of the files the release has to hold., type: str, required: true}
  look: {description: Change nothing., type: bool, default: false}
  archive: {description: Path of the tar on this host; not needed for a release that is there., type: path}
  packed: {description: "Instead of its path, the tar itself: compressed by zlib, in base64.", type: str}
  root: {description: Folder of the releases., type: path, default: /srv/otto}
  keep: {description: How many releases stay., type: int, default: 3}
  repair: {description: Lay the files anew although they seem right., type: bool, default: false}
author: [OttO]
"""

RETURN = r"""
present: {description: Whether the release is whole on this host., type: bool, returned: always}
current: {description: Whether it is the one served., type: bool, returned: always}
revision: {description: Id of the release., type: str, returned: always}
digest: {description: Digest of the release's files., type: str, returned: always}
pruned: {description: Releases removed., type: list, elements: str, returned: with an archive}
"""

ARGUMENTS = r"""<<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>"""
FILE_MODE = 0o644
FOLDER_MODE = 0o755
LOCK_SECONDS = 30
SPARE_BYTES = 16 * 1024 * 1024
REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")

Line = tuple[bytes, bytes, int, bytes]


class RefusedError(Exception):
    """The archive or the host cannot be used as they are; the message is for people."""


def tree_digest(lines: Iterable[Line]) -> str:
    """One digest of sorted (path, kind, mode, digest) lines; `otto.fact` computes the same."""
    summed = hashlib.sha256()
    for path, kind, mode, value in sorted(lines):
        summed.update(b"%s\0%o\0%s\0%s\0" % (kind, mode, path, value))
    return summed.hexdigest()


def file_digest(path: Path) -> bytes:
    """SHA-256 of a file, as the bytes of its hexadecimal form."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest().encode()


def described(root: Path) -> Iterator[Line]:
    """(path, kind, mode, digest) of everything below a folder."""
    for path in root.rglob("*"):
        status = path.lstat()
        name, mode = os.fsencode(path.relative_to(root)), stat.S_IMODE(status.st_mode)
        if stat.S_ISREG(status.st_mode):
            yield name, b"f", mode, file_digest(path)
        elif stat.S_ISDIR(status.st_mode):
            yield name, b"d", mode, b""
        elif stat.S_ISLNK(status.st_mode):
            yield name, b"l", mode, hashlib.sha256(os.fsencode(path.readlink())).hexdigest().encode()
        else:
            yield name, b"o", mode, b""


def safe_name(member: tarfile.TarInfo) -> PurePosixPath | None:
    """A member's path below the site's folder, None for the folder itself."""
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts:
        raise RefusedError(f"the archive names {member.name!r}, which lies outside the site's folder")
    if not (member.isreg() or member.isdir()):
        raise RefusedError(f"the archive holds {member.name!r}, which is neither a file nor a folder")
    return path if path.parts else None


def opened(wanted: dict[str, Any]) -> IO[bytes]:
    """The tar that came along, by its path or itself."""
    if wanted.get("packed"):
        return io.BytesIO(zlib.decompress(base64.b64decode(wanted["packed"])))
    if wanted.get("archive"):
        return Path(wanted["archive"]).open("rb")
    raise RefusedError("it is not on this host, and no archive was given")


def size_of(file: IO[bytes]) -> int:
    """How many bytes an open file has."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    return size


def unpack(archive: IO[bytes], folder: Path) -> None:
    """Write the files of a tar below a new folder.

    A file's time stamp is made from its bytes: nginx builds an ETag from time and size, and so every
    web server gives the same one, and another one for other bytes of the same length.
    """
    folder.mkdir(FOLDER_MODE, parents=True)
    with tarfile.open(fileobj=archive) as tar:
        for member in tar:
            name = safe_name(member)
            if name is None:
                continue
            target = folder / name
            if member.isdir():
                target.mkdir(FOLDER_MODE, parents=True, exist_ok=True)
                continue
            target.parent.mkdir(FOLDER_MODE, parents=True, exist_ok=True)
            source = tar.extractfile(member)
            if source is not None:  # it is a file, so there is one
                write(target, source)


def write(target: Path, source: IO[bytes]) -> None:
    """Write one file, its time stamp made from its bytes."""
    summed = hashlib.sha256()
    with target.open("xb") as file:
        while block := source.read(1 << 20):
            summed.update(block)
            file.write(block)
    target.chmod(FILE_MODE)
    stamp = int.from_bytes(summed.digest()[:4], "big") >> 1
    os.utime(target, (stamp, stamp))


def remove(path: Path) -> None:
    """Remove a file, a link or a folder with all it holds."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def mend(site: Path, fresh: Path) -> None:
    """Make a served folder equal to a fresh one, each file by a rename: none is ever missing or half."""
    wanted = {path.relative_to(fresh) for path in fresh.rglob("*")}
    for name in sorted(wanted, key=lambda name: len(name.parts)):
        target, source = site / name, fresh / name
        if source.is_dir():
            if target.is_symlink() or not target.is_dir():
                remove(target)
                target.mkdir()
            target.chmod(FOLDER_MODE)
        else:
            if target.is_dir() and not target.is_symlink():
                remove(target)
            source.replace(target)
    for path in sorted(site.rglob("*"), key=lambda path: -len(path.parts)):
        if path.relative_to(site) not in wanted:
            remove(path)


class Releases:
    """The releases below a root folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "releases"
        self.link = root / "current"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the releases alone, so that a run left over from a killed controller cannot interfere."""
        self.folder.mkdir(FOLDER_MODE, parents=True, exist_ok=True)
        with (self.root / ".lock").open("w") as file:
            deadline = time.monotonic() + LOCK_SECONDS
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise RefusedError(
                            f"another deployment has been at work for {LOCK_SECONDS} s"
                        ) from None
                    time.sleep(0.1)
            yield

    def whole(self, revision: str, digest: str) -> bool:
        """Whether a release is on the host with exactly the files it should have."""
        release = self.folder / revision
        try:
            marked = (release / "revision").read_text("utf-8") == revision
            return marked and tree_digest(described(release / "site")) == digest
        except OSError:
            return False

    def current(self) -> str | None:
        """The release that is served, None when none is."""
        try:
            return self.link.readlink().name
        except OSError:
            return None

    def lay(self, revision: str, digest: str, archive: IO[bytes]) -> None:
        """Unpack a release; on return it is there, whole."""
        self.tidy()
        self.make_room(archive)
        fresh = self.folder / f".{revision}.partial"
        unpack(archive, fresh / "site")
        found = tree_digest(described(fresh / "site"))
        if found != digest:
            raise RefusedError(f"the archive's files have digest {found}, but {digest} was announced")
        (fresh / "revision").write_text(revision, "utf-8")
        release = self.folder / revision
        if (release / "site").is_dir() and not (release / "site").is_symlink():
            mend(release / "site", fresh / "site")
            (fresh / "revision").replace(release / "revision")
        else:
            remove(release)
            fresh.rename(release)
        for folder in (release, release / "site"):
            folder.chmod(FOLDER_MODE)
        self.tidy()

    def make_room(self, archive: IO[bytes]) -> None:
        """Refuse before anything is written what the disk cannot hold."""
        need = size_of(archive) + SPARE_BYTES
        free = shutil.disk_usage(self.folder).free
        if free < need:
            raise RefusedError(f"{self.folder} has {free} bytes free, the release needs {need}")

    def tidy(self) -> None:
        """Remove what interrupted runs left."""
        for path in self.folder.glob(".*.partial"):
            remove(path)

    def switch(self, revision: str) -> None:
        """Serve a release from the next request on: one rename."""
        os.utime(self.folder / revision / "revision")
        if self.current() == revision:
            return
        if self.link.is_dir() and not self.link.is_symlink():
            remove(self.link)
        temporary = self.root / ".current"
        remove(temporary)
        temporary.symlink_to(Path("releases") / revision)
        temporary.replace(self.link)

    def prune(self, keep: int) -> list[str]:
        """Remove all but the releases used last; the names of those removed."""

        def used(path: Path) -> float:
            mark = path / "revision"
            return mark.stat().st_mtime if mark.exists() else 0.0

        served = self.current()
        others = [path for path in self.folder.iterdir() if path.name != served]
        others.sort(key=used, reverse=True)
        gone = others[max(keep - 1, 0) :]
        for path in gone:
            remove(path)
        return [path.name for path in gone]


def deploy(releases: Releases, wanted: dict[str, Any]) -> dict[str, Any]:
    """Bring a release to the host and serve it; what to tell Ansible."""
    revision, digest = wanted["revision"], wanted["digest"]
    if not REVISION.fullmatch(revision):
        raise RefusedError("this cannot name a release")
    present = releases.whole(revision, digest)
    current = releases.current() == revision
    right = present and current and not wanted.get("repair")
    result = {"revision": revision, "digest": digest, "present": present, "current": current}
    result["changed"] = not right
    if right or wanted.get("look") or wanted.get("_ansible_check_mode"):
        return result
    if not present or wanted.get("repair"):
        with opened(wanted) as archive:
            releases.lay(revision, digest, archive)
    releases.switch(revision)
    return result | {"present": True, "current": True, "pruned": releases.prune(wanted.get("keep", 3))}


def main() -> None:
    """Run as an Ansible module."""
    os.umask(0o022)
    wanted = json.loads(ARGUMENTS)
    revision = str(wanted.get("revision"))
    try:
        releases = Releases(Path(wanted.get("root", "/srv/otto")))
        with releases.locked():
            answer = deploy(releases, wanted)
    except (RefusedError, OSError, tarfile.TarError, EOFError, ValueError, zlib.error) as error:
        answer = {"failed": True, "msg": f"release {revision}: {error}"}
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.exit(bool(answer.get("failed")))


if __name__ == "__main__":
    main()
