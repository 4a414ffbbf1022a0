"""The HTTP application: the stores of sites, inventory and domains, what happens, health, metrics, webhooks.

How it is put together, from the outside in:

    Requests    an id for every request, its line in the log, the headers of every answer
    Methods     HEAD as GET without its body, OPTIONS, and 405 with what there is
    Admission   asks the `Gate` who it is, before anything is looked for; public paths are listed here
    routes/     one module for each store, with a `router`; `ROUTERS` names them

A new store is a new module in `routes`, named in `ROUTERS`. Its functions take what they need as parameters:
`Within` (the house), `Reader`, `Operator`, `Writer` or `Admin` (who asks, and that they may), `Paged` (a
list). What is wrong is raised: `ProblemError`, or the `OttoError` of a use-case. Entity tags are in `etags`.
What belongs to the controller's loop is reached by `inside.bridge.run(…)`, see `bridge`.
"""

from collections.abc import Callable

from fastapi import APIRouter, FastAPI
from prometheus_client import CollectorRegistry

from otto.api import hooks as hook_routes
from otto.api import problems
from otto.api.access import Admission
from otto.api.health import HealthView
from otto.api.hooks import Hooks
from otto.api.inside import Inside
from otto.api.methods import Methods
from otto.api.requests import Requests
from otto.api.routes import (
    audit,
    domains,
    events,
    images,
    inventory,
    metrics,
    operations,
    orphans,
    pipelines,
    runs,
    sites,
    tokens,
)

ROUTERS: tuple[APIRouter, ...] = (
    sites.router,
    operations.router,
    inventory.router,
    domains.router,
    runs.router,
    pipelines.router,
    images.router,
    audit.router,
    orphans.router,
    tokens.router,
    events.router,
)
"""The stores. Paths are tried in this order."""

PUBLIC = frozenset({"/metrics", "/healthz", "/readyz", "/openapi.json", "/docs", *hook_routes.PATHS})
"""Paths that are open to whoever reaches the port; and everything below the prefixes that follow."""

_PUBLIC_BELOW = ("/docs/", f"{problems.PATH}/")


def create_app(
    registry: CollectorRegistry,
    health: HealthView,
    version: str,
    *,
    hooks: Hooks | None = None,
    inside: Inside | None = None,
    scrub: Callable[[str], str] = str,
) -> FastAPI:
    """The application.

    Args:
        registry: what `/metrics` shows.
        health: what `/healthz` and `/readyz` ask.
        version: OttO's version, for the description at `/openapi.json`.
        hooks: takes what forges deliver; None for an application without webhooks.
        inside: what the stores are made of; None for an application that only tells of its health.
        scrub: takes secrets out of what is told of errors.
    """
    # The interactive pages would load scripts from elsewhere; the description itself stays.
    app = FastAPI(title="OttO", version=version, docs_url=None, redoc_url=None)
    problems.install(app, scrub)
    app.include_router(metrics.router_of(registry, health))
    if hooks is not None:
        hook_routes.install(app, hooks)
    if inside is not None:
        app.state.inside = inside
        for router in ROUTERS:
            app.include_router(router)
        app.add_middleware(Admission, gate=inside.gate, public=is_public)
    app.add_middleware(Methods, router=app.router)
    app.add_middleware(Requests)
    return app


def is_public(path: str) -> bool:
    """Whether a path is open to whoever reaches the port."""
    return path in PUBLIC or path.startswith(_PUBLIC_BELOW)
