"""The id of the request that is being answered: in its answer, in its problem, in every log line of it."""

import re
import uuid
from contextvars import ContextVar

HEADER = "x-request-id"

_FORM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_CURRENT: ContextVar[str] = ContextVar("otto_request_id", default="")


def current() -> str:
    """The id, "" outside of any request."""
    return _CURRENT.get()


def begin(given: str) -> str:
    """Take a request's id from its header if that is well-formed, else make one.

    Args:
        given: what `X-Request-Id` says, "" without it.
    """
    known = given if _FORM.fullmatch(given) else uuid.uuid4().hex
    _CURRENT.set(known)
    return known
