"""Orphans: hosts that no spec and no state owns."""

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response

from otto.api import answers
from otto.api.access import Reader
from otto.api.inside import Inside, Within
from otto.api.paging import Key, Paged
from otto.api.selecting import LabelQuery, narrowed
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
async def orphans(
    request: Request, page: Paged, caller: Reader, inside: Within, label: LabelQuery = None
) -> Response:
    """Hosts under OttO's labels that no spec and no state owns, as the controller saw them last.

    They cost something and serve nobody. OttO never removes one unasked. A label is one of the site that a
    host says it was made for, where there is one.
    """
    after, labels = page.after(str, str, str), narrowed(caller, label)
    if labels is None:
        return answers.listed(request, page, (), None)
    found = sorted(await _having(inside, labels), key=_key)
    behind = [host for host in found if after is None or _key(host) > after][: page.probe]
    shown, following = page.cut(behind, _key)
    strays = Strays(tuple(shown), {}, pricing.tables(inside.kit.prices))
    items = (answers.encoded(stray_document(strays, host)) for host in shown)
    return answers.listed(request, page, items, following)


async def _having(inside: Inside, labels: Mapping[str, str]) -> list[LiveHost]:
    found = await told.orphans(inside.store)
    if not labels:
        return list(found)
    sites = {host.site: await inside.store.register.listed(host.site) for host in found}
    meant = {name for name, listed in sites.items() if listed and labels.items() <= listed.labels.items()}
    return [host for host in found if host.site in meant]


def _key(host: LiveHost) -> Key:
    return (host.site, host.name, host.id)
