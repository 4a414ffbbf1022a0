"""The API's description at `/openapi.json`: OpenAPI 3.1, made once."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from otto.api import answers, schemas
from otto.api.access import demanded_by
from otto.api.problems import Kind
from otto.model.caller import Scope

SCHEME = "token"
_INVALID = str(Kind.INVALID.status)

_ABOUT = """\
What OttO's command line does, by HTTP: the same documents, made by the same code.

* **Access.** `Authorization: Bearer TOKEN`; `otto token create` makes some, with a scope (`read`, `operate`,
  `write`, `admin`) and, if need be, limited to sites by label. On a loopback address none is needed.
* **Lists** come in pages, in a fixed order. `next` is the `cursor` of the page that follows, null behind the
  last; the header `Link` leads there too. What comes and goes meanwhile shifts nothing.
* **Errors** are problem documents (RFC 9457); `type` leads to what the kind of problem means.
* **Versions.** Documents have an `ETag`; with `If-None-Match`, what did not change is not sent again.
* **Requests** have an id, `X-Request-Id`: the one that was sent, or one of OttO's. It stands in the log.
* **Rates.** Callers have so many requests a second; beyond, 429 says by `Retry-After` when to come again.
"""

TAGS: tuple[Mapping[str, str], ...] = (
    {"name": "sites", "description": "What there is, what is known of it, and what would be done about it."},
    {"name": "operations", "description": "What people want of sites besides their specs."},
    {"name": "inventory", "description": "Hosts: those OttO made, and those people declared."},
    {"name": "domains", "description": "Zones: nameservers and records."},
    {"name": "runs", "description": "What was done, step by step."},
    {"name": "pipelines", "description": "What events set going, stage by stage."},
    {"name": "images", "description": "Golden images."},
    {"name": "audit", "description": "Who did what, when, and why."},
    {"name": "controller", "description": "The controller itself."},
    {"name": "tokens", "description": "Who may ask."},
    {"name": "events", "description": "What happens, as it happens."},
    {"name": "desk", "description": "What `otto --server` asks, in its own words; programs use the above."},
    {"name": "health", "description": "For whoever watches OttO itself."},
    {"name": "webhooks", "description": "What forges deliver."},
    {"name": "manual", "description": "This description."},
)


def install(app: FastAPI, routers: Iterable[APIRouter], public: Callable[[str], bool] | None) -> None:
    """Have an application describe itself.

    Args:
        app: the application.
        routers: of routes for which tokens count.
        public: whether a path is open to everybody; None where no tokens count.
    """
    scopes = {} if public is None else dict(_scopes(routers))

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _described(app, scopes, public)
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]


def _described(
    app: FastAPI, scopes: Mapping[str, str], public: Callable[[str], bool] | None
) -> dict[str, Any]:
    found = get_openapi(
        title=app.title,
        version=app.version,
        summary="Web sites from git",
        description=_ABOUT,
        routes=app.routes,
        tags=[dict(tag) for tag in TAGS],
    )
    parts = found.setdefault("components", {})
    parts.setdefault("schemas", {}).update(schemas.components())
    for unused in ("HTTPValidationError", "ValidationError"):
        parts["schemas"].pop(unused, None)
    parts["securitySchemes"] = {
        SCHEME: {
            "type": "http",
            "scheme": "bearer",
            "description": "A token of `otto token create`. On a loopback address none is needed.",
        }
    }
    for path, operation in _operations(found):
        # FastAPI takes for granted that what does not fit is told in a form of its own.
        if _INVALID in operation.get("responses", {}):
            operation["responses"][_INVALID] = answers.problems(Kind.INVALID)[Kind.INVALID.status]
        if public is not None and not public(path):
            # Every token has a scope: one that is not asked for may be the least.
            scope = scopes.get(operation.get("operationId", ""), Scope.READ.word)
            operation["security"] = [{SCHEME: [scope]}, {}]
    return found


def _scopes(routers: Iterable[APIRouter]) -> Iterator[tuple[str, str]]:
    """Names of routes, each with the scope that it needs."""
    for router in routers:
        for route in router.routes:
            if isinstance(route, APIRoute) and (scope := demanded_by(route)):
                yield route.name, scope.word


def _operations(found: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in found.get("paths", {}).items():
        for operation in methods.values():
            if isinstance(operation, dict):
                yield path, operation
