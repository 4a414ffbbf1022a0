"""Requests to sites, as a stranger would make them: port `Probe` over aiohttp.

Each request has a connection of its own, so that a balancer shows how it spreads; follows no redirect,
keeps no cookie, knows no proxy, and takes the answer as it is sent (no decompression: a small answer
cannot grow). Whatever the other side does comes back as a value; only our own mistakes are raised.
"""

import asyncio
import errno
import socket
from collections.abc import Mapping
from typing import Self

import aiohttp
from multidict import CIMultiDictProxy
from yarl import URL

from otto.model.errors import TransientError
from otto.model.probing import Answer, NoAnswer, ProbeRequest, ProbeResult
from otto.model.text import one_line
from otto.ports import Clock

BODY_LIMIT = 256 * 1024
CONCURRENCY = 128
_WORDS = 120

_HEADERS = {"User-Agent": "otto-probe", "Accept": "*/*", "Accept-Encoding": "identity"}

# Charsets that sites are written in; any other codec of Python's, some of them slow, is not asked.
_CHARSETS = frozenset({"utf-8", "us-ascii", "iso-8859-1", "iso-8859-15", "windows-1252", "utf-16"})

_REASONS: Mapping[int, str] = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "connection reset",
    errno.EPIPE: "connection reset",
    errno.ECONNABORTED: "connection aborted",
    errno.EHOSTUNREACH: "no route to host",
    errno.ENETUNREACH: "network unreachable",
    errno.ENETDOWN: "network down",
    errno.ETIMEDOUT: "no answer from the host",
    errno.EMFILE: "too many open files on our side",
    errno.ENFILE: "too many open files on our side",
    errno.EADDRNOTAVAIL: "no free local port on our side",
    errno.ENOBUFS: "no memory for it on our side",
    errno.ENOMEM: "no memory for it on our side",
}


# RFC 4253, section 4.2: lines of another kind may come before the one that names the server.
_SSH = b"SSH-"
_SSH_LIMIT = 8 * 1024

# These say nothing of the other side, and must not be taken for its silence.
_OURS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL})


class HttpProbe:
    """Makes requests; `close` it, or use it as an async context manager.

    Args:
        clock: measures how long answers take.
        concurrency: requests under way at once; others wait, their time limit not running yet.
        body_limit: bytes of a body that are read; the rest is cut off.
    """

    def __init__(self, clock: Clock, *, concurrency: int = CONCURRENCY, body_limit: int = BODY_LIMIT) -> None:
        self._clock = clock
        self._places = asyncio.Semaphore(concurrency)
        self._body_limit = body_limit
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def get(self, request: ProbeRequest) -> ProbeResult:
        """Make one request; never raises for what the other side does."""
        async with self._places:
            began = self._clock.monotonic()
            try:
                async with asyncio.timeout(request.timeout):
                    answer = await self._ask(request)
            except (aiohttp.ClientError, OSError, ValueError) as error:
                return NoAnswer(_reason(error, request), self._clock.monotonic() - began)
            return Answer(answer.status, answer.headers, answer.body, self._clock.monotonic() - began)

    async def ssh(self, address: str, port: int, timeout: float) -> bool:  # noqa: ASYNC109
        """Whether an SSH server names itself there within that many seconds (RFC 4253, section 4.2).

        A host that is frozen accepts the connection and says nothing; one cut off does not accept it.

        Raises:
            TransientError: nothing can be asked from here, which says nothing of the other side.
        """
        async with self._places:
            try:
                async with asyncio.timeout(timeout):
                    return await _names_itself(address, port)
            except (OSError, ValueError) as error:
                if isinstance(error, OSError) and error.errno in _OURS:
                    raise TransientError(f"no connection can be made: {_REASONS[error.errno]}") from error
                return False

    async def close(self) -> None:
        """Let go of all sockets. The next `get` starts afresh."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _ask(self, request: ProbeRequest) -> Answer:
        headers = {"Host": request.host} if request.host else {}
        async with self._open().get(_url(request), headers=headers, allow_redirects=False) as response:
            try:
                body = await self._body(response.content)
                return Answer(response.status, _lower(response.headers), _text(body, response.charset))
            finally:
                response.close()

    async def _body(self, stream: aiohttp.StreamReader) -> bytes:
        body = bytearray()
        while len(body) < self._body_limit:
            chunk = await stream.read(self._body_limit - len(body))
            if not chunk:
                break
            body += chunk
        return bytes(body)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, force_close=True, use_dns_cache=False),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=_HEADERS,
                timeout=aiohttp.ClientTimeout(total=None),
                trust_env=False,
                auto_decompress=False,
            )
        return self._session


async def _names_itself(address: str, port: int) -> bool:
    """Whether a line that names an SSH server comes, within the first few KiB."""
    reader, writer = await asyncio.open_connection(address, port, limit=_SSH_LIMIT)
    try:
        left = _SSH_LIMIT
        while left > 0 and (line := await reader.readline()).endswith(b"\n"):
            if line.startswith(_SSH):
                return True
            left -= len(line)
        return False
    finally:
        writer.transport.abort()


def _url(request: ProbeRequest) -> URL:
    """The request's URL with its path as it was written.

    Raises:
        ValueError: it could smuggle something into the request line or has no place in one.
    """
    if not request.path.startswith("/") or not _is_visible(request.path):
        raise ValueError(f"{request.path!r} is no path that can be asked for")
    if not _is_visible(request.host):
        raise ValueError(f"{request.host!r} is no host's name")
    path, _, query = request.path.partition("?")
    host = f"[{request.address}]" if ":" in request.address else request.address
    return URL.build(
        scheme="http", authority=f"{host}:{request.port}", path=path, query_string=query, encoded=True
    )


def _is_visible(text: str) -> bool:
    return all("!" <= letter <= "~" for letter in text)


def _lower(headers: CIMultiDictProxy[str]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in headers.items():
        key = name.lower()
        joined[key] = f"{joined[key]}, {value}" if key in joined else value
    return joined


def _text(body: bytes, charset: str | None) -> str:
    named = (charset or "").lower()
    return body.decode(named if named in _CHARSETS else "utf-8", errors="replace")


def _reason(error: Exception, request: ProbeRequest) -> str:
    """Why nothing usable came back, in words for people; text of the other side is made safe."""
    match error:
        case TimeoutError():
            return f"timed out after {request.timeout:g} s"
        case aiohttp.ClientConnectorDNSError() | socket.gaierror():
            return f"no address known for {_safe(request.address)}"
        case aiohttp.ServerDisconnectedError():
            return "connection closed before an answer"
        case aiohttp.ClientPayloadError():
            return "connection closed in the middle of the answer"
        case aiohttp.ClientResponseError():
            return f"not an HTTP answer: {_safe(error.message)}"
        case aiohttp.InvalidURL() | ValueError():
            return f"not a request that can be made: {_safe(str(error))}"
        case OSError():
            return (
                _REASONS.get(error.errno or 0) or f"connection failed: {_safe(error.strerror or str(error))}"
            )
    return f"{type(error).__name__}: {_safe(str(error))}"


def _safe(text: str) -> str:
    return one_line(text, _WORDS)
