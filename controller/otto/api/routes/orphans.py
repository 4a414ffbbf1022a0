"""Orphans: hosts that no spec and no state owns."""

from fastapi import APIRouter, Request, Response

from otto.api import answers
from otto.api.access import Reader
from otto.api.inside import Within
from otto.api.paging import Key, Paged
from otto.model.host import LiveHost
from otto.reconcile import pricing, told
from otto.reconcile.documents import stray_document
from otto.reconcile.strays import Strays

router = APIRouter(tags=["inventory"])


@router.get(
    "/orphans",
    name="list_orphans",
    summary="Hosts that are nobody's",
    responses=answers.many("Orphan", "A page of orphans"),
)
async def orphans(request: Request, page: Paged, caller: Reader, inside: Within) -> Response:
    """Hosts under OttO's labels that no spec and no state owns, as the controller saw them last.

    They cost something and serve nobody. OttO never removes one unasked.
    """
    after = page.after(str, str, str)
    found = sorted(await told.orphans(inside.store), key=_key) if not caller.labels else []
    behind = [host for host in found if after is None or _key(host) > after][: page.probe]
    shown, following = page.cut(behind, _key)
    strays = Strays(tuple(shown), {}, pricing.tables(inside.kit.prices))
    items = (answers.encoded(stray_document(strays, host)) for host in shown)
    return answers.listed(request, page, items, following)


def _key(host: LiveHost) -> Key:
    return (host.site, host.name, host.id)
