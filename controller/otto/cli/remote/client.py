"""Questions put to the HTTP API of a controller elsewhere."""

import asyncio
import json
from typing import Any, Self, TypeVar

import aiohttp

from otto import __version__
from otto.cli.remote.server import Server
from otto.desk.greeting import PROTOCOL
from otto.desk.question import Question
from otto.model.caller import Scope
from otto.model.canonical import canonical
from otto.model.errors import (
    ForbiddenError,
    OttoError,
    TerminalError,
    TransientError,
    UsageError,
)
from otto.model.reading import read

R = TypeVar("R")

HEADER = "x-otto-protocol"
_CONNECT = 10.0
_LARGEST = 256 * 1024 * 1024  # bytes of an answer: ten thousand sites, each with its hosts
_SHOWN = 300
_PROBLEM = "application/problem+json"
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _CONFLICT, _INVALID, _TOO_MANY = 401, 403, 404, 409, 422, 429
_SERVER_ERROR, _UNAVAILABLE = 500, 503
_REDIRECT = 300
_UNKNOWN = "whether it was done is not known: see otto status and otto audit, and ask again if it was not"


class RemoteDesk:
    """Where questions about a controller elsewhere are put.

    Within an `async with` block of its own the connection is kept; without, each question has its own.

    Args:
        server: which.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = self._open()
        return self

    async def __aexit__(self, *_: object) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def ask(self, question: Question[R]) -> R:
        """See `Desk`.

        Raises:
            TransientError: it does not answer, or not now.
            UsageError: it refuses.
            TerminalError: what answers is no OttO that we understand.
        """
        if self._session is not None:
            return await self._put(self._session, question)
        async with self._open() as session:
            return await self._put(session, question)

    def _open(self) -> aiohttp.ClientSession:
        token = self._server.token
        headers = {"user-agent": f"otto/{__version__}", "accept": "application/json", HEADER: str(PROTOCOL)}
        if token:
            headers["authorization"] = f"Bearer {token}"
        connector = aiohttp.TCPConnector(ssl=self._server.tls(), limit=4)
        return aiohttp.ClientSession(connector=connector, headers=headers, trust_env=False)

    async def _put(self, session: aiohttp.ClientSession, question: Question[R]) -> R:
        url = f"{self._server.url}/desk/{question.word}"
        seconds = max(self._server.timeout, question.patience)
        limit = aiohttp.ClientTimeout(total=seconds, sock_connect=_CONNECT)
        body = canonical(question).encode()
        try:
            # A redirect would carry the token to wherever it points.
            async with session.post(
                url,
                data=body,
                headers={"content-type": "application/json"},
                timeout=limit,
                allow_redirects=False,
            ) as answer:
                text = await _text(answer)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise self._away(error, question, seconds) from error
        self._require_ours(answer)
        if answer.status >= _REDIRECT:
            raise _refusal(answer, _parsed(text), self._server.url)
        return _answer(question, text)

    def _away(self, error: Exception, question: Question[R], seconds: float) -> OttoError:
        url = self._server.url
        # An order that nobody answered may have been carried out all the same.
        again = "try again" if question.scope is Scope.READ else _UNKNOWN
        if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
            mend = "name the authority that signed it: --ca FILE"
            return TerminalError(f"the certificate of {url} is not to be trusted: {_words(error)}", mend=mend)
        if isinstance(error, asyncio.TimeoutError):
            return TransientError(f"{url} did not answer within {seconds:g} s", mend=again)
        if isinstance(error, aiohttp.ClientResponseError):
            mend = "give the address that otto up prints"
            return TerminalError(f"what answers at {url} is no OttO that can be asked this", mend=mend)
        if not isinstance(error, aiohttp.ClientConnectorError):
            return TransientError(f"the answer of {url} broke off: {_words(error)}", mend=again)
        mend = "is the controller running, and is the address right? otto up prints it"
        return TransientError(f"no controller answers at {url}: {_words(error)}", mend=mend)

    def _require_ours(self, answer: aiohttp.ClientResponse) -> None:
        """Insist that an OttO answered that we understand.

        Raises:
            TerminalError: it is none, or of another time.
        """
        told = answer.headers.get(HEADER, "")
        if told == str(PROTOCOL):
            return
        url = self._server.url
        if not told.isdecimal():
            if answer.status in (_UNAUTHORIZED, _FORBIDDEN, _TOO_MANY, _UNAVAILABLE):
                return  # refused before it could say what it speaks
            mend = "give the address that otto up prints; one of an OttO before 0.2 cannot be asked"
            raise TerminalError(f"what answers at {url} is no OttO that can be asked this", mend=mend)
        older, mend = ("it", "upgrade it") if int(told) < PROTOCOL else ("this otto", "upgrade this otto")
        raise TerminalError(f"the controller at {url} is of another time: {older} is too old", mend=mend)


async def _text(answer: aiohttp.ClientResponse) -> bytes:
    found = bytearray()
    async for chunk in answer.content.iter_chunked(1 << 16):
        found += chunk
        if len(found) > _LARGEST:
            raise aiohttp.ClientPayloadError("the answer is far too long")
    return bytes(found)


def _parsed(text: bytes) -> Any:  # noqa: ANN401  (JSON is what it is until a type reads it)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _answer(question: Question[R], text: bytes) -> R:
    data = _parsed(text)
    if not isinstance(data, dict) or "answer" not in data:
        raise TerminalError("the controller's answer cannot be read", mend="upgrade the older of the two")
    return read(question.answers(), data["answer"])


def _refusal(answer: aiohttp.ClientResponse, data: object, url: str) -> OttoError:
    """What a problem (RFC 9457) is to who asked."""
    told = data if isinstance(data, dict) else {}
    words = str(told.get("detail") or told.get("title") or f"status {answer.status}")[:2000]
    mend, detail = str(told.get("mend") or ""), str(told.get("output") or "")
    if answer.content_type != _PROBLEM:
        return TerminalError(f"{url} answers with status {answer.status}", mend="is that an OttO?")
    if answer.status == _UNAUTHORIZED:
        mend = mend or "give a token that counts: --token-file FILE, or OTTO_TOKEN"
        return ForbiddenError(f"{url} does not let us in: {words}", mend=mend)
    if answer.status == _FORBIDDEN:
        return ForbiddenError(words, mend=mend or "use a token of a wider scope")
    if answer.status in (_NOT_FOUND, _CONFLICT, _INVALID):
        return UsageError(words, mend=mend, detail=detail)
    if answer.status in (_TOO_MANY, _UNAVAILABLE):
        return TransientError(words, mend=mend or _later(answer), detail=detail)
    if answer.status >= _SERVER_ERROR:
        return TerminalError(words, mend=mend or "its log has more: otto logs, over there", detail=detail)
    return UsageError(words, mend=mend, detail=detail)


def _later(answer: aiohttp.ClientResponse) -> str:
    seconds = answer.headers.get("retry-after", "")
    return f"try again in {seconds} s" if seconds.isdecimal() else "try again"


def _words(error: Exception) -> str:
    """What went wrong, in the words of whoever says so; never what was sent."""
    found = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
    return (getattr(found, "strerror", "") or str(found) or type(found).__name__)[:_SHOWN]
