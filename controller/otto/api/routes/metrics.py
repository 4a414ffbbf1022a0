"""Health and metrics: open to whoever reaches the port."""

import http
import threading
from collections.abc import Sequence

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from otto.api import problems
from otto.api.health import HealthView

_WELL: dict[str, object] = {"status": "ok"}
_WHY_NOT: dict[int | str, dict[str, object]] = {
    http.HTTPStatus.SERVICE_UNAVAILABLE: {
        "description": "Not so, with the reasons",
        "content": {problems.MEDIA_TYPE: {}},
    }
}


def router_of(registry: CollectorRegistry, health: HealthView) -> APIRouter:
    """The routes.

    Args:
        registry: what `/metrics` shows.
        health: what `/healthz` and `/readyz` ask.
    """
    router = APIRouter(tags=["health"])
    one_at_a_time = threading.Lock()  # a scrape of a large fleet is work: impatient scrapers must not add up

    @router.get("/metrics", response_class=Response, summary="Metrics in Prometheus' text format")
    def metrics(request: Request) -> Response:
        encode, media_type = choose_encoder(request.headers.get("accept", ""))
        with one_at_a_time:
            body = encode(registry)
        return Response(body, media_type=None, headers={"content-type": media_type})

    @router.get("/healthz", summary="Whether the process and its loop are alive", responses=_WHY_NOT)
    async def healthz() -> Response:
        return _answer(await health.alive(), "the controller is not alive")

    @router.get(
        "/readyz", summary="Whether the source was read and the store can be written", responses=_WHY_NOT
    )
    async def readyz() -> Response:
        return _answer(await health.ready(), "the controller is not ready")

    return router


def _answer(reasons: Sequence[str], detail: str) -> Response:
    if reasons:
        return problems.problem(http.HTTPStatus.SERVICE_UNAVAILABLE, detail, reasons=list(reasons))
    return JSONResponse(_WELL)
