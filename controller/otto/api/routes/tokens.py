"""Tokens: made, listed and taken back."""

import http
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from otto.api import answers
from otto.api.access import Admin
from otto.api.documents import StrictRoute
from otto.api.house import ServedHouse
from otto.api.inside import Within
from otto.api.paging import Key, Paged
from otto.api.problems import Kind
from otto.api.selecting import LabelQuery, narrowed
from otto.desk.tokens import CreateToken, Known, RevokeToken, SeeTokens, new_token_document
from otto.model.canonical import to_data
from otto.model.saying import LONGEST_NAME, LONGEST_REASON

router = APIRouter(tags=["tokens"], route_class=StrictRoute)

_ID = "^[0-9a-f]{4,40}$"
_Key = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9._/-]{0,61}[a-z0-9])?$")]
_Value = Annotated[str, Field(pattern=r"^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$")]


class Wish(BaseModel):
    """A token that is wanted."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[
        str,
        Field(min_length=1, max_length=LONGEST_NAME, description="Whose it is: commits and records bear it."),
    ]
    scope: Annotated[
        Literal["read", "operate", "write", "admin"],
        Field(description="What it lets do; each includes those before it."),
    ]
    labels: Annotated[
        dict[_Key, _Value],
        Field(
            max_length=20,
            json_schema_extra={"additionalProperties": False},
            description="Only sites that have all of these labels.",
            examples=[{"team": "web"}],
        ),
    ] = {}
    seconds: Annotated[
        float | None, Field(gt=0, description="How long it holds; as long as is usual when left out.")
    ] = None
    note: Annotated[str, Field(max_length=LONGEST_REASON, description="Why, for the record.")] = ""


@router.get(
    "/token",
    name="list_tokens",
    summary="Tokens, newest first; never what they are",
    responses=answers.many("Token", "A page of tokens"),
)
async def listed(
    request: Request, page: Paged, caller: Admin, inside: Within, label: LabelQuery = None
) -> Response:
    """All of them, those that ended lately too. Nothing of their secrets is kept."""
    after, labels = page.after(str, str), narrowed(caller, label)
    found = await SeeTokens().answer(ServedHouse(inside, caller))
    meant = [token for token in found if labels is not None and labels.items() <= token.labels.items()]
    behind = [token for token in meant if after is None or _key(token) < after][: page.probe]
    shown, following = page.cut(behind, _key)
    return answers.listed(request, page, (answers.encoded(to_data(token)) for token in shown), following)


@router.post(
    "/token",
    name="create_token",
    summary="Make a token; its secret is in this answer, and nowhere else",
    status_code=http.HTTPStatus.CREATED,
    responses=answers.one(
        "NewToken", "The token", Kind.CONFLICT, Kind.UNSUPPORTED, status=http.HTTPStatus.CREATED
    ),
)
async def created(request: Request, caller: Admin, inside: Within, body: Wish) -> Response:
    """As `otto token create`. Its name has to be that of no other token that holds."""
    labels = tuple(f"{key}={value}" for key, value in body.labels.items())
    wish = CreateToken(body.name, body.scope, labels, body.seconds, body.note)
    made = await wish.answer(ServedHouse(inside, caller))
    answer = answers.document(request, new_token_document(made, None), status=http.HTTPStatus.CREATED)
    answer.headers["location"] = f"/token/{made.token.id}"
    return answer


@router.delete(
    "/token/{token}",
    name="revoke_token",
    summary="Take a token back",
    responses=answers.one("Token", "The token, which does not count any more", Kind.CONFLICT),
)
async def revoked(
    request: Request,
    caller: Admin,
    inside: Within,
    token: Annotated[str, Path(description="Its id.", pattern=_ID, examples=["0123456789ab"])],
) -> Response:
    """As `otto token revoke ID`: within a second it lets nobody in."""
    found = await RevokeToken(token).answer(ServedHouse(inside, caller))
    return answers.document(request, to_data(found))


def _key(token: Known) -> Key:
    """What the list is sorted by, newest first: times of one length sort as their texts do."""
    return (token.made_at.isoformat(timespec="microseconds"), token.id)
