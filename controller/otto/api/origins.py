"""Pages of other sites: a browser that shows one must not be made to act here (Fetch, sections 3.2 and 3.8).

On a loopback address no token is needed, and any page a person looks at can have their browser send requests
there. So what comes from another origin's page is refused, unless the origin is listed.
"""

import http
from collections.abc import Awaitable, Callable, Sequence

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from otto.api.problems import Kind, ProblemError, answer

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_HEADERS = (
    "Authorization",
    "Content-Type",
    "If-Match",
    "If-None-Match",
    "Last-Event-ID",
    "X-Reason",
    "X-Request-Id",
)
_SHOWN = ("ETag", "Link", "Retry-After", "X-Request-Id", "Location")
_MAX_AGE = 600


class Origins:
    """Middleware that refuses what another site's page sends.

    Args:
        app: the application.
        allowed: origins whose pages may ask.
        refused: hears of what is refused.
    """

    def __init__(
        self,
        app: ASGIApp,
        allowed: Sequence[str],
        refused: Callable[[Request, ProblemError], Awaitable[None]],
    ) -> None:
        self._app = app
        self._told = refused
        self._allowed = frozenset(allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it."""
        if scope["type"] == "http" and self._foreign(scope):
            refused = ProblemError(Kind.FORBIDDEN, "this came from a page of another site")
            await self._told(Request(scope), refused)
            await answer(refused)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _foreign(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if origin is not None:
            own = f"{scope['scheme']}://{headers.get('host', '')}"
            return origin not in self._allowed and origin.lower() != own.lower()
        # Browsers that send no Origin say so otherwise.
        cross = headers.get("sec-fetch-site") in ("cross-site", "same-site")
        return cross and scope["method"] not in _SAFE


class _Cors(CORSMiddleware):
    """The same, with refusals as problems."""

    def preflight_response(self, request_headers: Headers) -> Response:
        """See Starlette."""
        found = super().preflight_response(request_headers)
        if found.status_code < http.HTTPStatus.BAD_REQUEST:
            return found
        return answer(ProblemError(Kind.FORBIDDEN, "a page of this origin may not send that"))


def cors(app: ASGIApp, allowed: Sequence[str]) -> ASGIApp:
    """Middleware that lets pages of listed origins read answers."""
    return _Cors(
        app,
        allow_origins=allowed,
        allow_methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=_HEADERS,
        expose_headers=_SHOWN,
        max_age=_MAX_AGE,
    )
