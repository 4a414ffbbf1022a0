"""What the servers of all three forges have in common: they take what is documented, and nothing else."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

TOKEN = "a-token-that-nobody-may-see"
COMMIT = "1" * 40
OTHER = "2" * 40
US, SOMEBODY = 41, 7

Fault = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Refused(Exception):  # noqa: N818  (an answer)
    """The API answers with an error."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}


@dataclass(frozen=True)
class Field:
    """What a field of a request may be."""

    kind: type | tuple[type, ...] = str
    required: bool = False
    allowed: tuple[Any, ...] = ()
    longest: int = 1_000_000


@dataclass
class Seen:
    """A request as it came in."""

    method: str
    path: str
    headers: Mapping[str, str]
    query: dict[str, str]
    body: Any


class ForgeServer:
    """One forge with one repository, `acme/specs`.

    Attributes:
        faults: what happens to the next requests, in place of an answer of the API.
        seen: requests that came to the API.
    """

    api = ""
    unprocessable = 422

    def __init__(self) -> None:
        self.faults: deque[Fault] = deque()
        self.seen: list[Seen] = []
        self.statuses: list[dict[str, Any]] = []
        self.deployments: dict[int, dict[str, Any]] = {}
        self.pulls: list[dict[str, Any]] = []
        self.comments: dict[int, dict[str, Any]] = {}
        self.commits = {COMMIT, OTHER}
        self.url = ""
        self._ids = iter(range(1000, 100_000))

    def id(self) -> int:
        """A new id."""
        return next(self._ids)

    def authorize(self, request: web.Request) -> None:
        """Refuse a request without our token in the right header."""
        raise NotImplementedError

    async def answer(self, seen: Seen) -> web.Response:
        """The API."""
        raise NotImplementedError

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Everything that comes in."""
        if self.faults:
            return await self.faults.popleft()(request)
        try:
            self.authorize(request)
            seen = await self._seen(request)
            self.seen.append(seen)
            return await self.answer(seen)
        except Refused as error:
            return web.json_response({"message": str(error)}, status=error.status, headers=error.headers)

    async def _seen(self, request: web.Request) -> Seen:
        raw = await request.read()
        if raw and request.content_type != "application/json":
            raise Refused(415, "the body is no JSON")
        if "User-Agent" not in request.headers:
            raise Refused(403, "Request forbidden by administrative rules: no User-Agent")
        path = request.raw_path.partition("?")[0].removeprefix(self.api)
        body = json.loads(raw) if raw else None
        return Seen(request.method, path, dict(request.headers), dict(request.query), body)

    def check(self, body: Any, /, **fields: Field) -> dict[str, Any]:
        """Refuse a body that is not as documented."""
        if not isinstance(body, dict):
            raise Refused(400, "Problems parsing JSON")
        for name in body:
            if name not in fields:
                raise Refused(self.unprocessable, f"there is no field {name}")
        for name, field in fields.items():
            if name not in body:
                if field.required:
                    raise Refused(self.unprocessable, f"{name} is missing")
            elif not isinstance(body[name], field.kind):
                raise Refused(self.unprocessable, f"{name} is of the wrong kind")
            elif field.allowed and body[name] not in field.allowed:
                raise Refused(self.unprocessable, f"{name} is none of {field.allowed}")
            elif isinstance(body[name], str) and len(body[name]) > field.longest:
                raise Refused(
                    self.unprocessable, f"{name} is too long (maximum is {field.longest} characters)"
                )
        return dict(body)

    def asked(self, query: Mapping[str, str], *known: str) -> None:
        """Refuse parameters that are not documented."""
        for name in query:
            if name not in known:
                raise Refused(400, f"there is no parameter {name}")

    def page(self, seen: Seen, found: list[Any], per_page: str, most: int = 100) -> web.Response:
        """A page of a list, with `Link` to the next one (RFC 8288)."""
        size = int(seen.query.get(per_page, "30"))
        number = int(seen.query.get("page", "1"))
        if not 1 <= size <= most or number < 1:
            raise Refused(400, "no such page")
        part = found[(number - 1) * size : number * size]
        headers = {}
        if number * size < len(found):
            headers["Link"] = (
                f'<{self.url}{seen.path}?page={number + 1}>; rel="next", '
                f'<{self.url}{seen.path}?page=9>; rel="last"'
            )
        return web.json_response(part, headers=headers)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["ForgeServer"]:
        """The server at work, `url` its API."""
        app = web.Application(client_max_size=32 * 1024 * 1024)
        app.router.add_route("*", "/{tail:.*}", self.handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}{self.api}"
        try:
            yield self
        finally:
            await runner.cleanup()


def says(status: int, body: Any = None, headers: Mapping[str, str] | None = None) -> Fault:
    """Answer so, whatever is asked."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response(body or {"message": "no"}, status=status, headers=headers)

    return answer


async def hangs(request: web.Request) -> web.StreamResponse:
    """Take the request, and never answer."""
    await request.read()
    await asyncio.Event().wait()
    raise AssertionError


async def cuts(request: web.Request) -> web.StreamResponse:
    """Close the connection instead of an answer."""
    assert request.transport
    request.transport.abort()
    return web.Response()


async def floods(request: web.Request) -> web.StreamResponse:
    """Answer without an end."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b"[" * 65536)
