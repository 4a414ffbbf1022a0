"""Inventory: hosts that OttO made, and those people declared, with what was observed of each last."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from otto.api import answers
from otto.api.access import Reader, require_seen, unseen
from otto.api.hostnames import MADE, Item
from otto.api.inside import Inside, Within
from otto.api.paging import Key, Page, Paged
from otto.api.problems import Kind
from otto.api.routes.declared import declared
from otto.api.selecting import LabelQuery, SiteQuery, narrowed
from otto.model.register import Listed, Selection
from otto.model.spec import Role
from otto.reconcile.declaredviews import unplaced_views
from otto.reconcile.hostview import HostView

router = APIRouter(tags=["inventory"])

# Sites whose hosts are looked at for one page: where most have none, it may hold fewer than were asked for.
_SITES = 300
# At once at most: what is read of a site in vain costs as much as what is shown.
_TOGETHER = 50
_BEHIND = "\U0010ffff"  # behind every name of a host


@router.get(
    "/inv",
    name="list_hosts",
    summary="Hosts, by site and name",
    responses=answers.many("Host", "A page of hosts"),
)
async def hosts(
    request: Request,
    page: Paged,
    caller: Reader,
    inside: Within,
    label: LabelQuery = None,
    site: SiteQuery = None,
    role: Annotated[Role | None, Query(description="Only hosts that do this.")] = None,
) -> Response:
    """All hosts, made and declared ones, with what was observed of each last.

    A page may hold fewer items than were asked for; it is the last one when `next` is null.
    """
    labels = narrowed(caller, label)
    if labels is None:
        return answers.listed(request, page, (), None)
    if site is not None:
        listed = await inside.store.register.listed(site)
        wanted = listed is not None and labels.items() <= listed.labels.items()
        return await _of(request, page, inside, [listed] if listed and wanted else [], role)
    return await _everywhere(request, page, inside, Selection(labels), role)


@router.get(
    "/inv/{item}",
    name="get_host",
    summary="One host",
    responses=answers.one("Host", "The host", Kind.NOT_FOUND, Kind.CONFLICT),
)
async def host(request: Request, item: Item, caller: Reader, inside: Within) -> Response:
    """One host, with what was observed of it last; of a declared one, `declaration` is what `PUT` takes back.

    Of a declared one, the tag is that of its declaration, and changes with nothing else.
    """
    made = MADE.fullmatch(item)
    if made is None:
        return await declared(inside, item, caller)
    listed = await inside.store.register.listed(made["site"]) if made else None
    require_seen(caller, listed.labels if listed else None, f"host {item!r}")
    for view in await _views(inside, [listed] if listed else []):
        if view.host.name == item:
            return answers.document(request, view.document())
    raise unseen(f"host {item!r}")


async def hosts_of_site(request: Request, page: Page, inside: Inside, site: Listed) -> Response:
    """A page of one site's hosts."""
    return await _of(request, page, inside, [site], None)


async def _of(
    request: Request, page: Page, inside: Inside, sites: Sequence[Listed], role: Role | None
) -> Response:
    after = page.after(str, str)
    found = [view for view in await _views(inside, sites) if _fits(view, role, after)]
    return _listed(request, page, found[: page.probe])


async def _everywhere(
    request: Request, page: Page, inside: Inside, wanted: Selection, role: Role | None
) -> Response:
    """Site after site until the page is full, or enough was looked at."""
    after = page.after(str, str)
    register, found, looked, last = inside.store.register, list[HostView](), 0, ""
    if after is None or not after[0]:
        views = await inside.bridge.run(unplaced_views(inside.controller, wanted.labels))
        found += [view for view in views if _fits(view, role, after)]
    elif after is not None:
        last = str(after[0])
        first = await register.listed(last)
        meant = [first] if first and wanted.labels.items() <= first.labels.items() else []
        found += [view for view in await _views(inside, meant) if _fits(view, role, after)]
    while len(found) <= page.limit and looked < _SITES:
        lacking = page.probe - len(found)
        some = await register.page(wanted, after=last, limit=min(_TOGETHER, lacking // 2 + 1))
        if not some:
            return _listed(request, page, found)
        found += [view for view in await _views(inside, some) if _fits(view, role, None)]
        last, looked = some[-1].site, looked + len(some)
    return _listed(request, page, found[: page.probe], goes_on=(last, _BEHIND))


def _listed(request: Request, page: Page, found: Sequence[HostView], goes_on: Key | None = None) -> Response:
    shown, following = page.cut(found, _key)
    if following is None and goes_on is not None:
        following = page.behind(goes_on)
    return answers.listed(request, page, (answers.encoded(view.document()) for view in shown), following)


async def _views(inside: Inside, sites: Sequence[Listed]) -> list[HostView]:
    """Hosts of sites, by site and name. What was observed is read as it is at this moment, asking nobody."""
    names = [site.site for site in sites]
    sheets = await inside.store.register.sheets(names)
    sentinel = inside.controller.reconciler.sentinel
    return [view for name in names if name in sheets for view in sentinel.views(sheets[name].status)]


def _fits(view: HostView, role: Role | None, after: Key | None) -> bool:
    return role in (None, view.host.role if view.site else None) and (after is None or _key(view) > after)


def _key(view: HostView) -> Key:
    return (view.site, view.host.name)
