"""Bodies of requests: read to their end before anything is done, and no further than they may be long."""

from collections.abc import Awaitable, Callable

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from otto.api.problems import Kind, ProblemError, answer


class Bodies:
    """Middleware that refuses what is too long.

    Args:
        app: the application.
        longest: most bytes.
        free: paths that look after themselves.
        refused: hears of what is refused.
    """

    def __init__(
        self,
        app: ASGIApp,
        longest: int,
        free: Callable[[str], bool],
        refused: Callable[[Request, ProblemError], Awaitable[None]],
    ) -> None:
        self._app = app
        self._told = refused
        self._longest = longest
        self._free = free

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it."""
        if scope["type"] != "http" or self._free(scope["path"]):
            await self._app(scope, receive, send)
            return
        try:
            body = await self._read(scope, receive)
        except ProblemError as error:
            await self._told(Request(scope), error)
            await answer(error)(scope, receive, send)
            return
        if body is not None:
            await self._app(scope, _given(body, receive), send)

    async def _read(self, scope: Scope, receive: Receive) -> bytes | None:
        """The body, None when the caller is gone.

        Raises:
            ProblemError: TOO_LARGE.
        """
        told = Headers(scope=scope).get("content-length", "")
        if told.isascii() and told.isdigit() and int(told[:20]) > self._longest:
            raise self._too_large()
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return None
            body += message.get("body", b"")
            if len(body) > self._longest:
                raise self._too_large()
            if not message.get("more_body", False):
                return bytes(body)

    def _too_large(self) -> ProblemError:
        return ProblemError(Kind.TOO_LARGE, f"a body may have {self._longest} bytes")


def _given(body: bytes, receive: Receive) -> Receive:
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def give() -> Message:
        return first.pop() if first else await receive()

    return give
