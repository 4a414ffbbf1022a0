"""The id of the request that is being answered: in its answer, in its problem, in every log line of it."""

import itertools
import re
import secrets
from contextvars import ContextVar

HEADER = "x-request-id"

_FORM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PROCESS = secrets.token_hex(10)
_COUNT = itertools.count(secrets.randbits(24))
_CURRENT: ContextVar[str] = ContextVar("otto_request_id", default="")


def current() -> str:
    """The id, "" outside of any request."""
    return _CURRENT.get()


def begin(given: str) -> str:
    """Take a request's id from its header if that is well-formed, else make one.

    Args:
        given: what `X-Request-Id` says, "" without it.
    """
    # Counted on from chance: to ask the system for more of it each time would hand the interpreter over.
    known = given if _FORM.fullmatch(given) else f"{_PROCESS}{next(_COUNT):012x}"
    _CURRENT.set(known)
    return known
