"""Operations on sites: what `otto reconcile`, `suspend`, `approve` and others do, by the same code.

Each is on record, with who wants it, before it holds. None waits for what comes of it: the answer has links
to where that is told.
"""

import http
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from otto.api import answers
from otto.api.access import Admin, Operator
from otto.api.documents import StrictRoute
from otto.api.inside import Inside, Within
from otto.api.problems import Kind
from otto.api.sitenames import Seen
from otto.api.speakers import speaker_of
from otto.decide.documents import said_data
from otto.model.caller import Caller
from otto.model.history import AuditRecord
from otto.model.plan import StepKind
from otto.model.saying import LONGEST_NAME, LONGEST_REASON, Saying, Speaker, reason_of
from otto.ports import Store
from otto.reconcile import approvals, intents
from otto.reconcile.saying import say

router = APIRouter(tags=["operations"], route_class=StrictRoute)

_VERIFY = frozenset({StepKind.VERIFY})
_MESSAGES = {
    "reconcile": "{site} is looked at now",
    "suspend": "{site} is suspended; to go on: POST /site/{site}/resume",
    "resume": "{site} follows its spec again",
    "destroy": "{site} is taken down; to bring it back: POST /site/{site}/resume",
}
_KINDS = (Kind.NOT_FOUND, Kind.CONFLICT, Kind.UNSUPPORTED)


class Words(BaseModel):
    """What may be said with any operation."""

    model_config = ConfigDict(extra="forbid")

    note: Annotated[str, Field(max_length=LONGEST_REASON, description="Why, for the record.")] = ""
    by: Annotated[
        str,
        Field(
            max_length=LONGEST_NAME,
            description="Who wants it; without a token only: a token speaks for who it was made for.",
        ),
    ] = ""


class Reconcile(Words):
    """What is carried out whether or not anything differs."""

    steps: Annotated[
        list[StepKind],
        Field(
            max_length=20, description="Steps that are carried out in any case; verify when none is named."
        ),
    ] = []


class Decision(Words):
    """A yes or no to the plan that a site waits with."""

    digest: Annotated[
        str,
        Field(
            min_length=1,
            max_length=64,
            description="The plan's digest, as `plan` of the site's status has it; its first digits will do.",
            examples=["0a1b2c3d4e5f"],
        ),
    ]


@dataclass(frozen=True, slots=True)
class _At:
    """The site that is meant: there, and seen by the caller."""

    site: str
    inside: Inside
    request: Request


async def _at(seen: Seen, inside: Within, request: Request) -> _At:
    return _At(seen.site, inside, request)


At = Annotated[_At, Depends(_at)]


@router.post(
    "/site/{site:site}/reconcile",
    name="reconcile_site",
    summary="Have a site brought to what its spec says, now",
    status_code=http.HTTPStatus.ACCEPTED,
    responses=answers.one("Asked", "It is looked at", *_KINDS, status=http.HTTPStatus.ACCEPTED),
)
async def reconcile(
    at: At,
    caller: Operator,
    body: Annotated[Reconcile | None, Body()] = None,
) -> Response:
    """As `otto reconcile SITE`."""
    words = body or Reconcile()
    steps = frozenset(words.steps) or _VERIFY
    return await _wanted(at, _speaker(at.inside, caller, words), words, intents.look, steps)


@router.post(
    "/site/{site:site}/suspend",
    name="suspend_site",
    summary="Leave a site alone until it is resumed",
    status_code=http.HTTPStatus.ACCEPTED,
    responses=answers.one("Asked", "It is suspended", *_KINDS, status=http.HTTPStatus.ACCEPTED),
)
async def suspend(
    at: At,
    caller: Operator,
    body: Annotated[Words | None, Body()] = None,
) -> Response:
    """As `otto suspend SITE`: it goes on serving."""
    words = body or Words()
    return await _wanted(at, _speaker(at.inside, caller, words), words, intents.suspend)


@router.post(
    "/site/{site:site}/resume",
    name="resume_site",
    summary="Take back a suspend or destroy",
    status_code=http.HTTPStatus.ACCEPTED,
    responses=answers.one("Asked", "It follows its spec", *_KINDS, status=http.HTTPStatus.ACCEPTED),
)
async def resume(
    at: At,
    caller: Operator,
    body: Annotated[Words | None, Body()] = None,
) -> Response:
    """As `otto resume SITE`."""
    words = body or Words()
    return await _wanted(at, _speaker(at.inside, caller, words), words, intents.resume)


@router.post(
    "/site/{site:site}/destroy",
    name="destroy_site",
    summary="Take a site down",
    status_code=http.HTTPStatus.ACCEPTED,
    responses=answers.one("Asked", "It is taken down", *_KINDS, status=http.HTTPStatus.ACCEPTED),
)
async def destroy(
    at: At,
    caller: Admin,
    body: Annotated[Words | None, Body()] = None,
) -> Response:
    """As `otto destroy SITE`: servers and networks go, spec and history stay. The guard may hold it."""
    words = body or Words()
    return await _wanted(at, _speaker(at.inside, caller, words), words, intents.destroy)


@router.post(
    "/site/{site:site}/approve",
    name="approve_plan",
    summary="Approve the plan that a site waits with",
    responses=answers.one("Said", "It is approved", *_KINDS),
)
async def approve(at: At, caller: Operator, body: Decision) -> Response:
    """As `otto approve SITE DIGEST`: this very plan; another one has to be approved anew."""
    return await _said(at, caller, body, approvals.approve)


@router.post(
    "/site/{site:site}/reject",
    name="reject_plan",
    summary="Reject the plan that a site waits with",
    responses=answers.one("Said", "It is rejected", *_KINDS),
)
async def reject(at: At, caller: Operator, body: Decision) -> Response:
    """As `otto reject SITE DIGEST`: this very plan is refused from then on."""
    return await _said(at, caller, body, approvals.reject)


def _speaker(inside: Inside, caller: Caller, words: Words) -> Speaker:
    return speaker_of(caller, words.by or None, inside.kit.clock.now())


Intent = Callable[[Store, str, Speaker, str], Awaitable[AuditRecord]]


async def _wanted(
    at: _At, who: Speaker, words: Words, intent: Intent, steps: frozenset[StepKind] = frozenset()
) -> Response:
    """Record what somebody wants of a site, and have it looked at."""
    record = await intent(at.inside.store, at.site, who, reason_of(words.note))
    await at.inside.bridge.run(at.inside.controller.due(at.site, steps))
    what = record.entry.what
    document = {
        "site": at.site,
        "what": what,
        "record": record.number,
        "message": _MESSAGES[what].format(site=at.site),
        "links": {
            **{name: f"/site/{at.site}/{name}" for name in ("status", "why", "history")},
            "events": f"/events?site={at.site}",
        },
    }
    return answers.document(at.request, document, status=http.HTTPStatus.ACCEPTED)


Word = Callable[[Store, str, str, Speaker, str], Awaitable[Saying]]


async def _said(at: _At, caller: Caller, body: Decision, word: Word) -> Response:
    """Put somebody's word on a plan in force, and have the site looked at."""
    speaker = _speaker(at.inside, caller, body)
    saying = await word(at.inside.store, at.site, body.digest, speaker, reason_of(body.note))
    record = await say(at.inside.kit.ledger, saying)
    await at.inside.bridge.run(at.inside.controller.due(at.site))
    return answers.document(at.request, said_data(saying, record, "yes"))
