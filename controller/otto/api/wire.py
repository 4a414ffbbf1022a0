"""What comes over the wire and is no request that a route could see: refused, as a problem like any other."""

import contextvars
import http
from collections.abc import Sequence

import h11
from starlette.types import Receive, Scope, Send

from otto.api import requestid
from otto.api.problems import Kind, ProblemError, answer
from otto.api.requests import LONGEST_HEAD, SECURE, Requests

_FULL = "too many clients are connected"
_CLOSE = {"connection": "close"}


async def _told_full(scope: Scope, receive: Receive, send: Send) -> None:
    headers = {"retry-after": "5", **_CLOSE}
    await answer(ProblemError(Kind.UNAVAILABLE, _FULL, headers=headers))(scope, receive, send)


full = Requests(_told_full)
"""Answers whoever there is no room for."""


def refusal(error: BaseException | None) -> Sequence[h11.Event]:
    """What is sent to who does not speak HTTP, or has too much to say before they come to the point.

    Args:
        error: what the parser raised.
    """
    hint = getattr(error, "error_status_hint", http.HTTPStatus.BAD_REQUEST)
    if hint == http.HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE:
        kind, detail = Kind.HEAD_TOO_LARGE, f"a request's line and headers may have {LONGEST_HEAD} bytes"
    else:
        kind, detail = Kind.MALFORMED, "this is not HTTP as it should be"
    return contextvars.copy_context().run(_events, ProblemError(kind, detail, headers=_CLOSE))


def _events(error: ProblemError) -> Sequence[h11.Event]:
    known = requestid.begin("")
    response = answer(error)
    headers = {**SECURE, requestid.HEADER: known, **dict(response.headers)}
    reason = http.HTTPStatus(response.status_code).phrase
    return (
        h11.Response(status_code=response.status_code, headers=[*headers.items()], reason=reason),
        h11.Data(data=bytes(response.body)),
        h11.EndOfMessage(),
    )
