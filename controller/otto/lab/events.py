"""What an engine tells of an owner's hosts, as it happens: `GET /events` of the Docker API.

Read with aiohttp and not with the Docker SDK: whoever waits in a coroutine can be cancelled at any moment,
and no thread is left behind that waits for an engine.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from otto.lab import names
from otto.model.errors import TransientError
from otto.model.host import HostEvent, HostEventKind

# Docker's word for a container that is gone is "destroy", Podman's "remove".
_KINDS = {
    "start": HostEventKind.STARTED,
    "unpause": HostEventKind.RESUMED,
    "die": HostEventKind.DIED,
    "pause": HostEventKind.PAUSED,
    "destroy": HostEventKind.REMOVED,
    "remove": HostEventKind.REMOVED,
}
_PATIENCE = 5.0
# A stream on which nothing comes for so long is opened anew: the engine may be gone without a word.
_IDLE = 300.0
_LONGEST = 200  # characters of a reason


async def watch(
    url: str, owner: str, *, idle: float = _IDLE, patience: float = _PATIENCE
) -> AsyncGenerator[HostEvent, None]:
    """What happens to an owner's hosts from now on; waits while nothing does.

    Args:
        url: of an engine that answers, `unix://…` or `tcp://…`.
        owner: label of the hosts.
        idle: seconds without an event after which the connection is made anew.
        patience: seconds the engine may take to answer.

    Raises:
        TransientError: the engine does not answer, or ended the stream.
    """
    try:
        async with _session(url, idle) as session:
            while True:
                try:
                    async for line in _lines(session, owner, patience):
                        if told := event(line, owner):
                            yield told
                except aiohttp.SocketTimeoutError:
                    continue
                break
    except (aiohttp.ClientError, HttpProcessingError, OSError, ValueError) as error:
        reason = " ".join(f"{type(error).__name__} {error}".split())[:_LONGEST]
        raise TransientError(f"container engine at {url} tells of no events: {reason}") from error
    raise TransientError(f"container engine at {url} ended its stream of events")


def event(line: bytes, owner: str) -> HostEvent | None:
    """One line of the stream; None when it tells nothing of use about a host of this owner.

    Raises:
        ValueError: it is no event.
    """
    try:
        told: Mapping[str, Any] = json.loads(line)
        kind = _KINDS.get(told.get("Action") or told.get("status") or "")
        actor = told.get("Actor") or {}
        whose = names.ownership(actor.get("Attributes") or {})
        if kind is None or whose.owner != owner or not (whose.site and whose.host):
            return None
        at = datetime.fromtimestamp(told["timeNano"] / 1e9, UTC)
        return HostEvent(whose.site, whose.host, str(actor["ID"]), kind, at)
    except (AttributeError, KeyError, TypeError, OverflowError) as error:
        raise ValueError(f"an event of another form: {error}") from error


@asynccontextmanager
async def _session(url: str, idle: float) -> AsyncIterator[aiohttp.ClientSession]:
    kind, _, place = url.partition("://")
    # Neither proxies nor .netrc have a say in what goes to an engine.
    async with aiohttp.ClientSession(
        "http://engine" if kind == "unix" else f"http://{place}",
        connector=aiohttp.UnixConnector(path=place) if kind == "unix" else aiohttp.TCPConnector(),
        timeout=aiohttp.ClientTimeout(total=None, sock_read=idle),
        trust_env=False,
    ) as session:
        yield session


async def _lines(session: aiohttp.ClientSession, owner: str, patience: float) -> AsyncGenerator[bytes, None]:
    filters = {"type": ["container"], "label": [f"{names.OWNER}={owner}"]}
    async with asyncio.timeout(patience):
        response = await session.get("/events", params={"filters": json.dumps(filters)})
    async with response:
        response.raise_for_status()
        async for line in response.content:
            yield line
