"""Around every request: its id, its line in the log, and the headers of every answer."""

import time
from collections.abc import Iterable
from typing import Protocol

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from otto.api import requestid
from otto.api.problems import Kind, ProblemError, answer, unexpected

log = structlog.get_logger("otto.api")

SECURE = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}
"""What every answer says unless its route says otherwise: nothing of it is kept, framed, or run."""

LONGEST_HEAD = 32 * 1024
MOST_HEADERS = 100
"""Bytes of a request's line and headers, and headers."""

_CLOSE = {"connection": "close"}  # nothing that follows is to be taken for another request
# What a proxy in front may take for a part of a name, and we for the end of one.
_DISGUISED = (b"%2f", b"%5c")
_ONLY_TLS = {"strict-transport-security": "max-age=31536000"}


class Counted(Protocol):
    """Counts requests."""

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one by its method as it was sent, its route's template ("" for none) and its answer."""


class Requests:
    """Middleware: outermost, so that what anything else answers passes through it.

    Args:
        app: the application.
        counted: counts requests; None for nobody.
    """

    def __init__(self, app: ASGIApp, counted: Counted | None = None) -> None:
        self._app = app
        self._counted = counted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        known = requestid.begin(Headers(scope=scope).get(requestid.HEADER, ""))
        more = {requestid.HEADER: known, **SECURE, **(_ONLY_TLS if scope["scheme"] == "https" else {})}
        told = _Told(send, more)
        with structlog.contextvars.bound_contextvars(request=known):
            try:
                wrong = _wrong(scope)
                if wrong is not None:
                    await answer(wrong)(scope, receive, told)
                else:
                    await self._app(scope, receive, told)
            except Exception as error:
                if told.status:  # too late to say so
                    raise
                await (await unexpected(Request(scope), error))(scope, receive, told)
            finally:
                self._tell(scope, told)

    def _tell(self, scope: Scope, told: "_Told") -> None:
        """Have a request in the log, and counted unless its sender went before it was answered."""
        taken = round(time.monotonic() - told.began, 4)
        log.debug(
            "api.answered", method=scope["method"], path=scope["path"], status=told.status, seconds=taken
        )
        if self._counted is not None and told.status:
            route = getattr(scope.get("route"), "path_format", "")
            self._counted.answered(scope["method"], route, told.status, told.seconds)


class _Told:
    """Sends an answer, completes its headers, and knows when it began.

    Attributes:
        began: when the request did, by `time.monotonic`.
        status: of the answer, 0 while there is none.
        seconds: from the one to the other.
    """

    def __init__(self, send: Send, more: dict[str, str]) -> None:
        self._send = send
        self._more = more
        self.began = time.monotonic()
        self.status = 0
        self.seconds = 0.0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._begin(message["status"])
            _complete(MutableHeaders(scope=message), self._more.items())
        await self._send(message)

    def _begin(self, status: int) -> None:
        self.status, self.seconds = int(status), time.monotonic() - self.began


def _complete(headers: MutableHeaders, more: Iterable[tuple[str, str]]) -> None:
    for name, value in more:
        headers.setdefault(name, value)


def _wrong(scope: Scope) -> ProblemError | None:
    """What is wrong with the head of a request, whatever it asks for."""
    names = [name.lower() for name, _ in scope["headers"]]
    if _size(scope) > LONGEST_HEAD or len(names) > MOST_HEADERS:
        detail = f"a request has at most {MOST_HEADERS} headers, and with its line {LONGEST_HEAD} bytes"
        return ProblemError(Kind.HEAD_TOO_LARGE, detail, headers=_CLOSE)
    if b"transfer-encoding" in names and b"content-length" in names:
        # Where such a body ends, two servers may see differently (RFC 9112, sections 6.1 and 11.2).
        detail = "a body has either Content-Length or Transfer-Encoding"
        return ProblemError(Kind.MALFORMED, detail, headers=_CLOSE)
    if _is_torn(scope):
        return ProblemError(Kind.MALFORMED, "a path or query may hold no NUL")
    if any(mark in scope.get("raw_path", b"").lower() for mark in _DISGUISED):
        return ProblemError(Kind.MALFORMED, "a path may hold no slash in disguise: no name has one")
    return None


def _size(scope: Scope) -> int:
    line = len(scope.get("raw_path", b"")) + len(scope["query_string"])
    return line + sum(len(name) + len(value) + 4 for name, value in scope["headers"])


def _is_torn(scope: Scope) -> bool:
    """Whether a NUL is in what is looked for: no name has one, and not every database takes it."""
    return "\0" in scope["path"] or b"%00" in scope["query_string"] or b"\0" in scope["query_string"]
