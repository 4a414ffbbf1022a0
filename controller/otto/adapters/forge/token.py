"""The forge's token: by reference, read at each use, shown nowhere."""

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from otto.model.errors import UsageError

_LARGEST = 16 * 1024
_SETTING = "forge.token"
# What may stand in a header (RFC 9110, 5.5), without spaces.
_TOKEN = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class Token:
    """A reference to a token.

    Attributes:
        reference: `env:NAME` or `file:PATH`.
    """

    reference: str

    def read(self, environ: Mapping[str, str] | None = None) -> str:
        """The token itself, as it is now: one that is renewed needs no restart.

        Args:
            environ: where a variable is looked up; the process's own when none is given.

        Raises:
            UsageError: the reference is none, or leads to no token, or to a file that others may read.
        """
        kind, _, name = self.reference.partition(":")
        if kind == "env" and name:
            value = (os.environ if environ is None else environ).get(name, "")
        elif kind == "file" and name:
            value = _content(Path(name))
        else:
            mend = f"put the token into a file of mode 0600 and set {_SETTING} to file:PATH"
            raise UsageError(f"{_SETTING} is no reference", mend=mend)
        if not _TOKEN.fullmatch(value.strip()):
            raise UsageError(f"{_SETTING}: {kind}:{name} holds no token", mend="put the token there")
        return value.strip()


def _content(path: Path) -> str:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode):
                raise UsageError(f"{_SETTING}: {path} is no file", mend="name a file of mode 0600")
            if mode & 0o077:
                raise UsageError(f"{_SETTING}: others may read {path}", mend=f"chmod 600 {path}")
            return file.read(_LARGEST).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{_SETTING}: {path} cannot be read", mend="create the file, mode 0600") from error
