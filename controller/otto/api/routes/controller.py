"""The controller itself: what it knows that is no site's."""

import asyncio

from fastapi import APIRouter, Request, Response

from otto.api import answers
from otto.api.access import Reader
from otto.api.inside import Within
from otto.model.canonical import to_data
from otto.model.history import GrantKind
from otto.model.register import Selection
from otto.reconcile import told

router = APIRouter(tags=["controller"])


@router.get(
    "/controller",
    name="get_controller",
    summary="The controller, and its source",
    responses=answers.one("Controller", "What it knows"),
)
async def controller(request: Request, caller: Reader, inside: Within) -> Response:
    """What `otto status` shows besides sites: the repository of specs, freezes, what is wrong with files.

    To a caller who is limited to some sites, only what concerns no other is told.
    """
    store, now = inside.store, inside.kit.clock.now()
    limited = bool(caller.labels)
    source, problems, policy, grants, count = await asyncio.gather(
        told.source(store),
        told.problems(store),
        told.policy_problem(store),
        inside.kit.ledger.grants(kind=GrantKind.FREEZE),
        store.register.count(Selection(dict(caller.labels))),
    )
    freezes = [grant for grant in grants if grant.holds(now) and not (limited and (grant.site or grant.held))]
    document = {
        "version": inside.version,
        "now": to_data(now),
        "sites": count,
        "source": dict(source) or None,
        "problems": [] if limited else [to_data(problem) for problem in problems],
        "freezes": [to_data(grant) for grant in freezes],
        "policy": policy,
    }
    return answers.document(request, document)
