"""Nameservers and records of zones: what is written edits the zone's document."""

import http
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from otto.api import answers, writes
from otto.api.access import Reader
from otto.api.documents import (
    OptionalBody,
    described,
)
from otto.api.etags import not_modified, quoted, unchanged
from otto.api.inside import Within
from otto.api.paging import Page, Paged
from otto.api.problems import Kind, ProblemError
from otto.api.schemas import Schema, ref
from otto.api.writes import Wanted, carry_out
from otto.api.zonenames import Zone
from otto.decide.dns import edits
from otto.model.document import Document
from otto.model.document import Kind as Kinds
from otto.model.errors import UsageError
from otto.reconcile.stores.stores import Edit

router = APIRouter(tags=["domains"])

_LONGEST = 9000
_MOST = 200

NameserversQuery = Annotated[
    str,
    Query(
        alias="ns",
        max_length=4000,
        description="Host names of nameservers, separated by commas.",
        examples=["ns1.example.net,ns2.example.net"],
    ),
]
RecordsQuery = Annotated[
    list[Annotated[str, Query(max_length=_LONGEST)]] | None,
    Query(
        alias="rec",
        max_length=_MOST,
        description="A record, as `NAME [TTL] TYPE VALUE`; where records are only named, `NAME`, `NAME TYPE` "
        "or `NAME TYPE VALUE`. `@` is the zone itself. May be given several times.",
        examples=[["www 300 A 192.0.2.10"]],
    ),
]
_RECORDS: Schema = {
    "description": "A record set, a list of them, or an object with such a list as `records`.",
    "anyOf": [
        ref("Record"),
        {"type": "array", "items": ref("Record")},
        {
            "type": "object",
            "properties": {"records": {"type": "array", "items": ref("Record")}},
            "required": ["records"],
        },
    ],
}


@router.get(
    "/dom/ns/{domain:zone}",
    name="get_nameservers",
    summary="A zone's nameservers",
    responses=answers.one("Nameservers", "Those of its spec", Kind.NOT_FOUND, Kind.CONFLICT),
)
async def nameservers(request: Request, domain: Zone, caller: Reader, inside: Within) -> Response:
    """What its parent is to delegate to. The tag is that of the zone's document."""
    found = await writes.found(inside, Kinds.DOMAIN, domain, caller)
    return _tagged(request, found, {"domain": domain, "nameservers": edits.nameservers(found.data)})


@router.post(
    "/dom/ns/{domain:zone}",
    name="set_nameservers",
    summary="Set a zone's nameservers",
    responses=writes.told(),
)
async def set_nameservers(domain: Zone, wish: Wanted, ns: NameserversQuery) -> Response:
    """These and no others, in the zone's spec. What comes of it at the parent needs approval."""
    names = _names(ns)
    if not names:
        raise ProblemError(Kind.INVALID, "no nameserver is named", mend="ns=ns1.example.net,ns2.example.net")
    return await _edit(wish, domain, lambda data: edits.with_nameservers(data, names), "set nameservers of")


@router.delete(
    "/dom/ns/{domain:zone}",
    name="remove_nameservers",
    summary="Take nameservers out of a zone's spec",
    responses=writes.told(),
)
async def remove_nameservers(domain: Zone, wish: Wanted, ns: NameserversQuery = "") -> Response:
    """Those that are named, or all: then the delegation is left alone."""
    names = _names(ns)
    return await _edit(
        wish, domain, lambda data: edits.without_nameservers(data, names), "remove nameservers of"
    )


@router.get(
    "/dom/dns/{domain:zone}",
    name="list_records",
    summary="A zone's record sets",
    responses=answers.many("Record", "A page of record sets", Kind.NOT_FOUND, Kind.CONFLICT),
)
async def records(
    request: Request, page: Paged, domain: Zone, caller: Reader, inside: Within, rec: RecordsQuery = None
) -> Response:
    """Record sets as the zone's spec has them, by name and type. The tag is that of the zone's document."""
    after = page.after(str, str, int)
    found = await writes.found(inside, Kinds.DOMAIN, domain, caller)
    items = edits.sorted_by_name(found.data, edits.selected(found.data, _selectors(rec)))
    behind = [one for one in items if after is None or one[0] > after][: page.probe]
    shown, following = page.cut(behind, lambda one: one[0])
    return _page(request, page, found, [item for _, item in shown], following)


