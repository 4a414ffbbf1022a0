"""Secrets by reference, `env:NAME` or `file:PATH`: several, one a line, while one takes another's place."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from otto.model.errors import TerminalError, UsageError

SHORTEST = 16
"""Characters of a secret at least: shorter ones are guessed."""

_LARGEST = 64 * 1024
_MOST = 10


def open_secrets(setting: str, reference: str, environ: Mapping[str, str]) -> tuple[bytes, ...]:
    """The secrets a reference leads to; none when it is empty.

    Args:
        setting: what the reference is the value of, for messages.
        reference: `env:NAME` or `file:PATH`.
        environ: where a variable is looked up.

    Raises:
        UsageError: it is no reference, leads nowhere or to a file that others may read, or a secret is short.
    """
    if not reference:
        return ()
    kind, _, name = reference.partition(":")
    if kind == "env" and name:
        text = environ.get(name, "")
    elif kind == "file" and name:
        text = _content(setting, Path(name))
    else:
        raise UsageError(f"{setting} is no reference", mend="set it to env:NAME or file:PATH")
    found = tuple(line.strip() for line in text.splitlines() if line.strip())
    if not 0 < len(found) <= _MOST:
        raise UsageError(f"{setting}: there are {len(found)} secrets at {kind}:{name}", mend="put one there")
    if min(map(len, found)) < SHORTEST:
        mend = "make one: openssl rand -hex 32"
        raise UsageError(f"{setting}: a secret has less than {SHORTEST} characters", mend=mend)
    return tuple(secret.encode() for secret in found)


def one_secret(reference: str, environ: Mapping[str, str]) -> str:
    """All that a reference in a spec leads to, whatever it is: a key, or a file of credentials.

    Args:
        reference: `env:NAME` or `file:PATH`.
        environ: where a variable is looked up.

    Raises:
        TerminalError: it leads nowhere, or to a file that others may read.
    """
    kind, _, name = reference.partition(":")
    if kind == "file" and name:
        found = _content("a reference of a spec", Path(name))
    elif kind == "env" and name:
        found = environ.get(name, "")
    else:
        raise TerminalError(f"{kind}: is no kind of reference that leads to a secret here")
    if not found.strip():
        raise TerminalError(f"there is no secret at {kind}:{name}", mend="put it there, and start OttO again")
    return found


def _content(setting: str, path: Path) -> str:
    try:
        with path.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            if not stat.S_ISREG(mode):
                raise UsageError(f"{setting}: {path} is no file", mend="name a file of mode 0600")
            if mode & 0o077:
                raise UsageError(f"{setting}: others may read {path}", mend=f"chmod 600 {path}")
            return stream.read(_LARGEST).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        words = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"{setting}: {path} cannot be read: {words}", mend="create it, mode 0600") from error
