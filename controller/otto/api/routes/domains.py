"""Domains: zones as documents of the spec repository."""

import http
from typing import Any

from fastapi import APIRouter, Request, Response

from otto.api import answers, writes
from otto.api.access import Reader
from otto.api.documents import (
    ANY_PATCH,
    DocumentBody,
    PatchBody,
    described,
    of_kind,
)
from otto.api.inside import Within
from otto.api.paging import Paged
from otto.api.problems import Kind
from otto.api.selecting import LabelQuery, narrowed
from otto.api.writes import Wanted, carry_out
from otto.api.zonenames import Zone
from otto.model.document import Kind as Kinds
from otto.reconcile.stores.zones import ZoneView, zones

router = APIRouter(tags=["domains"])


@router.get(
    "/dom",
    name="list_domains",
    summary="Zones, by name",
    responses=answers.many("Zone", "A page of zones"),
)
async def domains(
    request: Request, page: Paged, caller: Reader, inside: Within, label: LabelQuery = None
) -> Response:
    """All zones that the newest commit describes, good specs and bad ones."""
    after, labels = page.after(str), narrowed(caller, label)
    if labels is None:
        return answers.listed(request, page, (), None)
    found = await inside.bridge.run(zones(inside.controller.fleet))
    behind = str(after[0]) if after else ""
    wanted = [one for one in found if one.name > behind and labels.items() <= one.labels.items()]
    shown, following = page.cut(wanted[: page.probe], lambda one: (one.name,))
    return answers.listed(request, page, (answers.encoded(_zone(one)) for one in shown), following)


def _zone(view: ZoneView) -> dict[str, Any]:
    spec = view.spec
    links = {"self": f"/dom/{view.name}", "ns": f"/dom/ns/{view.name}", "dns": f"/dom/dns/{view.name}"}
    return {
        "name": view.name,
        "labels": dict(view.labels),
        "provider": spec.provider.value if spec else "",
        "registrar": spec.registrar if spec else "",
        "nameservers": list(spec.nameservers) if spec else [],
        "records": len(spec.records) if spec else 0,
        "suspend": bool(spec and spec.suspend),
        "problems": list(view.problems),
        "links": links,
    }


@router.get(
    "/dom/{domain:zone}",
    name="get_domain",
    summary="A zone's spec",
    responses=answers.one(
        "Domain", "The document, as it stands in the newest commit", Kind.NOT_FOUND, Kind.CONFLICT
    ),
)
async def domain(request: Request, domain: Zone, caller: Reader, inside: Within) -> Response:
    """The document as it was written, no defaults filled in; `PUT` takes it back. A bad one is shown too."""
    return await writes.fetched(request, inside, Kinds.DOMAIN, domain, caller)


@router.post(
    "/dom/{domain:zone}",
    name="create_domain",
    summary="Write a new zone's spec",
    status_code=http.HTTPStatus.CREATED,
    responses=writes.told(http.HTTPStatus.CREATED),
    openapi_extra=described(of_kind("Domain")),
)
async def create(domain: Zone, wish: Wanted, body: DocumentBody) -> Response:
    """One commit that adds the document in a file of its own."""
    order = wish.stores.creation(Kinds.DOMAIN, domain, body, wish.asked(needed=False))
    return await carry_out(wish, order)


@router.put(
    "/dom/{domain:zone}",
    name="replace_domain",
    summary="Write a zone's spec anew",
    responses=writes.told(),
    openapi_extra=described(of_kind("Domain")),
)
async def put(domain: Zone, wish: Wanted, body: DocumentBody) -> Response:
    """One commit; comments and order of what does not change stay as they are. Needs `If-Match`."""
    order = wish.stores.replacement(Kinds.DOMAIN, domain, body, wish.asked(needed=True))
    return await carry_out(wish, order)


@router.patch(
    "/dom/{domain:zone}",
    name="patch_domain",
    summary="Change a zone's spec",
    responses=writes.told(),
    openapi_extra=described(ANY_PATCH, patch=True),
)
async def patch(domain: Zone, wish: Wanted, body: PatchBody) -> Response:
    """One commit that applies a JSON merge patch (RFC 7396). Needs `If-Match`."""
    order = wish.stores.patch(Kinds.DOMAIN, domain, body, wish.asked(needed=True))
    return await carry_out(wish, order)


@router.delete(
    "/dom/{domain:zone}",
    name="remove_domain",
    summary="Take a zone's spec out",
    responses=writes.told(),
)
async def remove(domain: Zone, wish: Wanted) -> Response:
    """One commit. The zone is orphaned: its records stay as they are."""
    return await carry_out(wish, wish.stores.removal(Kinds.DOMAIN, domain, wish.asked(needed=False)))
