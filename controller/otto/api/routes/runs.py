"""Runs: what was done to sites, step by step."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from otto.api import answers
from otto.api.access import Reader, require_seen, unseen
from otto.api.inside import Within
from otto.api.paging import Key, Page, Paged
from otto.api.problems import Kind
from otto.api.selecting import LabelQuery, SiteQuery, narrowed
from otto.model.canonical import to_data
from otto.model.register import Place
from otto.model.run import Outcome, Run

router = APIRouter(tags=["runs"])

OutcomeQuery = Annotated[Outcome | None, Query(description="Only those that ended so, or that go on.")]
RunId = Annotated[str, Path(description="A run's id.", max_length=100, examples=["20260102T030405-0a1b2c"])]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@router.get(
    "/runs",
    name="list_runs",
    summary="Runs, newest first",
    responses=answers.many("Run", "A page of runs"),
)
async def runs(
    request: Request,
    page: Paged,
    caller: Reader,
    inside: Within,
    site: SiteQuery = None,
    label: LabelQuery = None,
    outcome: OutcomeQuery = None,
) -> Response:
    """What was done to all sites, or to one; those of a site that is gone stay, for who asks for no label."""
    before, labels = place_of(page), narrowed(caller, label)
    if labels is None:
        return answers.listed(request, page, (), None)
    found = await inside.store.runs(site, page.probe, labels=labels or None, outcome=outcome, before=before)
    return listed_runs(request, page, found)


@router.get(
    "/runs/{run_id}",
    name="get_run",
    summary="One run",
    responses=answers.one("Run", "The run", Kind.NOT_FOUND),
)
async def run(request: Request, run_id: RunId, caller: Reader, inside: Within) -> Response:
    """All of one run: every step, with what it found and did."""
    found = await inside.store.run(run_id)
    if found is None:
        raise unseen(f"run {run_id!r}")
    if caller.labels:
        listed = await inside.store.register.listed(found.site)
        require_seen(caller, listed.labels if listed else None, f"run {run_id!r}")
    return answers.document(request, to_data(found))


def listed_runs(request: Request, page: Page, found: Sequence[Run]) -> Response:
    """A page of runs."""
    shown, following = page.cut(found, lambda item: key_of(item.started_at, item.id))
    return answers.listed(request, page, (answers.encoded(to_data(item)) for item in shown), following)


def key_of(at: datetime, name: str) -> Key:
    """The key of something in a list that is sorted by time."""
    return (round((at - _EPOCH) / timedelta(microseconds=1)), name)


def place_of(page: Page) -> Place | None:
    """The place behind which a page of such a list begins.

    Raises:
        ProblemError: the cursor is none that this list gave out.
    """
    key = page.after(int, str)
    if key is None:
        return None
    try:
        return Place(_EPOCH + timedelta(microseconds=int(key[0])), str(key[1]))
    except OverflowError as error:
        raise page.bad from error
