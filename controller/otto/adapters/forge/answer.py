"""What an answer of a forge's API means, by its status and headers.

Rate limits: GitHub, "Rate limits for the REST API" (403 or 429, `retry-after`, `x-ratelimit-remaining` and
`-reset`, else a minute); GitLab, "Rate limits" (429, `Retry-After`, `RateLimit-Reset`); RFC 9110, 10.2.3.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from otto.model.errors import TerminalError, TransientError
from otto.model.text import one_line

_WORDS = 300
_LONGEST_WAIT = 3600.0
_A_MINUTE = 60.0
_RENEWED = 300.0
_SEE_OTHER, _MOVED, _FOUND = 303, 301, 302
_KEPT_METHOD = frozenset({301, 302, 307, 308})
_UNAUTHORIZED, _FORBIDDEN, _MISSING, _TOO_SLOW, _TOO_MANY = 401, 403, 404, 408, 429
_GOOD, _TURNS, _BAD, _SERVER = 200, 300, 400, 500
_NO_CONTENT = frozenset({204, 205})


@dataclass(frozen=True, slots=True)
class Reply:
    """A good answer: its status, its JSON (None when it has no body), its headers in lower case."""

    status: int
    data: Any
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Turn:
    """A redirect; `by_get` where the method changes on the way."""

    location: str
    by_get: bool


class RefusalError(TerminalError):
    """The API will not do what was asked.

    Args:
        status: of HTTP.
        said: what the API said, one line.
        message: as for `OttoError`.
        mend: as for `OttoError`.
    """

    def __init__(self, status: int, said: str, message: str, *, mend: str = "") -> None:
        super().__init__(message, mend=mend)
        self.status = status
        self.said = said
        self.result = "refused" if status == _FORBIDDEN else "rejected"


class TokenError(TransientError):
    """The token is none, or none any more: it may be renewed, and then nothing of what waits is lost."""

    result = "refused"

    def __init__(self, message: str, *, mend: str = "renew the token that forge.token leads to") -> None:
        super().__init__(message, retry_after=_RENEWED, mend=mend)


class LimitedError(TransientError):
    """We asked too often."""

    result = "limited"


def judged(status: int, headers: Mapping[str, str], body: bytes, about: str, now: float) -> Reply | Turn:
    """What an answer means.

    Args:
        status: of HTTP.
        headers: of the answer.
        body: of the answer.
        about: what was asked for, in words.
        now: seconds since 1970.

    Raises:
        TransientError: asking again later may help.
        TerminalError: it will not.
    """
    low = {name.lower(): value for name, value in headers.items()}
    if _GOOD <= status < _TURNS:
        return Reply(status, None if status in _NO_CONTENT or not body else _json(body, about), low)
    if status in _KEPT_METHOD or status == _SEE_OTHER:
        return Turn(low.get("location", ""), status == _SEE_OTHER)
    said = _said(body)
    if _is_limit(status, low, said):
        wait = _wait(low, now)
        raise LimitedError(f"{about}: we asked too often; asked again in {wait:.0f} s", retry_after=wait)
    told = f": {said}" if said else ""
    if status >= _SERVER or status == _TOO_SLOW or status < _BAD:
        # The header alone says when: a server in trouble knows nothing of limits.
        wait_ = _seconds(low.get("retry-after", ""), now)
        raise TransientError(f"{about}: it answered {status}{told}", retry_after=wait_)
    if status == _UNAUTHORIZED:
        raise TokenError(f"{about}: it answered {status}{told}")
    raise RefusalError(status, said, f"{about}: it answered {status}{told}", mend=_mend(status))


def _mend(status: int) -> str:
    if status in (_FORBIDDEN, _MISSING):
        return "see whether the token may do that at this repository"
    return ""


def _json(body: bytes, about: str) -> Any:  # noqa: ANN401  (JSON is what it is until a reader takes it)
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise TransientError(f"{about}: it answered what is no JSON; is forge.api its API?") from None


def _said(body: bytes) -> str:
    """What an error says of itself: `message`, in all three APIs, or `error` (GitLab)."""
    try:
        data = json.loads(body[: 64 * 1024])
    except (ValueError, RecursionError):
        return ""
    if not isinstance(data, Mapping):
        return ""
    said = data.get("message") or data.get("error") or ""
    more = data.get("errors")
    words = said if isinstance(said, str) else json.dumps(said)
    return one_line(f"{words} {json.dumps(more)}" if more else words, _WORDS)


def _is_limit(status: int, headers: Mapping[str, str], said: str) -> bool:
    if status == _TOO_MANY:
        return True
    if status != _FORBIDDEN:
        return False
    none_left = headers.get("x-ratelimit-remaining") == "0" or headers.get("ratelimit-remaining") == "0"
    return none_left or "retry-after" in headers or "rate limit" in said.lower()


def _wait(headers: Mapping[str, str], now: float) -> float:
    """Seconds to wait, between one and an hour."""
    wait = _seconds(headers.get("retry-after", ""), now)
    for name in ("x-ratelimit-reset", "ratelimit-reset"):
        if wait is None and headers.get(name, "").isdigit():
            # A moment more: clocks differ.
            wait = float(headers[name][:12]) - now + 1.0
    return min(_LONGEST_WAIT, max(1.0, _A_MINUTE if wait is None else wait))


def _seconds(text: str, now: float) -> float | None:
    """A `Retry-After`, in seconds or as a date, None when it is neither."""
    if text.isdigit():
        return min(_LONGEST_WAIT, float(text[:12]))
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(_LONGEST_WAIT, max(0.0, (at - datetime.fromtimestamp(now, UTC)).total_seconds()))
