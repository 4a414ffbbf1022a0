"""The description, for programs and for people; and what kinds of problems mean."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse

from otto.api import answers, manual
from otto.api.problems import PATH, Kind, ProblemError

router = APIRouter(tags=["manual"])

# A page of text: styled by one file of this server's, and nothing else is ever loaded.
_PAGE = {
    "content-security-policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'",
    "cache-control": "no-cache",
}
_HTML: answers.Responses = {200: {"description": "The page", "content": {"text/html": {}}}}


@router.get(
    "/openapi.json",
    name="get_description",
    summary="The API's description, in OpenAPI 3.1",
    responses={
        200: {"description": "The description", "content": {answers.JSON: {"schema": {"type": "object"}}}}
    },
)
async def description(request: Request) -> Response:
    """What this page is made of, for programs."""
    return answers.document(request, request.app.openapi())


@router.get(
    "/docs",
    name="get_manual",
    summary="The API's description, as a page",
    response_class=HTMLResponse,
    responses=_HTML,
)
async def page(request: Request) -> Response:
    """A page without scripts, and without anything from elsewhere."""
    state = request.app.state
    made: str | None = getattr(state, "manual", None)
    if made is None:
        made = state.manual = manual.page(request.app.openapi())
    return HTMLResponse(made, headers=_PAGE)


@router.get(
    "/docs/style.css",
    name="get_style",
    summary="How the pages look",
    response_class=PlainTextResponse,
    responses={200: {"description": "The style", "content": {"text/css": {"schema": {"type": "string"}}}}},
)
async def style() -> Response:
    """CSS."""
    return Response(manual.STYLE, media_type="text/css", headers={"cache-control": "max-age=3600"})


@router.get(
    PATH,
    name="list_problems",
    summary="Kinds of problems",
    response_class=HTMLResponse,
    responses=_HTML,
)
async def problems() -> Response:
    """Every kind of problem, with what to do about it."""
    return HTMLResponse(manual.problems(tuple(Kind)), headers=_PAGE)


@router.get(
    PATH + "/{kind}",
    name="get_problem",
    summary="What a kind of problem means",
    response_class=HTMLResponse,
    responses={**_HTML, **answers.problems(Kind.MALFORMED, Kind.NOT_FOUND, Kind.HEAD_TOO_LARGE)},
)
async def problem(
    kind: Annotated[
        str, Path(description="As the last part of a problem's `type`.", examples=["conflict"], max_length=50)
    ],
) -> Response:
    """Where a problem's `type` leads."""
    found = next((one for one in Kind if one.slug == kind), None)
    if found is None:
        raise ProblemError(Kind.NOT_FOUND, f"there is no kind of problem {kind!r}")
    return HTMLResponse(manual.problems((found,)), headers=_PAGE)
