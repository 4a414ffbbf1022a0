"""The HTTP application: the stores of sites, inventory and domains, what happens, health, metrics, webhooks.

How it is put together, from the outside in:

    Requests    an id for every request, its line in the log, the headers of every answer
    CORS        lets pages of listed origins read answers
    Origins     refuses what pages of other sites send
    Admission   counts requests, and asks the `Gate` who it is; `is_public` says where nobody is asked
    Bodies      reads the body, as long as it may be
    Methods     HEAD as GET without its body, OPTIONS, and 405 with what there is
    routes/     one module for each store, with a `router`; `ROUTERS` names them

A new store is a new module in `routes`, named in `ROUTERS`. Its functions take what they need as parameters:
`Within` (the house), `Reader`, `Operator`, `Writer` or `Admin` (who asks, and that they may), `Paged` (a
list). What is wrong is raised: `ProblemError`, or the `OttoError` of a use-case. Entity tags are in `etags`.
What belongs to the controller's loop is reached by `inside.bridge.run(…)`, see `bridge`. Routes and
dependencies are coroutines: FastAPI would have a thread carry out each that is not. Schemas of answers
are named in `schemas`, what the description says of a route comes from `answers`.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, FastAPI
from prometheus_client import CollectorRegistry

from otto.api import description, problems
from otto.api import hooks as hook_routes
from otto.api.access import Admission, refused
from otto.api.bodies import Bodies
from otto.api.health import HealthView
from otto.api.hooks import Hooks
from otto.api.inside import Inside
from otto.api.methods import Methods
from otto.api.origins import Origins, cors
from otto.api.rates import Rates
from otto.api.requests import Counted, Requests
from otto.api.routes import (
    audit,
    controller,
    declared,
    desk,
    domains,
    events,
    images,
    inventory,
    manual,
    metrics,
    operations,
    orphans,
    pipelines,
    records,
    runs,
    sites,
    tokens,
)

ROUTERS: tuple[APIRouter, ...] = (
    sites.router,
    inventory.router,
    declared.router,
    domains.router,
    records.router,
    runs.router,
    pipelines.router,
    images.router,
    audit.router,
    orphans.router,
    controller.router,
    tokens.router,
    events.router,
    operations.router,
    desk.router,
)
"""The stores. Paths are tried in this order."""

PUBLIC = frozenset(
    {"/healthz", "/readyz", "/openapi.json", "/docs", "/docs/style.css", problems.PATH, *hook_routes.PATHS}
)
"""Paths that are open to whoever reaches the port, and what is below `/problems`."""

_METRICS = "/metrics"


@dataclass(frozen=True, slots=True)
class Options:
    """What the application demands of requests.

    Attributes:
        origins: whose pages may ask.
        rate: requests a second that one caller may make on average; 0 for any number.
        burst: requests that one caller may make at once.
        longest: most bytes of a body.
        open_metrics: whether `/metrics` is open to whoever reaches the port.
        scrub: takes secrets out of what is told of errors.
    """

    origins: tuple[str, ...] = ()
    rate: float = 0.0
    burst: int = 500
    longest: int = 1 << 20
    open_metrics: bool = False
    scrub: Callable[[str], str] = str


OPTIONS = Options()


def create_app(
    registry: CollectorRegistry,
    health: HealthView,
    version: str,
    *,
    hooks: Hooks | None = None,
    inside: Inside | None = None,
    options: Options = OPTIONS,
    counted: Counted | None = None,
) -> FastAPI:
    """The application.

    Args:
        registry: what `/metrics` shows.
        health: what `/healthz` and `/readyz` ask.
        version: OttO's version, for the description at `/openapi.json`.
        hooks: takes what forges deliver; None for an application without webhooks.
        inside: what the stores are made of; None for an application that only tells of its health.
        options: what is demanded of requests.
        counted: counts requests; None for nobody.
    """
    app = _bare(version)
    problems.install(app, options.scrub, refused)
    public = is_public_with_metrics if options.open_metrics else is_public
    guarded = inside is not None and not options.open_metrics
    app.include_router(metrics.router_of(registry, health, guarded=guarded))
    app.include_router(manual.router)
    if hooks is not None:
        hook_routes.install(app, hooks)
    for router in ROUTERS if inside is not None else ():
        app.include_router(router)
    description.install(app, ROUTERS, public if inside is not None else None)
    app.add_middleware(Methods, router=app.router)
    app.add_middleware(Bodies, longest=options.longest, free=hook_routes.PATHS.__contains__, refused=refused)
    if inside is not None:
        app.state.inside = inside
        _admit(app, inside, options, public)
    app.add_middleware(Requests, counted=counted)
    return app


def described(version: str) -> dict[str, Any]:
    """The description of everything, without anything behind it: for the reference."""
    app = _bare(version)
    nothing: Any = None  # nobody calls what is described here
    app.include_router(metrics.router_of(nothing, nothing, guarded=True))
    app.include_router(manual.router)
    hook_routes.install(app, nothing)
    for router in ROUTERS:
        app.include_router(router)
    description.install(app, ROUTERS, is_public)
    return app.openapi()


def _bare(version: str) -> FastAPI:
    return FastAPI(
        title="OttO",
        version=version,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        # A path means one thing: nobody is sent on, to a place that the header `Host` names.
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )


def _admit(app: FastAPI, inside: Inside, options: Options, public: Callable[[str], bool]) -> None:
    """Add what asks who it is, and where from."""
    app.add_middleware(
        Admission,
        gate=inside.gate,
        public=public,
        # Whoever comes with many tokens, or with none that counts, is told so by their address.
        addresses=Rates(4 * options.rate, 4 * options.burst),
        callers=Rates(options.rate, options.burst),
    )
    app.add_middleware(Origins, allowed=options.origins, refused=functools.partial(inside.gate.refused, None))
    if options.origins:
        app.add_middleware(cors, allowed=options.origins)


def is_public(path: str) -> bool:
    """Whether a path is open to whoever reaches the port."""
    return path in PUBLIC or path.startswith(f"{problems.PATH}/")


def is_public_with_metrics(path: str) -> bool:
    """The same, where `/metrics` is open too."""
    return path == _METRICS or is_public(path)
