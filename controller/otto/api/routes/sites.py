"""Sites: what there is, and what is known of each."""

import http
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from otto.api import answers, writes
from otto.api.access import Reader, unseen
from otto.api.documents import ANY_PATCH, DocumentBody, PatchBody, described, of_kind
from otto.api.house import ServedHouse
from otto.api.inside import Inside, Within
from otto.api.paging import Paged
from otto.api.problems import Kind, ProblemError
from otto.api.routes.inventory import hosts_of_site
from otto.api.routes.runs import OutcomeQuery, listed_runs, place_of
from otto.api.selecting import LabelQuery, narrowed
from otto.api.sitenames import Name, Seen
from otto.api.writes import Wanted, Wish, carry_out
from otto.decide.documents import why_document
from otto.desk.explaining import SeeWhy
from otto.model.document import Kind as Document
from otto.model.errors import UsageError
from otto.model.register import Selection
from otto.model.spec import Provider
from otto.model.status import Phase
from otto.model.writing import Burial
from otto.reconcile.documents import inspection_document
from otto.reconcile.inspect import Inspector

router = APIRouter(tags=["sites"])

# A look asks hosts, a plan Terraform: as long as they may take.
_LOOK = 60.0
_PLAN = 180.0

PhaseQuery = Annotated[
    list[Phase] | None, Query(alias="phase", description="Only sites in this phase, or in one of these.")
]


@router.get(
    "/site",
    name="list_sites",
    summary="Sites with their statuses, by name",
    responses=answers.many("SiteStatus", "A page of sites"),
)
async def sites(
    request: Request,
    page: Paged,
    caller: Reader,
    inside: Within,
    label: LabelQuery = None,
    phase: PhaseQuery = None,
    ready: Annotated[bool | None, Query(description="Only sites that are Ready, or that are not.")] = None,
    provider: Annotated[Provider | None, Query(description="Only sites whose hosts live there.")] = None,
) -> Response:
    """What `otto status` shows, page by page."""
    after, labels = page.after(str), narrowed(caller, label)
    if labels is None:
        return answers.listed(request, page, (), None)
    wanted = Selection(labels, frozenset(phase or ()), ready, provider.value if provider else "")
    found = await inside.store.register.page(wanted, after=str(after[0]) if after else "", limit=page.probe)
    shown, following = page.cut(found, lambda site: (site.site,))
    return answers.listed(request, page, await inside.sheets.of(shown), following)


@router.get(
    "/site/{site:site}",
    name="get_site",
    summary="A site's spec",
    responses=answers.one(
        "Site", "The document, as it stands in the newest commit", Kind.NOT_FOUND, Kind.CONFLICT
    ),
)
async def spec(request: Request, site: Name, caller: Reader, inside: Within) -> Response:
    """The document as it was written, no defaults filled in; `PUT` takes it back. A bad one is shown too."""
    return await writes.fetched(request, inside, Document.SITE, site, caller)


@router.post(
    "/site/{site:site}",
    name="create_site",
    summary="Write a new site's spec",
    status_code=http.HTTPStatus.CREATED,
    responses=writes.told(http.HTTPStatus.CREATED),
    openapi_extra=described(of_kind("Site")),
)
async def create(site: Name, wish: Wanted, body: DocumentBody) -> Response:
    """One commit that adds the document in a file of its own; a tombstone that stands against it goes."""
    order = wish.stores.creation(Document.SITE, site, body, wish.asked(needed=False))
    return await carry_out(wish, order)


@router.put(
    "/site/{site:site}",
    name="replace_site",
    summary="Write a site's spec anew",
    responses=writes.told(),
    openapi_extra=described(of_kind("Site")),
)
async def put(site: Name, wish: Wanted, body: DocumentBody) -> Response:
    """One commit; comments and order of what does not change stay as they are. Needs `If-Match`."""
    order = wish.stores.replacement(Document.SITE, site, body, wish.asked(needed=True))
    return await carry_out(wish, order)


@router.patch(
    "/site/{site:site}",
    name="patch_site",
    summary="Change a site's spec",
    responses=writes.told(),
    openapi_extra=described(ANY_PATCH, patch=True),
)
async def patch(site: Name, wish: Wanted, body: PatchBody) -> Response:
    """One commit that applies a JSON merge patch (RFC 7396). Needs `If-Match`."""
    order = wish.stores.patch(Document.SITE, site, body, wish.asked(needed=True))
    return await carry_out(wish, order)


