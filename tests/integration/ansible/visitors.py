"""Visitors of a site: steady requests from the side while something else goes on, and slow ones."""

import asyncio
import contextlib
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from otto.model.host import Host

# More than all buffers between the web server and a visitor hold.
SIZE = 24 << 20


@dataclass
class Visits:
    """What visitors got: how often each (status, body), and the errors."""

    answers: Counter[tuple[int, str]] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)

    @property
    def statuses(self) -> set[int]:
        return {status for status, _ in self.answers}

    @property
    def bodies(self) -> set[str]:
        return {body for _, body in self.answers}

    @property
    def count(self) -> int:
        return sum(self.answers.values())


async def _visit(session: aiohttp.ClientSession, method: str, url: str, visits: Visits) -> None:
    try:
        async with session.request(method, url) as response:
            visits.answers[response.status, await response.text()] += 1
    except (aiohttp.ClientError, TimeoutError) as error:
        visits.errors.append(f"{type(error).__name__}: {error}")


@asynccontextmanager
async def visiting(url: str, *, rate: float = 100, method: str = "GET") -> AsyncIterator[Visits]:
    """Request a URL at a steady rate while the block runs; every request begun is waited for."""
    visits, stop = Visits(), asyncio.Event()
    timeout = aiohttp.ClientTimeout(total=15)
    connector = aiohttp.TCPConnector(limit=0, force_close=True)

    async def steadily(session: aiohttp.ClientSession) -> None:
        async with asyncio.TaskGroup() as group:
            while not stop.is_set():
                group.create_task(_visit(session, method, url, visits))
                await asyncio.sleep(1 / rate)

    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
        task = asyncio.create_task(steadily(session))
        try:
            yield visits
        finally:
            stop.set()
            await task


class Visitor:
    """A download that goes on only when the test reads."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    async def rest(self) -> int:
        """Read all there is, or to the end; how many bytes that was."""
        count = 0
        async with asyncio.timeout(60):
            with contextlib.suppress(ConnectionError):
                while count < SIZE and (chunk := await self._reader.read(1 << 20)):
                    count += len(chunk)
        return count


@asynccontextmanager
async def downloading(balancer: Host) -> AsyncIterator[Visitor]:
    """A visitor who has begun to download and reads no further by himself."""
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        connection.settimeout(0)
        await asyncio.get_running_loop().sock_connect(connection, (balancer.address, 80))
        reader, writer = await asyncio.open_connection(sock=connection, limit=8192)
        writer.write(b"GET /big.txt HTTP/1.1\r\nHost: shop.example\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        assert b" 200 " in head, head
        assert f"content-length: {SIZE}".encode() in head.lower(), head
        try:
            yield Visitor(reader)
        finally:
            writer.transport.abort()
