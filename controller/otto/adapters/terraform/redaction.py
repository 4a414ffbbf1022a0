"""Secrets out: known values and well-known shapes, before a text leaves the adapter."""

import json
import re
from collections.abc import Collection
from urllib.parse import quote

MASK = "[redacted]"
LIMIT = 4000
_SHORTEST = 5  # shorter values would blank half of every text, and guard nothing

_KEYS = r"(?:pass(?:word|wd|phrase)?|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential)"
_SHAPES = (
    # PEM (RFC 7468) and OpenSSH private keys, cut off or not
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    # user information in a URL (RFC 3986, 3.2.1)
    re.compile(r"(?<=://)[^\s/@:\"']*:[^\s/@\"']+(?=@)"),
    # Authorization headers (RFC 7617, RFC 6750)
    re.compile(r"(?i)(?<=bearer )[A-Za-z0-9._~+/=-]{8,}|(?<=basic )[A-Za-z0-9+/=]{8,}"),
    # key ids and tokens that name themselves: AWS, GitHub, GitLab, DigitalOcean, Google
    re.compile(
        r"\b(?:A[KS]IA[A-Z0-9]{16}|gh[pousr]_\w{20,}|glpat-[\w-]{20,}|do[por]_v1_\w{20,}|AIza[\w-]{35})"
    ),
    # name = value, "name": "value", name: value; quotes may be escaped inside JSON text
    re.compile(
        rf"(?i)(?<![A-Za-z])[\w-]*{_KEYS}[\w-]*\\?[\"']?\s*[:=]\s*\\?[\"']?(?P<value>[^\s\"'\\,;}}]{{3,}})"
    ),
)


def redact(text: str, secrets: Collection[str] = (), limit: int | None = LIMIT) -> str:
    """A text without secrets, cut in the middle when it is longer than the limit.

    Args:
        text: what a tool printed.
        secrets: values known to be secret; also found escaped as in JSON or in a URL.
        limit: most characters to keep, None for all.
    """
    for value in sorted(_forms(secrets), key=len, reverse=True):
        text = text.replace(value, MASK)
    for shape in _SHAPES:
        text = shape.sub(_mask, text)
    return text if limit is None else shorten(text, limit)


def shorten(text: str, limit: int) -> str:
    """The beginning and the end of a text that is too long."""
    if len(text) <= limit:
        return text
    left_out = f"\n… {len(text) - limit} characters left out …\n"
    half = limit // 2
    return text[:half] + left_out + text[len(text) - half :]


def holds_secret(text: str, secrets: Collection[str]) -> bool:
    """Whether any of the known values stands in the text, plain or escaped."""
    return any(value in text for value in _forms(secrets))


def _forms(secrets: Collection[str]) -> set[str]:
    known = [value for value in secrets if len(value) >= _SHORTEST]
    escaped = {json.dumps(v, ensure_ascii=ascii_only)[1:-1] for v in known for ascii_only in (True, False)}
    return set(known) | escaped | {quote(value, safe="") for value in known}


def _mask(match: re.Match[str]) -> str:
    if "value" not in match.re.groupindex:
        return MASK
    start = match.start("value") - match.start()
    return match.group(0)[:start] + MASK
