"""The ways to tell people: one a line, in a place of their own, since their addresses hold secrets."""

import os
import re
import shlex
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from otto.model.errors import UsageError

_SETTING = "notify.urls"
_MOST = 20
_LARGEST = 64 * 1024
_LINE = re.compile(r"([a-z][a-z0-9+.-]{0,30})://\S.*")
_COMMAND = "command:"
_BREAKS = re.compile(r"[/?&=:@#,+\s]+")
# Of the other schemes the part after `://` is often a token.
_WITH_HOST = frozenset(
    ("json", "jsons", "xml", "xmls", "form", "forms", "mailto", "mailtos", "mmost", "mmosts")
)
# Receivers of programs: text stays as it is. All others are chats, or as good as.
_EXACT = _WITH_HOST - {"mmost", "mmosts"}
_MARKDOWN = frozenset(("mmost", "mmosts", "rocket", "rockets"))
# `json://…?:message=text` makes a JSON webhook one in Slack's format.
_SLACK_FORMAT = re.compile(r"[?&](?::|%3a)message=text(?:&|$)", re.IGNORECASE)
_SHORTEST, _TELLING = 5, 12


@dataclass(frozen=True, slots=True)
class Way:
    """One way to tell people.

    Attributes:
        number: its line, from 1 on.
        address: an address as Apprise knows them, "" for a command; holds secrets.
        command: an executable and its arguments, none for an address; may hold secrets.
    """

    number: int
    address: str = field(default="", repr=False)
    command: tuple[str, ...] = field(default=(), repr=False)

    @property
    def scheme(self) -> str:
        """What kind of address it is: `json`, `mailto`, …; "" for a command."""
        return self.address.partition("://")[0].lower()

    @property
    def name(self) -> str:
        """What it is called where secrets must not be: `line 2, mailto://mail.example`."""
        if self.command:
            return f"line {self.number}, {Path(self.command[0]).name}"
        return f"line {self.number}, {self.scheme}://{self.host}"

    @property
    def host(self) -> str:
        """Its host as far as it may be shown, "…" where what stands in its place may be a secret."""
        return _host(self.address) if self.scheme in _WITH_HOST else "…"

    @property
    def exact(self) -> bool:
        """Whether what receives it at its address takes text as it is, and reads nothing out of it."""
        return self.scheme in _EXACT and not self.markdown

    @property
    def markdown(self) -> bool:
        """Whether what receives it reads Markdown."""
        return self.scheme in _MARKDOWN or (
            self.scheme in ("json", "jsons") and _SLACK_FORMAT.search(self.address) is not None
        )

    def scrub(self, text: str) -> str:
        """A text without any part of the address or of the arguments that could be a secret."""
        for secret in sorted(self._secrets(), key=len, reverse=True):
            text = text.replace(secret, "***")
        return text

    @property
    def texts(self) -> tuple[str, ...]:
        """Its texts that hold secrets: the address, or the arguments."""
        return (self.address,) if self.address else self.command[1:]

    def parts(self, text: str) -> frozenset[str]:
        """The parts of one of its texts, but for what may be shown: its scheme and `host`."""
        return frozenset(_BREAKS.split(text)) - {self.scheme, self.host}

    def _secrets(self) -> frozenset[str]:
        found = {part for text in self.texts for part in (text, *self.parts(text))}
        found |= {unquote(part) for part in found}
        return frozenset(part for part in found if len(part) >= _SHORTEST)


def open_ways(reference: str, environ: Mapping[str, str]) -> tuple[Way, ...]:
    """The ways that a reference leads to, none when it is empty.

    Args:
        reference: `env:NAME` or `file:PATH`.
        environ: where a variable is looked up.

    Raises:
        UsageError: it is no reference, leads nowhere, to a file that others may read, or to what is no way.
    """
    if not reference:
        return ()
    kind, _, name = reference.partition(":")
    if kind == "env" and name:
        if not environ.get(name, "").strip():
            mend = f"set {name}, one way a line"
            raise UsageError(f"{_SETTING}: the variable {name} is not set", mend=mend)
        text = environ[name]
    elif kind == "file" and name:
        text = _content(Path(name))
    else:
        mend = f"put the ways into a file of mode 0600 and set {_SETTING} to file:PATH"
        raise UsageError(f"{_SETTING} is no reference", mend=mend)
    ways = tuple(_ways(text))
    if not 0 < len(ways) <= _MOST:
        mend = f"name at least one, at most {_MOST}"
        raise UsageError(f"{_SETTING}: there are {len(ways)} ways", mend=mend)
    return ways


def secrets_of(ways: Iterable[Way]) -> Iterator[str]:
    """What no log may show: the addresses, their passwords, and what in them looks like a token."""
    for way in ways:
        for text in way.texts:
            telling = (part for part in way.parts(text) if len(part) >= _TELLING and not part.isalpha())
            yield text
            yield from map(unquote, telling)
            yield _password(text)


def _ways(text: str) -> Iterator[Way]:
    for number, line in enumerate(text.splitlines(), 1):
        words = line.strip()
        if words and not words.startswith("#"):
            yield _way(number, words)


def _way(number: int, words: str) -> Way:
    if words.startswith(_COMMAND):
        return Way(number, command=_command(number, words.removeprefix(_COMMAND)))
    if not _LINE.fullmatch(words):
        # What stands there is not shown: it may be a secret.
        mend = "write SCHEME://… as Apprise has it, or command:/PATH ARGUMENTS; # begins a comment"
        raise UsageError(f"{_SETTING}: line {number} is no way to tell anybody", mend=mend)
    return Way(number, address=words)


def _command(number: int, words: str) -> tuple[str, ...]:
    try:
        command = tuple(shlex.split(words))
    except ValueError:
        command = ()
    if not command or not Path(command[0]).is_absolute():
        mend = "write command:/PATH ARGUMENTS, quoted as for a shell"
        raise UsageError(f"{_SETTING}: line {number} names no executable by its full path", mend=mend)
    return command


def _content(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            if not stat.S_ISREG(mode):
                raise UsageError(f"{_SETTING}: {path} is no file", mend="name a file of mode 0600")
            if mode & 0o077:
                raise UsageError(f"{_SETTING}: others may read {path}", mend=f"chmod 600 {path}")
            return stream.read(_LARGEST).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        words = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        mend = "create the file, of mode 0600, one way a line"
        raise UsageError(f"{_SETTING}: {path} cannot be read: {words}", mend=mend) from error


def _host(address: str) -> str:
    """The host, "…" where what looks like one may be a part of a password that nobody has escaped."""
    try:
        found = urlsplit(address)
    except ValueError:
        return "…"
    mail = found.scheme in ("mailto", "mailtos")
    rest = found.path if mail else f"{found.path}{found.query}{found.fragment}"
    return "…" if "@" in rest else found.hostname or "…"


def _password(address: str) -> str:
    try:
        return unquote(urlsplit(address).password or "")
    except ValueError:
        return ""
