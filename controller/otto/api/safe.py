"""Only reading: GET, and HEAD, which is GET without its body (RFC 9110, section 9.3).

But for what is named: there, and nowhere else, something may be posted.
"""

import http

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from otto.api.problems import problem

METHODS = ("GET", "HEAD")


class ReadOnly:
    """Middleware that answers every other method with 405, and HEAD wherever GET is answered.

    Args:
        app: the application.
        posts: paths that may be posted to.
    """

    def __init__(self, app: ASGIApp, posts: frozenset[str] = frozenset()) -> None:
        self._app = app
        self._posts = posts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        posted = scope["type"] == "http" and scope["method"] == "POST" and scope["path"] in self._posts
        if scope["type"] != "http" or scope["method"] == "GET" or posted:
            await self._app(scope, receive, send)
        elif scope["method"] == "HEAD":
            await self._app({**scope, "method": "GET"}, receive, _without_body(send))
        else:
            refused = problem(http.HTTPStatus.METHOD_NOT_ALLOWED, "only GET and HEAD are answered here")
            refused.headers["allow"] = ", ".join(METHODS)
            await refused(scope, receive, send)


def _without_body(send: Send) -> Send:
    async def headers_only(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return headers_only
