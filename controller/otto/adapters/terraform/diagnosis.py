"""From Terraform's diagnostics to the errors of the house.

What a diagnostic points at decides first: a place in the configuration is for a person to mend, a
resource at its provider may well work next time. Only where that does not tell, a few documented words
of the providers do.
"""

import re
from collections.abc import Collection, Sequence
from enum import Enum

from otto.adapters.terraform.messages import Diagnostic
from otto.adapters.terraform.redaction import redact, shorten
from otto.model.errors import OttoError, TerminalError, TransientError, WaitingError

_LINE = 300


class Sort(Enum):
    """What a diagnostic calls for."""

    TERMINAL = "terminal"
    TRANSIENT = "transient"
    THROTTLED = "transient, and the provider asked for a pause"
    STALE = "transient, and only a new plan helps"
    LOCKED = "waiting"


# Terraform's own words (internal/command/meta.go, internal/backend/local): stable since 0.12.
_LOCKED = "Error acquiring the state lock"
_STALE = "Saved plan is stale"

# AWS "Common Errors" and "Error retries", DigitalOcean API status codes, Google RPC codes, RFC 6585.
_THROTTLED = re.compile(
    r"\b(Throttling\w*|ThrottledException|RequestLimitExceeded|TooManyRequests\w*|SlowDown"
    r"|RESOURCE_EXHAUSTED|rateLimitExceeded|429 Too Many Requests|StatusCode: 429)\b"
)
_UNREACHABLE = re.compile(
    r"(?i)\b(connection (refused|reset|timed out)|no such host|i/o timeout|TLS handshake timeout"
    r"|read timed out|context deadline exceeded|unexpected EOF|broken pipe|network is unreachable"
    r"|no route to host"
    r"|temporary failure in name resolution|50[0234] (Internal|Bad|Service|Gateway)|StatusCode: 50[0234]"
    r"|UNAVAILABLE|DEADLINE_EXCEEDED)\b"
)
_REFUSED = re.compile(
    r"\b(AccessDenied\w*|UnauthorizedOperation|AuthFailure|InvalidClientTokenId|SignatureDoesNotMatch"
    r"|UnrecognizedClientException|ExpiredToken\w*|No valid credential sources found"
    r"|Unable to authenticate you|PERMISSION_DENIED|UNAUTHENTICATED|401 Unauthorized|403 Forbidden"
    r"|StatusCode: 40[13])\b"
)
_PAUSE = 30.0


def sort(command: str, diagnostic: Diagnostic) -> Sort:
    """What one error calls for, given the command that met it."""
    said = f"{diagnostic.summary}\n{diagnostic.detail}"
    if diagnostic.summary == _STALE:
        return Sort.STALE
    if diagnostic.summary == _LOCKED and "Lock Info:" in diagnostic.detail:
        return Sort.LOCKED
    if _THROTTLED.search(said):
        return Sort.THROTTLED
    if _UNREACHABLE.search(said):
        return Sort.TRANSIENT
    if _REFUSED.search(said):
        return Sort.TERMINAL
    return Sort.TERMINAL if _is_ours(command, diagnostic) else Sort.TRANSIENT


def _is_ours(command: str, diagnostic: Diagnostic) -> bool:
    """Whether the mistake lies in the configuration, its variables or the installation."""
    if command == "init":
        return True
    if diagnostic.address.startswith("provider["):
        return True
    if diagnostic.address:
        return command == "plan" and diagnostic.attribute
    return diagnostic.located


def failure(
    command: str, site: str, diagnostics: Sequence[Diagnostic], output: str, secrets: Collection[str]
) -> OttoError:
    """The error that says why a command failed, secrets out, its length limited.

    When errors of several sorts come together, the one decides that lets OttO try again: what can be
    made will be, and what remains tells the truth by itself.

    Args:
        command: Terraform's command.
        site: whose.
        diagnostics: all it printed.
        output: what it printed besides, told when no diagnostic says why.
        secrets: values that must not be told.
    """
    errors = [diagnostic for diagnostic in diagnostics if diagnostic.is_error]
    sorts = {sort(command, error) for error in errors}
    reason = _reason(errors, redact(output, secrets), secrets)
    message = f"terraform {command} of site {site} failed: {reason}"
    detail = redact("\n\n".join(map(str, errors)) or output, secrets)
    if Sort.LOCKED in sorts:
        return WaitingError(
            f"another process holds Terraform's state lock of site {site}", mend=_holder(errors)
        )
    if Sort.STALE in sorts:
        return TransientError(
            f"the plan for site {site} is stale: its state has changed since", detail=detail
        )
    if sorts == {Sort.TERMINAL}:
        return TerminalError(message, mend=_mend(command), detail=detail)
    pause = _PAUSE if Sort.THROTTLED in sorts else None
    return TransientError(message, retry_after=pause, detail=detail)


def _reason(errors: Sequence[Diagnostic], output: str, secrets: Collection[str]) -> str:
    if not errors:
        lines = [line for line in output.splitlines() if line.strip()]
        return _line(lines[-1]) if lines else "it said nothing"
    first = errors[0]
    # Secrets go first: cut in two, they would not be known again.
    return _line(redact(str(first), secrets, limit=None)) + (
        f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    )


def _line(said: str) -> str:
    return " ".join(shorten(said, _LINE).split())


def _mend(command: str) -> str:
    if command == "init":
        return "check that the provider is installed and the module is whole"
    return "mend the spec, the module or the provider's credentials"


def _holder(errors: Sequence[Diagnostic]) -> str:
    detail = next(error.detail for error in errors if error.summary == _LOCKED)
    fields = dict(re.findall(r"(?m)^\s*(Who|Operation|Created):\s*(.+)$", detail))
    told = ", ".join(f"{name.lower()}: {value.strip()}" for name, value in fields.items())
    return f"wait for it or stop it ({told})" if told else "wait for it or stop it"
