"""Tokens: made, listed and taken back."""

import http
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from otto.api.access import Admin
from otto.api.house import ServedHouse
from otto.api.inside import Within
from otto.api.paging import Paged
from otto.api.problems import Kind, ProblemError
from otto.api.shapes import shape_of
from otto.desk.question import Question
from otto.desk.tokens import CreateToken, Known, NewToken, RevokeToken, SeeTokens
from otto.model.canonical import to_data
from otto.model.errors import ForbiddenError

router = APIRouter(tags=["tokens"])

_TOKEN = shape_of(Known)
_LIST = {
    "type": "object",
    "properties": {"items": {"type": "array", "items": _TOKEN}, "next": {"type": ["string", "null"]}},
    "required": ["items", "next"],
}


class Wish(BaseModel):
    """A token that is wanted."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=100, description="Whose it is: commits and records bear it.")
    scope: str = Field(description="read, operate, write or admin; each includes those before it.")
    labels: dict[str, str] = Field(default={}, max_length=20, description="Only sites with all of these.")
    seconds: float | None = Field(
        default=None, gt=0, description="How long it holds; as long as is usual when left out."
    )
    reason: str = Field(default="", max_length=500, description="Why, for the record.")


def _described(schema: dict[str, Any], words: str) -> dict[str, Any]:
    return {"description": words, "content": {"application/json": {"schema": schema}}}


@router.get(
    "/token",
    summary="List tokens, newest first; never what they are",
    operation_id="tokens_list",
    response_class=JSONResponse,
    responses={200: _described(_LIST, "A page of tokens.")},
)
async def listed(
    request: Request, response: Response, inside: Within, caller: Admin, page: Paged
) -> Response:
    """All tokens, those that ended lately too, with what each lets do. Nothing of their secrets is kept."""
    found = await _answer(request, inside, caller, SeeTokens())
    after = page.after(str, str)
    left = [one for one in found if after is None or _key(one) < after]
    shown, following = page.cut(left[: page.probe], _key)
    page.link(request, response, following)
    headers = {name: value for name, value in response.headers.items() if name == "link"}
    return JSONResponse({"items": [to_data(one) for one in shown], "next": following}, headers=headers)


@router.post(
    "/token",
    summary="Make a token; its secret is in this answer, and nowhere else",
    operation_id="tokens_create",
    response_class=JSONResponse,
    status_code=http.HTTPStatus.CREATED,
    responses={201: _described(shape_of(NewToken), "The token, with its secret.")},
)
async def created(request: Request, inside: Within, caller: Admin, wish: Wish) -> Response:
    """A token holds from now on. Its name has to be free: that of no other token that holds."""
    labels = tuple(f"{key}={value}" for key, value in wish.labels.items())
    question = CreateToken(wish.name, wish.scope, labels, wish.seconds, wish.reason)
    made = await _answer(request, inside, caller, question)
    location = {"location": f"/token/{made.token.id}"}
    return JSONResponse(to_data(made), http.HTTPStatus.CREATED, headers=location)


@router.delete(
    "/token/{token}",
    summary="Take a token back",
    operation_id="tokens_revoke",
    response_class=JSONResponse,
    responses={200: _described(_TOKEN, "The token, which does not count any more.")},
)
async def revoked(
    request: Request,
    inside: Within,
    caller: Admin,
    token: Annotated[str, Path(description="Its id.", pattern="^[0-9a-f]{4,40}$")],
) -> Response:
    """Within a second it lets nobody in."""
    return JSONResponse(to_data(await _answer(request, inside, caller, RevokeToken(token))))


async def _answer(request: Request, inside: Within, caller: Admin, question: Question[Any]) -> Any:  # noqa: ANN401
    try:
        return await question.answer(ServedHouse(inside, caller))
    except ForbiddenError as error:
        refusal = ProblemError(Kind.FORBIDDEN, error.message, mend=error.mend)
        await inside.gate.refused(caller, request, refusal)
        raise refusal from error


def _key(token: Known) -> tuple[str, str]:
    """What the list is sorted by, newest first: a time as ISO 8601 in UTC sorts as the time does."""
    return (token.made_at.isoformat(timespec="microseconds"), token.id)
