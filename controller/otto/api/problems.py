"""Errors as RFC 9457 problem details, for every route and for what no route matches.

A route says that something is wrong by raising:

    raise ProblemError(Kind.CONFLICT, "the site is being destroyed", mend="otto resume hello")

`OttoError`s that a use-case raises may simply be let through: see `of`. Whatever else is raised is a mistake
of ours: it is logged in full, and answered without a word of its inside.
"""

import http
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from otto.api import requestid
from otto.model.errors import (
    ForbiddenError,
    OttoError,
    TransientError,
    UnseenError,
    UsageError,
    WaitingError,
)

log = structlog.get_logger("otto.api")

MEDIA_TYPE = "application/problem+json"
PATH = "/problems"
"""Where the kinds are explained; a problem's `type` leads there."""

_LONGEST = 2000  # characters of a detail
_MOST = 50  # errors of one request that are told
_PAUSE = 5  # seconds after which to ask again, where nothing better is known


@dataclass(frozen=True, slots=True)
class _Meaning:
    slug: str
    status: int
    title: str
    meaning: str
    mend: str


class Kind(Enum):
    """Kinds of problems: each has a status, a title, and a page that says what to do about it."""

    MALFORMED = _Meaning(
        "malformed",
        http.HTTPStatus.BAD_REQUEST,
        "The request cannot be read",
        "The body is no JSON, a header is not what it should be, or a cursor is none that was given out.",
        "Send what the description at /openapi.json asks for; take cursors from `next` as they are.",
    )
    UNAUTHENTICATED = _Meaning(
        "unauthenticated",
        http.HTTPStatus.UNAUTHORIZED,
        "It is not known who asks",
        "No token was sent, or one that does not count: unknown, expired or revoked.",
        "Send `Authorization: Bearer TOKEN`; `otto token create` makes one.",
    )
    FORBIDDEN = _Meaning(
        "forbidden",
        http.HTTPStatus.FORBIDDEN,
        "This is not allowed",
        "The token does not let its holder do this, or the request came from another site's page.",
        "Use a token of a wider scope.",
    )
    NOT_FOUND = _Meaning(
        "not-found",
        http.HTTPStatus.NOT_FOUND,
        "There is no such thing",
        "Nothing of that name exists, or it is not the caller's to see.",
        "The lists (`GET /site`, …) name what there is.",
    )
    METHOD_NOT_ALLOWED = _Meaning(
        "method-not-allowed",
        http.HTTPStatus.METHOD_NOT_ALLOWED,
        "Not done here",
        "The path exists, the method does not.",
        "The header `Allow` names the methods there are.",
    )
    CONFLICT = _Meaning(
        "conflict",
        http.HTTPStatus.CONFLICT,
        "Not as things are",
        "The request makes sense, and cannot be carried out in the present state. Nothing was changed.",
        "The detail says what stands in the way; see `GET /site/{site}/why`.",
    )
    PRECONDITION_FAILED = _Meaning(
        "precondition-failed",
        http.HTTPStatus.PRECONDITION_FAILED,
        "It changed in the meantime",
        "`If-Match` names another version than the present one. Nothing was changed.",
        "Read it again, make the change to what is there now, and send it with the new `ETag`.",
    )
    TOO_LARGE = _Meaning(
        "too-large",
        http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "Too much",
        "The body has more bytes than are taken.",
        "Send less; api.maxBody is the limit.",
    )
    UNSUPPORTED = _Meaning(
        "unsupported-media-type",
        http.HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "Not in this form",
        "The body is of a media type that is not taken here.",
        "Send `Content-Type: application/json`.",
    )
    INVALID = _Meaning(
        "invalid",
        http.HTTPStatus.UNPROCESSABLE_ENTITY,
        "The request does not fit",
        "A parameter, or the document in the body, is not as it should be; `errors` says where and why.",
        "Correct what `errors` names.",
    )
    PRECONDITION_REQUIRED = _Meaning(
        "precondition-required",
        http.HTTPStatus.PRECONDITION_REQUIRED,
        "Say which version is meant",
        "Without `If-Match` a change that somebody made a moment ago would be lost.",
        "Send the `ETag` of what was read as `If-Match`.",
    )
    TOO_MANY = _Meaning(
        "too-many-requests",
        http.HTTPStatus.TOO_MANY_REQUESTS,
        "Too many requests",
        "More requests came from this caller, or from this address, than are answered.",
        "Wait as long as `Retry-After` says.",
    )
    HEAD_TOO_LARGE = _Meaning(
        "head-too-large",
        http.HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
        "Too much before the body",
        "The path, the query and the headers together have more bytes, or more lines, than are taken.",
        "Send less; what is long belongs into a body.",
    )
    INTERNAL = _Meaning(
        "internal",
        http.HTTPStatus.INTERNAL_SERVER_ERROR,
        "OttO made a mistake",
        "This should not happen. The log has the whole story, under the request's id.",
        "Please report it, with that part of the log.",
    )
    UNAVAILABLE = _Meaning(
        "unavailable",
        http.HTTPStatus.SERVICE_UNAVAILABLE,
        "Not now",
        "The controller starts, stops or is too busy, or something outside of it does not answer.",
        "Ask again, not before `Retry-After`.",
    )

    @property
    def slug(self) -> str:
        """Names it in its address."""
        return self.value.slug

    @property
    def status(self) -> int:
        """HTTP status."""
        return int(self.value.status)

    @property
    def title(self) -> str:
        """What it is, in a line."""
        return self.value.title

    @property
    def meaning(self) -> str:
        """What it means, in full."""
        return self.value.meaning

    @property
    def mend(self) -> str:
        """What to do about it."""
        return self.value.mend

    @property
    def uri(self) -> str:
        """The problem's `type`, relative to this server: it explains it there (RFC 9457, section 3.1.1)."""
        return f"{PATH}/{self.slug}"


