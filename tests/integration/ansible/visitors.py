"""Visitors of a site: steady requests from the side while something else goes on."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp


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
