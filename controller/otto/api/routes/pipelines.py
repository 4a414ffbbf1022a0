"""Pipelines: what pushes, webhooks, schedules and people set going."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from otto.api import answers
from otto.api.access import Reader, require_seen, unseen
from otto.api.inside import Within
from otto.api.paging import Paged
from otto.api.problems import Kind
from otto.api.routes.runs import key_of, place_of
from otto.api.selecting import LabelQuery, SiteQuery, narrowed
from otto.model.canonical import to_data

router = APIRouter(tags=["pipelines"])

PipelineId = Annotated[str, Path(description="A pipeline's id.", max_length=100)]


@router.get(
    "/pipelines",
    name="list_pipelines",
    summary="Pipelines, newest first",
    responses=answers.many("Pipeline", "A page of pipelines"),
)
async def pipelines(
    request: Request,
    page: Paged,
    caller: Reader,
    inside: Within,
    site: SiteQuery = None,
    label: LabelQuery = None,
) -> Response:
    """What events made of all sites, or of one, stage by stage."""
    before, labels = place_of(page), narrowed(caller, label)
    if labels is None:
        return answers.listed(request, page, (), None)
    found = await inside.store.pipelines.pipelines(site, page.probe, labels=labels or None, before=before)
    shown, following = page.cut(found, lambda item: key_of(item.started_at, item.id))
    return answers.listed(request, page, (answers.encoded(to_data(item)) for item in shown), following)


@router.get(
    "/pipelines/{pipeline_id}",
    name="get_pipeline",
    summary="One pipeline",
    responses=answers.one("Pipeline", "The pipeline", Kind.NOT_FOUND),
)
async def pipeline(request: Request, pipeline_id: PipelineId, caller: Reader, inside: Within) -> Response:
    """One pipeline: its event, its stages, and what each of them said."""
    found = await inside.store.pipelines.pipeline(pipeline_id)
    if found is None:
        raise unseen(f"pipeline {pipeline_id!r}")
    if caller.labels:
        listed = await inside.store.register.listed(found.site)
        require_seen(caller, listed.labels if listed else None, f"pipeline {pipeline_id!r}")
    return answers.document(request, to_data(found))