_BY_STATUS = {kind.status: kind for kind in Kind}


class ProblemError(Exception):
    """Answers the request with a problem.

    Args:
        kind: what kind of problem.
        detail: what went wrong this time, in a line.
        mend: what to do about it, "" when the kind says it all.
        headers: to send beside it (`Retry-After`, `WWW-Authenticate`, …).
        unseen: whether there may be what is said not to be there.
        extra: members of our own.
    """

    def __init__(
        self,
        kind: Kind,
        detail: str,
        *,
        mend: str = "",
        headers: Mapping[str, str] | None = None,
        unseen: bool = False,
        **extra: object,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.mend = mend
        self.headers = dict(headers or {})
        self.unseen = unseen
        self.extra = extra


def problem(status: int, detail: str, *, mend: str = "", **extra: object) -> JSONResponse:
    """A problem as a response.

    Args:
        status: HTTP status.
        detail: what went wrong this time.
        mend: what to do about it.
        extra: members of our own.
    """
    kind = _BY_STATUS.get(status)
    known = requestid.current()
    body = {
        "type": kind.uri if kind else "about:blank",
        "title": kind.title if kind else http.HTTPStatus(status).phrase,
        "status": status,
        "detail": detail[:_LONGEST],
        **({"instance": f"urn:otto:request:{known}", "request_id": known} if known else {}),
        **({"mend": mend} if mend else {}),
        **extra,
    }
    # What is too long is not read to its end, so that nothing can follow it.
    headers = {"connection": "close"} if status == http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE else None
    return JSONResponse(body, status, headers, MEDIA_TYPE)


def answer(error: ProblemError) -> JSONResponse:
    """The response to a problem that was raised."""
    response = problem(error.kind.status, error.detail, mend=error.mend, **error.extra)
    response.headers.update(error.headers)
    return response


def of(error: OttoError) -> ProblemError:
    """What an error of a use-case is to a caller.

    What somebody asked for and cannot be, and what has to wait, is a conflict with how things are; what may
    pass is to be tried again; anything else is ours, and told in its own words: they hold no secret.
    """
    if isinstance(error, ForbiddenError):
        return ProblemError(Kind.FORBIDDEN, error.message, mend=error.mend)
    if isinstance(error, UsageError | WaitingError):
        unseen = isinstance(error, UnseenError)
        return ProblemError(Kind.CONFLICT, error.message, mend=error.mend, unseen=unseen)
    if isinstance(error, TransientError):
        after = max(1, round(error.retry_after or _PAUSE))
        return ProblemError(
            Kind.UNAVAILABLE, error.message, mend=error.mend, headers={"retry-after": str(after)}
        )
    return ProblemError(Kind.INTERNAL, error.message, mend=error.mend)


async def _unnoted(_: Request, __: ProblemError) -> None:
    pass


def install(
    app: FastAPI,
    scrub: Callable[[str], str] = str,
    refused: Callable[[Request, ProblemError], Awaitable[None]] = _unnoted,
) -> None:
    """Have every error of an application answered this way.

    Args:
        app: the application.
        scrub: takes secrets out of a text.
        refused: hears of whatever is refused, and not of what is ours or somebody else's mistake.
    """

    async def raised(request: Request, error: Exception) -> JSONResponse:
        if not isinstance(error, ProblemError):
            raise error
        error.detail, error.mend = scrub(error.detail), scrub(error.mend)
        if error.kind.status < http.HTTPStatus.INTERNAL_SERVER_ERROR:
            await refused(request, error)
        return answer(error)

    async def known(request: Request, error: Exception) -> JSONResponse:
        if not isinstance(error, OttoError):
            raise error
        if not isinstance(error, UsageError | WaitingError):
            log.warning("api.refused", path=request.url.path, error=str(error))
        return await raised(request, of(error))

    async def invalid(request: Request, error: Exception) -> JSONResponse:
        return await raised(request, _unfit(error))

    app.add_exception_handler(ProblemError, raised)
    app.add_exception_handler(OttoError, known)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(Exception, unexpected)


async def _http(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        return await unexpected(request, error)
    nothing = error.status_code == http.HTTPStatus.NOT_FOUND and error.detail == "Not Found"
    response = problem(error.status_code, "nothing is at this path" if nothing else str(error.detail))
    response.headers.update(error.headers or {})
    return response


def _unfit(error: Exception) -> ProblemError:
    """What does not fit the description."""
    found = error.errors() if isinstance(error, RequestValidationError) else []
    # What was sent is not repeated: it may hold a secret.
    errors = [
        {"at": "/".join(str(part) for part in item["loc"])[:_LONGEST], "message": item["msg"][:_LONGEST]}
        for item in found[:_MOST]
    ]
    kind = Kind.MALFORMED if any(item["type"] == "json_invalid" for item in found) else Kind.INVALID
    return ProblemError(kind, "the request does not fit", errors=errors)


async def unexpected(request: Request, error: Exception) -> JSONResponse:
    """The answer to a mistake of ours."""
    log.error("api.failed", path=request.url.path, kind=type(error).__name__, exc_info=error)
    return answer(ProblemError(Kind.INTERNAL, "OttO made a mistake; its log has the whole story"))
