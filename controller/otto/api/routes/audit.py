"""The audit record: who did what, when, and why."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BeforeValidator

from otto.api import answers
from otto.api.access import Reader
from otto.api.inside import Within
from otto.api.paging import Paged
from otto.api.selecting import LabelQuery, SiteQuery, narrowed
from otto.decide.documents import record_document

router = APIRouter(tags=["audit"])

_LARGEST = 2**63 - 1


def _no_number(value: object) -> object:
    """Refuse what pydantic would take for seconds since 1970.

    Raises:
        ValueError: it is no date.
    """
    if isinstance(value, str) and "-" not in value[1:]:
        raise ValueError("a time is to be given as ISO 8601, with its zone")
    return value


@router.get(
    "/audit",
    name="list_audit_records",
    summary="The audit record, newest first",
    responses=answers.many("AuditRecord", "A page of records"),
)
async def audit(
    request: Request,
    page: Paged,
    caller: Reader,
    inside: Within,
    site: SiteQuery = None,
    label: LabelQuery = None,
    since: Annotated[
        AwareDatetime | None,
        Query(description="No older ones; ISO 8601, with the zone."),
        BeforeValidator(_no_number),
    ] = None,
) -> Response:
    """Every verdict of the guard, and everything that people said; each holds the hash of the one before."""
    after = page.after(int)
    number = int(after[0]) if after else None
    if number is not None and abs(number) > _LARGEST:
        raise page.bad
    labels = narrowed(caller, label)
    if labels is None:
        return answers.listed(request, page, (), None)
    found = await inside.kit.ledger.latest(
        site=site, since=since, limit=page.probe, labels=labels or None, before=number
    )
    shown, following = page.cut(found, lambda record: (record.number,))
    items = (answers.encoded(record_document(record)) for record in shown)
    return answers.listed(request, page, items, following)
