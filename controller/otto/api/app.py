"""The HTTP application: health, metrics and webhooks."""

import http
import threading
from collections.abc import Sequence

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from otto.api import hooks as hook_routes
from otto.api import problems
from otto.api.health import HealthView
from otto.api.hooks import Hooks
from otto.api.safe import ReadOnly

_WELL: dict[str, object] = {"status": "ok"}


def create_app(
    registry: CollectorRegistry, health: HealthView, version: str, hooks: Hooks | None = None
) -> FastAPI:
    """The application.

    Args:
        registry: what `/metrics` shows.
        health: what `/healthz` and `/readyz` ask.
        version: OttO's version, for the description at `/openapi.json`.
        hooks: takes what forges deliver; None for an application that only tells.
    """
    # The interactive pages would load scripts from elsewhere; the description itself stays.
    app = FastAPI(title="OttO", version=version, docs_url=None, redoc_url=None)
    problems.install(app)
    app.add_middleware(ReadOnly, posts=hook_routes.PATHS if hooks else frozenset())
    if hooks is not None:
        hook_routes.install(app, hooks)
    one_at_a_time = threading.Lock()  # a scrape of a large fleet is work: impatient scrapers must not add up

    @app.get("/metrics", response_class=Response, summary="Metrics in Prometheus' text format")
    def metrics(request: Request) -> Response:
        encode, media_type = choose_encoder(request.headers.get("accept", ""))
        with one_at_a_time:
            body = encode(registry)
        return Response(body, media_type=None, headers={"content-type": media_type, **_FRESH})

    @app.get("/healthz", summary="Whether the process and its loop are alive", responses=_WHY_NOT)
    async def healthz() -> Response:
        return _answer(await health.alive(), "the controller is not alive")

    @app.get(
        "/readyz", summary="Whether the source was read and the store can be written", responses=_WHY_NOT
    )
    async def readyz() -> Response:
        return _answer(await health.ready(), "the controller is not ready")

    return app


_FRESH = {"cache-control": "no-store"}
_WHY_NOT: dict[int | str, dict[str, object]] = {
    http.HTTPStatus.SERVICE_UNAVAILABLE: {
        "description": "Not so, with the reasons",
        "content": {problems.MEDIA_TYPE: {}},
    }
}


def _answer(reasons: Sequence[str], detail: str) -> Response:
    if reasons:
        answer = problems.problem(http.HTTPStatus.SERVICE_UNAVAILABLE, detail, reasons=list(reasons))
    else:
        answer = JSONResponse(_WELL)
    answer.headers.update(_FRESH)
    return answer
