"""What may be done with a path: HEAD, OPTIONS, and 405 with what there is (RFC 9110, section 9.3)."""

import http
from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from otto.api.problems import Kind, ProblemError, answer

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


_HEAD = "otto.head"


def is_head(request: Request) -> bool:
    """Whether only the headers are asked for; a route need not care but for an answer without end."""
    return bool(request.scope.get(_HEAD))


class Methods:
    """Middleware: HEAD is GET without its body; OPTIONS, and a method that is not there, name those that are.

    Args:
        app: the application.
        router: of the application; asked what matches.
    """

    def __init__(self, app: ASGIApp, router: Router) -> None:
        self._app = app
        self._router = router

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        method = scope.get("method")
        if scope["type"] != "http" or method == "GET":
            await self._app(scope, receive, send)
            return
        allowed = self._allowed(scope)
        if not allowed or method in allowed - {"HEAD", "OPTIONS"}:
            await self._app(scope, receive, send)
        elif method == "HEAD" and "GET" in allowed:
            inner: Scope = {**scope, "method": "GET", _HEAD: True}
            try:
                await self._app(inner, receive, _without_body(send))
            finally:
                scope["route"] = inner.get("route")  # for who counts what was asked
        else:
            await _told(scope["method"], allowed)(scope, receive, send)

    def _allowed(self, scope: Scope) -> frozenset[str]:
        """The methods of a path, none where no route leads there."""
        found = frozenset(
            method for method in _METHODS if _leads(self._router.routes, {**scope, "method": method})
        )
        extra = {"OPTIONS"} | ({"HEAD"} if "GET" in found else set())
        return found | extra if found else found


def _leads(routes: Iterable[BaseRoute], scope: Scope) -> bool:
    return any(route.matches(scope)[0] is Match.FULL for route in routes)


def _told(method: str, allowed: frozenset[str]) -> Response:
    allow = ", ".join(name for name in _METHODS if name in allowed)
    if method == "OPTIONS":
        return Response(status_code=http.HTTPStatus.NO_CONTENT, headers={"allow": allow})
    detail = f"only {allow} can be done here"
    return answer(ProblemError(Kind.METHOD_NOT_ALLOWED, detail, headers={"allow": allow}))


def _without_body(send: Send) -> Send:
    async def headers_only(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return headers_only
