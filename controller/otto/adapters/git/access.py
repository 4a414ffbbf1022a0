"""Who may fetch what: credentials by host, kept out of addresses, specs, logs and error messages."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from otto.model.errors import TerminalError

_USERINFO = re.compile(r"(?<=//)[^/\s]*@")


@dataclass(frozen=True, slots=True)
class Access:
    """How one host is spoken to.

    Attributes:
        token: reference to a token, `env:NAME` or `file:PATH`; read at each use, never kept.
        username: user name that goes with the token; most hosts take any.
        key: private key for ssh.
        known_hosts: files of pinned host keys (OpenSSH format).
        authority: file of certificate authorities to trust instead of the system's.
    """

    token: str = ""
    username: str = "otto"
    key: Path | None = None
    known_hosts: tuple[Path, ...] = ()
    authority: Path | None = None

    def secret(self) -> str:
        """The token itself, "" when none is set.

        Raises:
            TerminalError: the reference is no reference, or leads nowhere.
        """
        kind, _, name = self.token.partition(":")
        if not self.token:
            return ""
        if kind == "env" and name:
            value = os.environ.get(name, "")
        elif kind == "file" and name:
            value = _content(Path(name))
        else:
            mend = "set it to env:NAME or file:PATH"
            raise TerminalError("the git token is given as itself, not as a reference", mend=mend)
        if not value.strip():
            raise TerminalError(f"the git token is empty ({kind}:{name})", mend="put the token there")
        return value.strip()


def _content(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TerminalError(f"the git token cannot be read from {path}", mend="create the file") from error


@dataclass(frozen=True, slots=True)
class Keyring:
    """Access by host name. A token is only ever sent to the host it stands for.

    Attributes:
        hosts: host name -> access.
        default: what every other host gets; it has no token.
    """

    hosts: Mapping[str, Access] = field(default_factory=dict)
    default: Access = Access()

    def __post_init__(self) -> None:
        if self.default.token:
            raise TerminalError("a git token needs a host it is for")

    def access(self, url: str) -> Access:
        """How to speak to the host of an address."""
        return self.hosts.get(urlsplit(url).hostname or "", self.default)


def without_credentials(text: str) -> str:
    """Text with what stands before the `@` of addresses cut out."""
    return _USERINFO.sub("", text)
