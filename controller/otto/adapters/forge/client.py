"""One request to a forge's API at a time, and what its answer means.

The token goes to the configured API and nowhere else: a redirect is followed within it alone. Every request
has a time limit and reads no more than it has to. Nothing is tried again here; whoever asks does that, by
what the error says.
"""

import asyncio
import json
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

from otto import __version__
from otto.adapters.forge.answer import Reply, TokenError, Turn, judged
from otto.adapters.forge.token import Token
from otto.model.errors import OttoError, TerminalError, TransientError, UsageError
from otto.model.text import one_line
from otto.ports import Clock

_LARGEST = 8 * 1024 * 1024
_PIECE = 64 * 1024
_MOST_TURNS = 3
_WORDS = 200


@dataclass(frozen=True, slots=True)
class Call:
    """One request.

    Attributes:
        name: what it is called in metrics and messages: `status`, `comment`, …
        method: of HTTP.
        path: parts of the path below the API's address, not escaped.
        query: parameters of the address.
        body: what is sent, as JSON.
    """

    name: str
    method: str
    path: Sequence[str]
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """How the API is spoken to.

    Attributes:
        timeout: seconds a request may take, redirects included.
        authority: file of certificate authorities to trust instead of the system's.
        largest: bytes of an answer that are read; a longer one is an error.
    """

    timeout: float = 15.0
    authority: Path | None = None
    largest: int = _LARGEST


class Client:
    """Speaks to one API; `close` it, or use it as an async context manager.

    Args:
        api: its address.
        token: for whom the API does what is asked.
        headers: what every request carries besides; from the token.
        clock: the time, for answers that say until when to wait.
        count: is told each request's name and how it went.
        options: how.
    """

    def __init__(
        self,
        api: str,
        token: Token,
        headers: Callable[[str], Mapping[str, str]],
        clock: Clock,
        *,
        count: Callable[[str, str], None] = lambda _name, _result: None,
        options: Options | None = None,
    ) -> None:
        self._api = api
        self._token = token
        self._headers = headers
        self._clock = clock
        self._count = count
        self._options = options or Options()
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Let go of all connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def ask(self, call: Call) -> Reply:
        """Make a request; its answer, when it is a good one.

        Raises:
            TransientError: it may go well later, after `retry_after` seconds where the forge says so.
            TerminalError: it will not.
        """
        result = "interrupted"
        try:
            reply = await self._within_time(call, self._secret())
            result = "ok"
        except OttoError as error:
            result = getattr(error, "result", "failed")
            raise
        finally:
            self._count(call.name, result)
        return reply

    def _secret(self) -> str:
        try:
            return self._token.read()
        except UsageError as error:
            raise TokenError(error.message, mend=error.mend) from error

    async def _within_time(self, call: Call, secret: str) -> Reply:
        try:
            async with asyncio.timeout(self._options.timeout):
                return await self._follow(call, secret)
        except TimeoutError as error:
            raise TransientError(f"{self._about(call)}: no answer in {self._options.timeout:g} s") from error
        except aiohttp.ClientConnectorCertificateError as error:
            mend = "trust its authority: forge.authority (OTTO_FORGE_AUTHORITY)"
            raise TerminalError(f"{self._about(call)}: its certificate is not trusted", mend=mend) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            words = one_line(str(error).replace(secret, "***"), _WORDS) or type(error).__name__
            # Without the cause: it may hold the request with its headers.
            raise TransientError(f"{self._about(call)}: {words}") from None

    async def _follow(self, call: Call, secret: str) -> Reply:
        url, method = self._url(call), call.method
        for _ in range(_MOST_TURNS + 1):
            async with self._open().request(
                method,
                url,
                json=call.body,
                headers=self._headers(secret),
                allow_redirects=False,
                proxy=_proxy(url),
            ) as response:
                # An error may say the request back to us.
                body = (await self._body(response, call)).replace(secret.encode(), b"***")
                about = self._about(call)
                found = judged(response.status, response.headers, body, about, self._clock.now().timestamp())
            if not isinstance(found, Turn):
                return found
            url, method = self._turned(url, found, call), "GET" if found.by_get else method
        raise TerminalError(f"{self._about(call)}: it sends us on again and again")

    def _turned(self, url: URL, turn: Turn, call: Call) -> URL:
        """Where a redirect leads, as long as that is the same server."""
        try:
            goal = url.join(URL(turn.location, encoded=True))
            same = goal.origin() == url.origin() and not goal.user and not goal.password
        except ValueError:
            raise TerminalError(f"{self._about(call)}: it sends us on to no address") from None
        if not same:
            mend = "correct forge.api (OTTO_FORGE_API)"
            where = one_line(goal.host or "", _WORDS)
            message = f"{self._about(call)}: it sends us on to {where}, which gets no token"
            raise TerminalError(message, mend=mend)
        return goal

    async def _body(self, response: aiohttp.ClientResponse, call: Call) -> bytes:
        body = bytearray()
        while chunk := await response.content.read(_PIECE):
            body += chunk
            if len(body) > self._options.largest:
                response.close()
                raise TerminalError(f"{self._about(call)}: more than {self._options.largest} bytes came")
        return bytes(body)

    def _url(self, call: Call) -> URL:
        path = "/".join(quote(part, safe="") for part in call.path)
        query = "&".join(f"{quote(k, safe='')}={quote(v, safe='')}" for k, v in call.query.items())
        return URL(f"{self._api}/{path}{'?' if query else ''}{query}", encoded=True)

    def _about(self, call: Call) -> str:
        return f"{call.name} at {urlsplit(self._api).hostname}"

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            authority = str(self._options.authority) if self._options.authority else None
            self._session = aiohttp.ClientSession(
                # A pooled connection may be gone by the next request, and a POST is not repeated then.
                connector=aiohttp.TCPConnector(
                    limit=4, force_close=True, ssl=ssl.create_default_context(cafile=authority)
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": f"otto/{__version__}"},
                timeout=aiohttp.ClientTimeout(total=None),
                json_serialize=lambda value: json.dumps(value, ensure_ascii=True),
                trust_env=False,
            )
        return self._session


def _proxy(url: URL) -> str | None:
    """The proxy that the environment names for https; http goes to this machine alone."""
    if url.scheme != "https" or proxy_bypass(url.host or ""):
        return None
    return getproxies().get("https")
