"""Answers, and what the API's description says of them."""

import http
import json
from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import Request, Response

from otto.api import etags
from otto.api.paging import Page
from otto.api.problems import MEDIA_TYPE, Kind
from otto.api.schemas import Schema, page_of, ref

JSON = "application/json"
Responses = dict[int | str, dict[str, Any]]

# What any route that is not public may answer.
_ANYWHERE = (
    Kind.MALFORMED,
    Kind.UNAUTHENTICATED,
    Kind.FORBIDDEN,
    Kind.METHOD_NOT_ALLOWED,
    Kind.TOO_LARGE,
    Kind.INVALID,
    Kind.TOO_MANY,
    Kind.HEAD_TOO_LARGE,
    Kind.INTERNAL,
    Kind.UNAVAILABLE,
)
_ID = {
    "X-Request-Id": {
        "description": "The request's id: the one that was sent, if it was well-formed.",
        "schema": {"type": "string"},
    }
}
_TAG = {"ETag": {"description": "Names this version (RFC 9110, 8.8.3).", "schema": {"type": "string"}}}
_LINK = {
    "Link": {
        "description": 'Leads to the next page, as `rel="next"` (RFC 8288); absent behind the last.',
        "schema": {"type": "string"},
    }
}


def one(name: str, description: str, *more: Kind, status: int = http.HTTPStatus.OK) -> Responses:
    """What the description says of a route that answers with one document."""
    return {
        **_ok(ref(name), description, status, _TAG if status == http.HTTPStatus.OK else {}),
        **_told(more),
    }


def many(name: str, description: str, *more: Kind) -> Responses:
    """What the description says of a route that answers with a page of a list."""
    return {**_ok(page_of(name), description, http.HTTPStatus.OK, _LINK), **_told(more)}


def inline(schema: Schema, description: str, *more: Kind) -> Responses:
    """What the description says of a route that answers with what has no name of its own."""
    return {**_ok(schema, description, http.HTTPStatus.OK, {}), **_told(more)}


def problems(*kinds: Kind) -> Responses:
    """What the description says of problems."""
    return {
        kind.status: {
            "description": kind.title,
            "headers": _ID,
            "content": {MEDIA_TYPE: {"schema": ref("Problem")}},
        }
        for kind in kinds
    }


def document(request: Request, data: object, *, status: int = http.HTTPStatus.OK) -> Response:
    """One document; to who has it already, that this is so.

    Args:
        request: asks for it; its `If-None-Match` counts where the answer is 200.
        data: plain data, or JSON as bytes.
        status: HTTP status.
    """
    body = data if isinstance(data, bytes) else encoded(data)
    if status != http.HTTPStatus.OK:
        return Response(body, status, media_type=JSON)
    tag = etags.of_bytes(body)
    if etags.unchanged(request.headers.get("if-none-match"), tag):
        return etags.not_modified(tag)
    # To be asked for again each time, and answered with 304 while nothing changed (RFC 9111, 5.2.2.4).
    return Response(body, status, {"etag": tag, "cache-control": "private, no-cache"}, JSON)


def listed(request: Request, page: Page, items: Iterable[bytes], following: str | None) -> Response:
    """A page of a list.

    Args:
        request: asks for it.
        page: which.
        items: each as JSON.
        following: cursor of the next page, None behind the last.
    """
    body = b'{"items":[' + b",".join(items) + b'],"next":' + encoded(following) + b"}"
    response = Response(body, media_type=JSON)
    page.link(request, response, following)
    return response


def encoded(data: object) -> bytes:
    """JSON, in ASCII: whatever a host or a file said, it can be sent and steers no terminal."""
    return json.dumps(data, separators=(",", ":")).encode("ascii")


def _ok(schema: Schema, description: str, status: int, headers: Mapping[str, Any]) -> Responses:
    found: Responses = {
        int(status): {
            "description": description,
            "headers": {**_ID, **headers},
            "content": {JSON: {"schema": schema}},
        }
    }
    if "ETag" in headers:
        found[304] = {"description": "The caller has this version", "headers": {**_ID, **_TAG}}
    return found


def _told(more: Iterable[Kind]) -> Responses:
    return problems(*_ANYWHERE, *more)
