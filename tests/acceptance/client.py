"""Visitors who ask a site many times a second, and remember every answer."""

import asyncio
import re
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import aiohttp

from .damage import Moment

RATE = 50
# Far above haproxy's own limits (2 s for an answer, three retries): whoever gives up first is haproxy.
_PATIENCE = 30.0
_TITLE = re.compile(r"<title>(.*?)</title>")


@dataclass(frozen=True, slots=True)
class Visit:
    """One request; times in seconds since the epoch.

    Attributes:
        began: when it was sent.
        ended: when it was answered, or given up.
        server: which server answered.
        title: title of the page that came.
        wrong: what was wrong with the answer, "" for nothing.
    """

    began: float
    ended: float
    server: str
    title: str = ""
    wrong: str = ""

    def in_flight(self, moment: Moment) -> bool:
        """Whether it may have been on its way when the damage was done.

        The damage is done at some time while its command runs. So these are the requests that had begun
        before the command ended, and had not ended before it began.
        """
        return self.began < moment.ended and self.ended > moment.begun


@dataclass
class Visitors:
    """Ask through the balancer from entering to leaving, in a thread of their own.

    Every other request has a connection of its own; the others share connections that are kept.

    Attributes:
        url: the site's.
        host: the name it is asked for under.
        contains: what every answer has to hold.
        rate: requests a second.
        visits: those that have ended.
        late: seconds by which the visitors themselves were behind their rate, at most.
    """

    url: str
    host: str
    contains: str
    rate: float = RATE
    visits: list[Visit] = field(default_factory=list)
    late: float = 0.0

    def __enter__(self) -> Self:
        self._over = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._ask_on()), name="visitors")
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join(2 * _PATIENCE)
        assert not self._thread.is_alive(), "a request did not end"

    def servers(self, since: float = 0.0, until: float = float("inf")) -> set[str]:
        """Who answered requests that began in a time."""
        return {visit.server for visit in self.visits if since <= visit.began < until and visit.server}

    def titles(self, since: float = 0.0) -> Counter[str]:
        """Which pages came, and how often, in answer to requests that began from some time on."""
        return Counter(visit.title for visit in self.visits if visit.began >= since and not visit.wrong)

    def failed(self) -> list[Visit]:
        """Those that did not get what they asked for."""
        return [visit for visit in self.visits if visit.wrong]

    async def _ask_on(self) -> None:
        patience = aiohttp.ClientTimeout(total=_PATIENCE)
        fresh = aiohttp.TCPConnector(limit=0, force_close=True)
        kept = aiohttp.TCPConnector(limit=0)
        async with (
            aiohttp.ClientSession(connector=fresh, timeout=patience) as once,
            aiohttp.ClientSession(connector=kept, timeout=patience) as again,
            asyncio.TaskGroup() as group,
        ):
            began, asked = time.monotonic(), 0
            while not self._over.is_set():
                group.create_task(self._ask(again if asked % 2 else once))
                asked += 1
                # By the clock and not by pauses: whoever is late catches up, so the rate is held.
                ahead = began + asked / self.rate - time.monotonic()
                self.late = max(self.late, -ahead)
                await asyncio.sleep(max(0.0, ahead))

    async def _ask(self, session: aiohttp.ClientSession) -> None:
        began = time.time()
        server, title, wrong = "", "", ""
        try:
            async with session.get(self.url, headers={"Host": self.host}, allow_redirects=False) as answer:
                server = answer.headers.get("X-Otto-Server", "")
                body = await answer.text()
                title = "".join(_TITLE.findall(body)[:1])
                if answer.status != 200:
                    wrong = f"HTTP {answer.status}"
                elif self.contains not in body:
                    wrong = f"another page: {body[:80]!r}"
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            wrong = f"{type(error).__name__}: {error}"
        self.visits.append(Visit(began, time.time(), server, title, wrong))


def tell(visits: Iterable[Visit], moment: Moment) -> list[str]:
    """Visits in words, by their distance from the damage."""
    return [
        f"{visit.began - moment.begun:+.3f} s to {visit.ended - moment.begun:+.3f} s: {visit.wrong}"
        for visit in visits
    ]