@router.post(
    "/dom/dns/{domain:zone}",
    name="add_records",
    summary="Add records to a zone",
    responses=writes.told(),
    openapi_extra=described(_RECORDS, needed=False),
)
async def add_records(domain: Zone, wish: Wanted, body: OptionalBody, rec: RecordsQuery = None) -> Response:
    """Values are added to the record set of their name and type; where there is none, it is made."""
    items = _items(body, rec)
    return await _edit(wish, domain, lambda data: edits.with_records(data, items), "add records to")


@router.put(
    "/dom/dns/{domain:zone}",
    name="replace_records",
    summary="Replace records of a zone",
    responses=writes.told(),
    openapi_extra=described(_RECORDS, needed=False),
)
async def replace_records(
    domain: Zone, wish: Wanted, body: OptionalBody, rec: RecordsQuery = None
) -> Response:
    """A body replaces all record sets, `rec` those of its names and types; what stays keeps its place.

    Needs `If-Match`.
    """
    items = _items(body, rec)
    only = [edits.Selector(str(one["name"]), str(one["type"])) for one in items] if body is None else []
    change = lambda data: edits.replaced_records(data, items, only)  # noqa: E731
    return await _edit(wish, domain, change, "replace records of", needed=True)


@router.delete(
    "/dom/dns/{domain:zone}",
    name="remove_records",
    summary="Take records out of a zone's spec",
    responses=writes.told(),
)
async def remove_records(domain: Zone, wish: Wanted, rec: RecordsQuery = None) -> Response:
    """The sets, or single values, that `rec` names; without it all of them."""
    only = _selectors(rec)
    return await _edit(wish, domain, lambda data: edits.without_records(data, only), "remove records of")


async def _edit(wish: Wanted, domain: str, change: Edit, verb: str, *, needed: bool = False) -> Response:
    order = wish.stores.edit(Kinds.DOMAIN, domain, change, verb, wish.asked(needed=needed))
    return await carry_out(wish, order)


def _names(text: str) -> list[str]:
    return [name.strip().lower().removesuffix(".") for name in text.split(",") if name.strip()]


def _selectors(rec: Sequence[str] | None) -> list[edits.Selector]:
    try:
        return [edits.selector(text) for text in rec or ()]
    except UsageError as error:
        raise ProblemError(Kind.INVALID, error.message, mend=error.mend) from error


def _items(body: object, rec: Sequence[str] | None) -> list[dict[str, Any]]:
    """Records out of the body or the query, whichever was sent.

    Raises:
        ProblemError: INVALID: both, neither, or what is no record.
    """
    if (body is None) == (not rec):
        raise ProblemError(Kind.INVALID, "records are sent as a JSON body or as rec, one of the two")
    if body is None:
        try:
            return edits.together(edits.item(text) for text in rec or ())
        except UsageError as error:
            raise ProblemError(Kind.INVALID, error.message, mend=error.mend) from error
    found = body.get("records", body) if isinstance(body, dict) else body
    sent = found if isinstance(found, list) else [found]
    items = [one for one in sent if isinstance(one, dict) and isinstance(one.get("name"), str)]
    if len(items) != len(sent):
        raise ProblemError(Kind.INVALID, "a record is an object with a name", mend="see schema Record")
    if not all(isinstance(one.get("values", []), list) for one in items):
        raise ProblemError(Kind.INVALID, "the values of a record are a list", mend="see schema Record")
    return items


def _tagged(request: Request, found: Document, data: object) -> Response:
    tag = quoted(found.etag)
    if unchanged(request.headers.get("if-none-match"), tag):
        return not_modified(tag)
    headers = {"etag": tag, "cache-control": "private, no-cache"}
    return Response(answers.encoded(data), http.HTTPStatus.OK, headers, answers.JSON)


def _page(
    request: Request, page: Page, found: Document, items: Sequence[object], following: str | None
) -> Response:
    response = answers.listed(request, page, map(answers.encoded, items), following)
    response.headers["etag"] = quoted(found.etag)
    return response
