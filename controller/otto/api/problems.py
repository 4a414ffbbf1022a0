"""Errors as RFC 9457 problem details, for every route and for what no route matches."""

import http

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

log = structlog.get_logger("otto.api")

MEDIA_TYPE = "application/problem+json"


def problem(status: int, detail: str, **extra: object) -> JSONResponse:
    """A problem as a response.

    Args:
        status: HTTP status; its standard phrase is the title.
        detail: what went wrong this time.
        extra: members of our own.
    """
    title = http.HTTPStatus(status).phrase
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **extra}
    return JSONResponse(body, status, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Have every error of an application answered this way."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _unexpected)


async def _http(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        return await _unexpected(request, error)
    response = problem(error.status_code, str(error.detail))
    response.headers.update(error.headers or {})
    return response


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    found = error.errors() if isinstance(error, RequestValidationError) else []
    errors = [{"at": "/".join(str(part) for part in item["loc"]), "message": item["msg"]} for item in found]
    return problem(http.HTTPStatus.UNPROCESSABLE_ENTITY, "the request does not fit", errors=errors)


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    log.error("api.failed", path=request.url.path, kind=type(error).__name__, exc_info=error)
    return problem(http.HTTPStatus.INTERNAL_SERVER_ERROR, "OttO made a mistake; its log has the whole story")