@router.delete(
    "/site/{site:site}",
    name="remove_site",
    summary="Take a site's spec out",
    responses=writes.told(),
)
async def remove(
    site: Name,
    wish: Wanted,
    teardown: Annotated[
        bool, Query(description="Put a tombstone in its place: the site is taken down. Needs scope admin.")
    ] = False,
    at: Annotated[
        datetime | None, Query(description="When it is taken down, with a time zone; at once without it.")
    ] = None,
) -> Response:
    """One commit. Without `teardown` nothing is destroyed: the site is orphaned, and keeps serving."""
    burial = _burial(wish, at) if teardown else None
    try:
        order = wish.stores.removal(Document.SITE, site, wish.asked(needed=False), burial)
    except UsageError as error:
        raise writes.refused(error) from error
    return await carry_out(wish, order)


def _burial(wish: Wish, at: datetime | None) -> Burial:
    if not wish.reason.strip():
        raise ProblemError(Kind.INVALID, "a teardown needs a reason", mend="send it as X-Reason")
    if at is not None and at.tzinfo is None:
        raise ProblemError(Kind.INVALID, "the time of the teardown has no time zone", mend="add Z, or +01:00")
    return Burial(wish.reason, at)


@router.get(
    "/site/{site:site}/status",
    name="get_site_status",
    summary="A site's status",
    responses=answers.one("SiteStatus", "The status", Kind.NOT_FOUND),
)
async def status(request: Request, seen: Seen, inside: Within) -> Response:
    """What `otto status SITE` shows: phase, conditions, endpoints, hosts, what it waits for."""
    for found in await inside.sheets.of([seen]):
        return answers.document(request, found)
    raise unseen(f"site {seen.site!r}")


@router.get(
    "/site/{site:site}/why",
    name="get_site_why",
    summary="Why a site is as it is",
    responses=answers.one("Why", "The answer", Kind.NOT_FOUND),
)
async def why(request: Request, seen: Seen, caller: Reader, inside: Within) -> Response:
    """What `otto why SITE` shows: what it does or waits for, what is in its way, and what helps."""
    found = await SeeWhy(seen.site).answer(ServedHouse(inside, caller))
    return answers.document(request, why_document(found))


@router.get(
    "/site/{site:site}/diff",
    name="get_site_diff",
    summary="What is not as a site's spec says",
    responses=answers.one("Diff", "What differs", Kind.NOT_FOUND, Kind.CONFLICT),
)
async def diff(request: Request, seen: Seen, inside: Within) -> Response:
    """What `otto diff SITE` shows, from a fresh look. Changes nothing."""
    found = await inside.look(lambda: _inspector(inside).differences(seen.site), _LOOK)
    return answers.document(request, inspection_document(found))


@router.get(
    "/site/{site:site}/plan",
    name="get_site_plan",
    summary="What would be done about a site",
    responses=answers.one("Plan", "The plan, and what the guard says of it", Kind.NOT_FOUND, Kind.CONFLICT),
)
async def plan(request: Request, seen: Seen, inside: Within) -> Response:
    """What `otto plan SITE` shows: made anew, judged by the guard, and not carried out."""
    found = await inside.look(lambda: _inspector(inside).plan(seen.site), _PLAN)
    return answers.document(request, inspection_document(found))


def _inspector(inside: Inside) -> Inspector:
    return Inspector(inside.kit, inside.controller.reconciler.knowledge)


@router.get(
    "/site/{site:site}/history",
    name="get_site_history",
    summary="Runs over a site, newest first",
    responses=answers.many("Run", "A page of runs", Kind.NOT_FOUND),
)
async def history(
    request: Request, seen: Seen, page: Paged, inside: Within, outcome: OutcomeQuery = None
) -> Response:
    """What `otto history SITE` shows: what was done, step by step."""
    before = place_of(page)
    found = await inside.store.runs(seen.site, page.probe, outcome=outcome, before=before)
    return listed_runs(request, page, found)


@router.get(
    "/site/{site:site}/inventory",
    name="get_site_inventory",
    summary="A site's hosts, by name",
    responses=answers.many("Host", "A page of hosts", Kind.NOT_FOUND),
)
async def inventory(request: Request, seen: Seen, page: Paged, inside: Within) -> Response:
    """Its hosts as Terraform's state has them, with what was observed of each last."""
    return await hosts_of_site(request, page, inside, seen)
