"""Digests of the roles: what names a role is what its files hold, wherever they lie."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

# What every role works with changes all of them; every host has `base`, so it carries them.
_SHARED = ("site.yml", "plugins")
_CARRIER = "base"


def role_digests(folder: Path) -> dict[str, str]:
    """Role -> digest of its files (paths, executable bits, bytes).

    Args:
        folder: `infra/ansible`.
    """
    digests = {}
    for role in sorted(path for path in (folder / "roles").iterdir() if path.is_dir()):
        tops = [role, *(folder / name for name in _SHARED)] if role.name == _CARRIER else [role]
        digests[role.name] = _digest(folder, [file for top in tops for file in _files(top)])
    return digests


def _files(top: Path) -> Iterator[Path]:
    if top.is_file():
        yield top
        return
    for path in sorted(top.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path


def _digest(folder: Path, files: list[Path]) -> str:
    summed = hashlib.sha256()
    for file in files:
        executable = b"x" if file.stat().st_mode & 0o100 else b"-"
        content = hashlib.sha256(file.read_bytes()).digest()
        summed.update(str(file.relative_to(folder)).encode() + b"\0" + executable + content)
    return summed.hexdigest()
