"""Around every request: its id, its line in the log, and the headers of every answer."""

import time
from collections.abc import Iterable

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from otto.api import requestid
from otto.api.problems import Kind, ProblemError, answer

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

_ONLY_TLS = {"strict-transport-security": "max-age=31536000"}


class Requests:
    """Middleware: outermost, so that what anything else answers passes through it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.monotonic()
        known = requestid.begin(Headers(scope=scope).get(requestid.HEADER, ""))
        more = {requestid.HEADER: known, **SECURE, **(_ONLY_TLS if scope["scheme"] == "https" else {})}
        status = 0

        async def told(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _complete(MutableHeaders(scope=message), more.items())
            await send(message)

        with structlog.contextvars.bound_contextvars(request=known):
            try:
                if _is_torn(scope):
                    refused = ProblemError(Kind.MALFORMED, "a path or query may hold no NUL")
                    await answer(refused)(scope, receive, told)
                else:
                    await self._app(scope, receive, told)
            finally:
                taken = round(time.monotonic() - began, 4)
                log.debug(
                    "api.answered", method=scope["method"], path=scope["path"], status=status, seconds=taken
                )


def _complete(headers: MutableHeaders, more: Iterable[tuple[str, str]]) -> None:
    for name, value in more:
        headers.setdefault(name, value)


def _is_torn(scope: Scope) -> bool:
    """Whether a NUL is in what is looked for: no name has one, and not every database takes it."""
    return "\0" in scope["path"] or b"%00" in scope["query_string"] or b"\0" in scope["query_string"]
