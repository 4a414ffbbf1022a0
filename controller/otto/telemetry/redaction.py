"""Nothing that is logged may hold a secret, forge a line, or move a terminal's cursor."""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any
from urllib.parse import quote

MASK = "[redacted]"
LIMIT = 16_384

_SHORTEST = 5  # masking shorter values would blank half of every text, and guard nothing
_DEEPEST = 8
_MANY_LINES = frozenset({"exception", "stack"})

_WORDS = r"(?:pass(?:word|wd|phrase)|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential)"
_NAMES = re.compile(rf"(?i){_WORDS}s?$|^(?:set-)?cookie$|authorization$")
_SHAPES = (
    # PEM (RFC 7468) and OpenSSH private keys, cut off or not
    re.compile(
        r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)", re.DOTALL
    ),
    # user information in a URL (RFC 3986, 3.2.1): a password, or a token alone over https
    re.compile(r"(?<=://)[^\s/@:\"']{0,256}:[^\s/@\"']{1,1024}(?=@)|(?<=https://)[^\s/@:\"']{1,1024}(?=@)"),
    # HTTP: Authorization (RFC 9110, 11.6.2) and cookies (RFC 6265)
    re.compile(r"(?i)(?:proxy-)?authorization\\?[\"']?\s{0,4}[:=]\s{0,4}\\?[\"']?(?P<value>[^\r\n\"']+)"),
    re.compile(r"(?i)cookie\\?[\"']?\s{0,4}:\s{0,4}\\?[\"']?(?P<value>[^\r\n\"']+)"),
    re.compile(r"(?i)\b(?:bearer|basic)\s(?P<value>[A-Za-z0-9._~+/=-]{8,})"),
    # tokens that name themselves: AWS, GitHub, GitLab, DigitalOcean, Google, Slack, JSON Web Tokens
    re.compile(r"\bA[KS]IA[A-Z0-9]{16}\b|\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{20,}"),
    re.compile(r"\bdo[por]_v1_\w{20,}|\bAIza[\w-]{35}|\bya29\.[\w-]{20,}|\bxox[abprs]-[\w-]{10,}"),
    # our own
    re.compile(r"\botto_[0-9A-Za-z]{40,}"),
    re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]*"),
    # name = value, "name": "value", name: value; quotes may be escaped inside JSON text
    re.compile(
        rf"(?i){_WORDS}[\w-]{{0,20}}\\?[\"']?\s{{0,4}}(?:=>|[:=])\s{{0,4}}"
        r"(?:\\?\"(?P<value>[^\"\\]+)|\\?'(?P<value2>[^'\\]+)|(?P<value3>[^\s\"'\\,;&}\])]+))"
    ),
)

Entry = MutableMapping[str, Any]


def promises_secret(name: str) -> bool:
    """Whether what goes by this name is most likely a secret: `db_password`, `AWS_SECRET_ACCESS_KEY`."""
    return _NAMES.search(name) is not None


class Redactor:
    """Scrubs texts and whole log entries; knows the shapes of secrets, and values it was told.

    It is a structlog processor: the last one before an entry is rendered, after exceptions became text.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._forms: tuple[str, ...] = ()
        self.register(*secrets)

    def register(self, *secrets: str) -> None:
        """Mask these values from now on, also as they look inside JSON or a URL."""
        known = set(self._forms)
        for secret in secrets:
            if len(secret) >= _SHORTEST:
                known |= {secret, secret.strip(), quote(secret, safe="")}
                known |= {json.dumps(secret, ensure_ascii=plain)[1:-1] for plain in (True, False)}
        self._forms = tuple(sorted(known, key=len, reverse=True))

    def scrub(self, text: str, *, lines: bool = False) -> str:
        """A text without secrets and control characters, cut when it is very long.

        Args:
            text: anything.
            lines: leave line ends as they are, instead of writing them as an escape.
        """
        text = text[: 4 * LIMIT]  # what follows is cut off in the end, and searching it would take long
        for secret in self._forms:
            text = text.replace(secret, MASK)
        for shape in _SHAPES:
            text = shape.sub(_mask, text)
        return _visible(_shortened(text), lines=lines)

    def __call__(
        self, _logger: object, _method: str, entry: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """Scrub an entry."""
        for key in list(entry):
            if key.startswith("_"):  # structlog's own, never rendered
                continue
            value = self._field(key, entry[key], 0)
            if not key.isprintable():
                del entry[key]
            entry[_visible(key, lines=False)] = value
        return entry

    def _field(self, key: str, value: object, depth: int) -> object:
        if value is None or isinstance(value, bool | int | float):
            return value
        if promises_secret(key):
            return MASK
        return self._value(value, depth, lines=key in _MANY_LINES)

    def _value(self, value: object, depth: int, *, lines: bool = False) -> object:
        if value is None or isinstance(value, bool | int | float):
            return value
        if depth < _DEEPEST and isinstance(value, Mapping):
            return {(name := self.scrub(str(k))): self._field(name, v, depth + 1) for k, v in value.items()}
        if depth < _DEEPEST and isinstance(value, list | tuple | set | frozenset):
            return [self._value(item, depth + 1) for item in value]
        return self.scrub(_text(value), lines=lines)


def _text(value: object) -> str:
    if isinstance(value, bytes | bytearray):
        return value.decode(errors="replace")
    try:
        return str(value)
    except Exception:  # noqa: BLE001  (a log line must never bring down what it tells of)
        return f"<{type(value).__name__} that has no text>"


def _mask(match: re.Match[str]) -> str:
    named = [name for name, found in match.groupdict().items() if found is not None]
    if not named:
        return MASK
    start, end = (place - match.start() for place in match.span(named[0]))
    return match.group(0)[:start] + MASK + match.group(0)[end:]


def _shortened(text: str) -> str:
    return text if len(text) <= LIMIT else f"{text[:LIMIT]}… ({len(text) - LIMIT} more characters)"


def _visible(text: str, *, lines: bool) -> str:
    """Control and direction-changing characters as escapes (Unicode categories Cc, Cf, Cs, Zl, Zp)."""
    if text.isprintable():
        return text
    kept = "\n\t" if lines else ""
    return "".join(
        letter if letter.isprintable() or letter in kept or not _moves(letter) else _escape(letter)
        for letter in text
    )


def _moves(letter: str) -> bool:
    return unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp")


def _escape(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")
