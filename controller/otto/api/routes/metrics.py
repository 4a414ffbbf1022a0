"""Health and metrics: open to whoever reaches the port."""

import http
import threading
from collections.abc import Sequence

from fastapi import APIRouter, Request, Response, Security
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from otto.api import answers, problems
from otto.api.access import Reader
from otto.api.health import HealthView
from otto.api.problems import Kind, ProblemError
from otto.api.schemas import ref

_WELL: dict[str, object] = {"status": "ok"}
_WHETHER: answers.Responses = {
    200: {"description": "It is", "content": {answers.JSON: {"schema": ref("Health")}}},
    **answers.problems(Kind.UNAVAILABLE),
}


async def _sees_all(caller: Reader) -> None:
    """Refuse metrics to who is limited to some sites: they name all of them.

    Raises:
        ProblemError: FORBIDDEN.
    """
    if caller.labels:
        raise ProblemError(Kind.FORBIDDEN, "metrics tell of every site, and this token is limited to some")


def router_of(registry: CollectorRegistry, health: HealthView, *, guarded: bool = False) -> APIRouter:
    """The routes.

    Args:
        registry: what `/metrics` shows.
        health: what `/healthz` and `/readyz` ask.
        guarded: whether metrics, which name sites, are only for callers who see every site.
    """
    router = APIRouter(tags=["health"])
    one_at_a_time = threading.Lock()  # a scrape of a large fleet is work: impatient scrapers must not add up

    @router.get(
        "/metrics",
        name="get_metrics",
        response_class=PlainTextResponse,
        summary="Metrics in Prometheus' text format",
        dependencies=[Security(_sees_all)] if guarded else [],
        responses=answers.problems(Kind.UNAUTHENTICATED, Kind.FORBIDDEN, Kind.TOO_MANY) if guarded else {},
    )
    def metrics(request: Request) -> Response:
        encode, media_type = choose_encoder(request.headers.get("accept", ""))
        with one_at_a_time:
            body = encode(registry)
        return Response(body, media_type=None, headers={"content-type": media_type})

    @router.get(
        "/healthz",
        name="get_health",
        summary="Whether the process and its loop are alive",
        responses=_WHETHER,
    )
    async def healthz() -> Response:
        return _answer(await health.alive(), "the controller is not alive")

    @router.get(
        "/readyz",
        name="get_readiness",
        summary="Whether the source was read and the store can be written",
        responses=_WHETHER,
    )
    async def readyz() -> Response:
        return _answer(await health.ready(), "the controller is not ready")

    return router


def _answer(reasons: Sequence[str], detail: str) -> Response:
    if reasons:
        return problems.problem(http.HTTPStatus.SERVICE_UNAVAILABLE, detail, reasons=list(reasons))
    return JSONResponse(_WELL)
