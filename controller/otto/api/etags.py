"""Entity tags: strong hashes of content (RFC 9110, sections 8.8.3 and 13.1)."""

import hashlib

from fastapi import Response

from otto.api.problems import Kind, ProblemError
from otto.model.canonical import digest

_ANY = "*"


def etag(value: object) -> str:
    """The tag of a value of the model or plain data, in its quotes."""
    return quoted(digest(value))


def of_bytes(body: bytes) -> str:
    """The tag of an answer's own bytes."""
    return quoted(hashlib.sha256(body).hexdigest())


def quoted(name: str) -> str:
    """A digest as an entity tag."""
    return f'"{name}"'


def unchanged(given: str | None, present: str) -> bool:
    """Whether `If-None-Match` names the present version: then 304 will do.

    Args:
        given: the header, None without it.
        present: the present tag, in its quotes.
    """
    return given is not None and (given.strip() == _ANY or present in _tags(given, weak=True))


def require_match(given: str | None, present: str | None, *, needed: bool) -> None:
    """Go on only if the caller means the present version.

    Args:
        given: the header `If-Match`, None without it.
        present: the present tag in its quotes, None when there is nothing yet.
        needed: whether the header has to be there.

    Raises:
        ProblemError: PRECONDITION_REQUIRED without it, PRECONDITION_FAILED when it names another version.
    """
    if given is None:
        if needed:
            raise ProblemError(Kind.PRECONDITION_REQUIRED, "the header If-Match is missing")
        return
    matches = present is not None and (given.strip() == _ANY or present in _tags(given, weak=False))
    if not matches:
        headers = {"etag": present} if present else {}
        raise ProblemError(
            Kind.PRECONDITION_FAILED, "If-Match names another version than the present one", headers=headers
        )


def not_modified(tag: str) -> Response:
    """The answer to who has the present version already."""
    return Response(status_code=304, headers={"etag": tag})


def _tags(header: str, *, weak: bool) -> list[str]:
    """The tags of a list; a weak one matches only where weak comparison will do (section 8.8.3.2)."""
    found = [item.strip() for item in header.split(",")]
    return [item.removeprefix("W/") for item in found] if weak else found
