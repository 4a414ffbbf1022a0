"""Requests to an API at a steady rate, for `tests.bench.api`: `PORT SITES RATE SECONDS`; prints JSON."""

import asyncio
import json
import random
import sys
import time

import aiohttp

_LIMIT = 20.0


class Load:
    """Makes requests, and keeps how long each took.

    Args:
        session: makes them.
        base: of the API.
        sites: how many there are.
    """

    def __init__(self, session: aiohttp.ClientSession, base: str, sites: int) -> None:
        self._session = session
        self._base = base
        self._sites = sites
        self._rng = random.Random(6)  # noqa: S311  (the same load every time)
        self._cursor = ""
        self.times: list[float] = []
        self.failed: list[str] = []

    async def one(self, at: float) -> None:
        """A request that was to be sent at a time of `perf_counter`."""
        path = self._path()
        try:
            async with self._session.get(self._base + path) as answer:
                body = await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            self.failed.append(f"{path}: {type(error).__name__} {error}")
            return
        self.times.append((time.perf_counter() - at) * 1000)
        if answer.status != 200:
            self.failed.append(f"{path}: {answer.status} {body[:200]!r}")
        elif path.startswith("/site?limit=100"):
            self._cursor = json.loads(body)["next"] or ""

    def _path(self) -> str:
        number = self._rng.randrange(self._sites)
        site, kind = f"site-{number:05}", self._rng.random()
        if kind < 0.45:
            return f"/site/{site}/status"
        if kind < 0.60:
            return f"/site?limit=100&cursor={self._cursor}"
        if kind < 0.70:
            return f"/site?limit=20&label=env%3Dprod&label=n%3D{number}"
        if kind < 0.80:
            return f"/site/{site}/why"
        if kind < 0.90:
            return "/runs?limit=20"
        return "/inv?limit=20" if kind < 0.95 else f"/site/{site}/inventory"


async def main(port: int, sites: int, rate: int, seconds: int) -> None:
    """Make the requests, each at its time, whatever became of those before it."""
    connector = aiohttp.TCPConnector(limit=200)
    timeout = aiohttp.ClientTimeout(total=_LIMIT)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        load = Load(session, f"http://127.0.0.1:{port}", sites)
        began = time.perf_counter()
        tasks = []
        for number in range(rate * seconds):
            at = began + number / rate
            await asyncio.sleep(max(0.0, at - time.perf_counter()))
            tasks.append(asyncio.create_task(load.one(at)))
        await asyncio.gather(*tasks)
    json.dump({"times": load.times, "failed": load.failed}, sys.stdout)


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:5])))
