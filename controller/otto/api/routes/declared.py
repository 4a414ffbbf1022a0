"""Machines that people declare: written as documents of kind Host."""

import http

from fastapi import APIRouter, Response

from otto.api import answers, writes
from otto.api.documents import ANY_PATCH, DocumentBody, PatchBody, described, of_kind
from otto.api.etags import quoted
from otto.api.hostnames import MADE, Item
from otto.api.inside import Inside
from otto.api.problems import Kind, ProblemError
from otto.api.writes import Wanted, carry_out
from otto.decide import withheld
from otto.model.caller import Caller
from otto.model.document import Kind as Document
from otto.reconcile.declaredviews import declared_view

router = APIRouter(tags=["inventory"])


@router.post(
    "/inv/{item}",
    name="declare_host",
    summary="Declare a machine",
    status_code=http.HTTPStatus.CREATED,
    responses=writes.told(http.HTTPStatus.CREATED),
    openapi_extra=described(of_kind("DeclaredHost")),
)
async def declare(item: Item, wish: Wanted, body: DocumentBody) -> Response:
    """One commit that adds a document of kind Host: OttO configures and watches it, and makes nothing."""
    _require_declarable(item)
    order = wish.stores.creation(Document.HOST, item, body, wish.asked(needed=False))
    return await carry_out(wish, order)


@router.put(
    "/inv/{item}",
    name="replace_host",
    summary="Declare a machine anew",
    responses=writes.told(),
    openapi_extra=described(of_kind("DeclaredHost")),
)
async def put(item: Item, wish: Wanted, body: DocumentBody) -> Response:
    """One commit; comments and order of what does not change stay as they are. Needs `If-Match`."""
    _require_declarable(item)
    order = wish.stores.replacement(Document.HOST, item, body, wish.asked(needed=True))
    return await carry_out(wish, order)


@router.patch(
    "/inv/{item}",
    name="patch_host",
    summary="Change a machine's declaration",
    responses=writes.told(),
    openapi_extra=described(ANY_PATCH, patch=True),
)
async def patch(item: Item, wish: Wanted, body: PatchBody) -> Response:
    """One commit that applies a JSON merge patch (RFC 7396). Needs `If-Match`."""
    _require_declarable(item)
    order = wish.stores.patch(Document.HOST, item, body, wish.asked(needed=True))
    return await carry_out(wish, order)


@router.delete(
    "/inv/{item}",
    name="remove_host",
    summary="Take a machine's declaration out",
    responses=writes.told(),
)
async def remove(item: Item, wish: Wanted) -> Response:
    """One commit. The machine stays as it is: no balancer sends to it any more, and nobody watches it."""
    _require_declarable(item)
    return await carry_out(wish, wish.stores.removal(Document.HOST, item, wish.asked(needed=False)))


def _require_declarable(item: str) -> None:
    """See to it that a host is none that OttO makes: those are what their site's spec says.

    Raises:
        ProblemError: CONFLICT: it is.
    """
    made = MADE.fullmatch(item)
    if made is not None:
        detail = f"{item} goes by the name of hosts that OttO makes, as their site's spec says"
        raise ProblemError(Kind.CONFLICT, detail, mend=f"change the site instead: PATCH /site/{made['site']}")


async def declared(inside: Inside, item: str, caller: Caller) -> Response:
    """A declared host: its declaration, and what was observed of it."""
    found = await writes.found(inside, Document.HOST, item, caller)
    view = await inside.bridge.run(declared_view(inside.controller, item))
    body = {**view.document(), "declaration": withheld.shown(found.data)}
    headers = {"etag": quoted(found.etag), "cache-control": "private, no-cache"}
    return Response(answers.encoded(body), http.HTTPStatus.OK, headers, answers.JSON)
