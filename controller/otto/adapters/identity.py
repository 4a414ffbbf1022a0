"""What makes one OTTO_HOME itself: its owner mark and its SSH key, each made once and never again."""

import os
import re
import secrets
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from otto.model.errors import TerminalError

_OWNER = re.compile(r"[0-9a-f]{8}")
_KEYGEN_TIMEOUT = 20.0


@dataclass(frozen=True, slots=True)
class Identity:
    """Who this controller is.

    Attributes:
        owner: eight hex digits in the labels of everything it makes.
        key: path of its private SSH key (0600).
        public_key: the line that goes into `authorized_keys`.
    """

    owner: str
    key: Path
    public_key: str


def identity(home: Path) -> Identity:
    """Read a home's identity, making what is missing.

    Two processes that start at once agree: whoever links a file first wins, and the other reads it.

    Raises:
        TerminalError: a file is damaged or cannot be made.
    """
    keys = home / "keys"
    for folder in (home, keys):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _once(home / "owner", secrets.token_hex(4) + "\n")
    owner = (home / "owner").read_text(encoding="ascii", errors="replace").strip()
    if not _OWNER.fullmatch(owner):
        mend = "restore it from a backup: what this home made carries its mark"
        raise TerminalError(f"{home / 'owner'} does not hold eight hex digits", mend=mend)
    key = keys / "id_ed25519"
    if not key.exists():
        _make_key(key, owner)
    return Identity(owner, key, _public_half(key))


def _once(path: Path, text: str) -> None:
    if path.exists():
        return
    with tempfile.NamedTemporaryFile("w", dir=path.parent, encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
        _link(Path(file.name), path)


def _make_key(key: Path, owner: str) -> None:
    with tempfile.TemporaryDirectory(dir=key.parent) as folder:
        fresh = Path(folder) / "key"
        _keygen("-q", "-t", "ed25519", "-N", "", "-C", f"otto-{owner}", "-f", str(fresh))
        _link(fresh, key)


def _public_half(key: Path) -> str:
    """Derived every time, so that there is nothing to get out of step."""
    return _keygen("-y", "-f", str(key)).strip()


def _link(fresh: Path, path: Path) -> None:
    """Put a finished file in place unless there is one; never half of one."""
    try:
        os.link(fresh, path)
    except FileExistsError:
        return


def _keygen(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["ssh-keygen", *arguments],
            capture_output=True,
            text=True,
            check=True,
            timeout=_KEYGEN_TIMEOUT,
            stdin=subprocess.DEVNULL,
        )
    except FileNotFoundError as error:
        raise TerminalError("ssh-keygen is missing", mend="apt-get install openssh-client") from error
    except (subprocess.SubprocessError, OSError) as error:
        raise TerminalError(f"ssh-keygen failed: {type(error).__name__}", mend="otto doctor") from error
    return done.stdout
