"""Errors of providers' libraries in our words, without secrets."""

import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

from otto.model.errors import OttoError, StaleError, TerminalError, TransientError
from otto.telemetry.redaction import Redactor

_WAIT = 30.0
_LONGEST_WAIT = 3600.0
_THROTTLED = frozenset(
    {"Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded"}
)
_BUSY = frozenset(
    {"PriorRequestNotComplete", "ServiceUnavailable", "InternalError", "InternalFailure", "RequestTimeout"}
)
_STALE_AWS = re.compile(r"but it (already exists|was not found)|values provided do not match", re.IGNORECASE)
_TOO_MANY, _CONFLICT, _PRECONDITION = 429, 409, 412
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _SERVER_ERROR = 401, 403, 404, 500
_REJECTED = "the provider says why; if it is right, correct the spec"
_CREDENTIALS = "correct what spec.credentials refers to, and what it may do"


def translated(error: Exception, provider: str, zone: str) -> OttoError:
    """An error as one of ours.

    Args:
        error: whatever a library raised.
        provider: whose zone it is.
        zone: its name.
    """
    if isinstance(error, OttoError):
        return error
    about = f"{provider}, {zone}"
    if code := _aws_code(error):
        return _aws(error, code, about)
    status, headers = _status(error)
    if status:
        return _http(error, status, headers, about)
    return _other(error, about)


def _aws_code(error: Exception) -> str:
    """The code of an error of AWS's (botocore.exceptions.ClientError)."""
    response = getattr(error, "response", None)
    if not isinstance(response, dict):
        return ""
    return str(response.get("Error", {}).get("Code", ""))


def _aws(error: Any, code: str, about: str) -> OttoError:  # noqa: ANN401
    message = _words(error.response["Error"].get("Message", "")) or code
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _THROTTLED:
        return TransientError(f"{about}: too many requests ({code})", retry_after=_WAIT)
    if code == "InvalidChangeBatch" and _STALE_AWS.search(message):
        return StaleError(f"{about} moved on since it was planned: {message}", mend="plan again")
    if code in _BUSY or status >= _SERVER_ERROR:
        return TransientError(f"{about}: {message} ({code})")
    mend = _CREDENTIALS if status in (_UNAUTHORIZED, _FORBIDDEN) or "Token" in code else _REJECTED
    return TerminalError(f"{about}: {message} ({code})", mend=mend)


def _status(error: Any) -> tuple[int, Mapping[str, str]]:  # noqa: ANN401
    """HTTP status and headers of an error of requests or of Google's, 0 for none."""
    response = getattr(error, "response", None)
    headers = getattr(response, "headers", None) or {}
    code = getattr(response, "status_code", None) or getattr(error, "code", None)
    if isinstance(code, int):
        return int(code), headers
    # Clients of octoDNS's providers turn these into exceptions of their own that keep nothing else.
    named = {"DigitalOceanClientUnauthorized": _UNAUTHORIZED, "DigitalOceanClientNotFound": _NOT_FOUND}
    return named.get(type(error).__name__, 0), headers


def _http(error: Exception, status: int, headers: Mapping[str, str], about: str) -> OttoError:
    message = _said(error)
    if status == _TOO_MANY or (status == _FORBIDDEN and "rateLimit" in message):
        return TransientError(f"{about}: too many requests", retry_after=_retry_after(headers))
    if status in (_CONFLICT, _PRECONDITION) or (status == _NOT_FOUND and "entity.change" in message):
        return StaleError(f"{about} moved on since it was planned: {message}", mend="plan again")
    if status >= _SERVER_ERROR:
        return TransientError(f"{about}: {message} ({status})", retry_after=_retry_after(headers, None))
    mend = _CREDENTIALS if status in (_UNAUTHORIZED, _FORBIDDEN) else _REJECTED
    return TerminalError(f"{about}: {message} ({status})", mend=mend)


def _said(error: Any) -> str:  # noqa: ANN401
    """What the other side said."""
    response = getattr(error, "response", None)
    try:
        told = response.json() if response is not None else {}
    except (ValueError, TypeError):
        told = {}
    if isinstance(told, dict):
        inner = told.get("message") or told.get("error")
        if isinstance(inner, dict):
            reasons = " ".join(
                str(each.get("reason", "")) for each in inner.get("errors", ()) if isinstance(each, dict)
            )
            inner = f"{inner.get('message', '')} {reasons}".strip()
        if inner:
            return _words(str(inner))
    return _words(str(error)) or type(error).__name__


def _retry_after(headers: Mapping[str, str], default: float | None = _WAIT) -> float | None:
    """Seconds to wait (RFC 9110, section 10.2.3; DigitalOcean tells the moment of the reset)."""
    after, reset = headers.get("Retry-After", ""), headers.get("RateLimit-Reset", "")
    seconds = (
        float(after) if after.isdecimal() else float(reset) - time.time() if reset.isdecimal() else default
    )
    return None if seconds is None else min(max(seconds, 1.0), _LONGEST_WAIT)


def _other(error: Exception, about: str) -> OttoError:
    kind, message = type(error).__name__, _words(str(error))
    if kind in ("SupportsException", "ValidationError", "RecordException"):
        return TerminalError(f"{about}: {message}", mend="use what the provider supports")
    if kind in (
        "NoCredentialsError",
        "PartialCredentialsError",
        "DefaultCredentialsError",
        "RefreshError",
        "MalformedError",
    ):
        return TerminalError(
            f"{about}: {message}", mend="set spec.credentials to a reference to the provider's credentials"
        )
    if message.startswith("PowerDNS unauthorized"):
        return TerminalError(f"{about}: the API key is refused", mend=_CREDENTIALS)
    if "is associated" in message or message.startswith("Multiple zones"):
        return TerminalError(f"{about}: {message}", mend="leave one zone of that name")
    return TransientError(f"{about}: {message or kind}")


def _words(text: str) -> str:
    return " ".join(text.split())[:500]


def without(secrets: Sequence[str], error: OttoError) -> OttoError:
    """An error that tells no secret, neither ours nor one that looks like one."""
    redactor = Redactor(secrets)
    error.message = redactor.scrub(error.message)
    error.mend = redactor.scrub(error.mend)
    error.detail = redactor.scrub(error.detail, lines=True)
    error.args = (error.message,)
    error.__cause__ = error.__context__ = None
    return error
