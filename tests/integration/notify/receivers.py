"""Receivers on this machine that keep what they are sent, or behave badly."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Received:
    """What a web server was sent."""

    port: int = 0
    paths: list[str] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)


@asynccontextmanager
async def web_server(*statuses: int, location: str = "") -> AsyncIterator[Received]:
    """A web server that answers with these statuses, one after the other, and the last for ever."""
    seen = Received(statuses=list(statuses) or [200])

    async def take(request: web.Request) -> web.Response:
        seen.paths.append(request.path)
        seen.bodies.append(json.loads(await request.text()))
        status = seen.statuses.pop(0) if len(seen.statuses) > 1 else seen.statuses[0]
        return web.Response(status=status, headers={"Location": location} if location else {})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    seen.port = runner.addresses[0][1]
    try:
        yield seen
    finally:
        await runner.cleanup()


@asynccontextmanager
async def raw_server(handler: Handler) -> AsyncIterator[int]:
    """A server that treats every connection so; its port."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        try:
            with suppress(ConnectionError):
                await handler(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def hang(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Take everything and never answer."""
    while await reader.read(65536):
        pass


async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer a byte at a time, without end: no limit on silence notices that."""
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1\r\nx\r\n")
        await writer.drain()
        await asyncio.sleep(0.05)


async def flood(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer without end, as fast as can be."""
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"x" * 1_000_000)
        await writer.drain()
