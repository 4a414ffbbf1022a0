"""One command's work on some sites, from the first question to the last answer, shown while it goes on."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from otto.cli import waiting
from otto.cli.answer import Answer
from otto.cli.board import Board
from otto.cli.choosing import presenter
from otto.cli.naming import require
from otto.cli.work import Work, working
from otto.reconcile import intents
from otto.reconcile.events import Event, site_of

if TYPE_CHECKING:
    from otto.cli.invocation import Invocation
    from otto.cli.presenting import Presenter
    from otto.model.plan import StepKind
    from otto.model.saying import Speaker


async def look(
    invocation: "Invocation",
    sites: Sequence[str],
    steps: "frozenset[StepKind]",
    seconds: float,
    *,
    plain: bool,
    json: bool,
) -> tuple[Answer, ...]:
    """Have sites looked at, all when none is named, and these steps carried out.

    Raises:
        UsageError: a site is unknown; nothing was asked of any.
        TransientError: the repository cannot be read.
    """
    async with working(invocation, seed=True) as work:
        await waiting.ready_source(work)
        known = await work.names()
        for site in sites:
            require(site, known)
        wanted = sorted(set(sites) or known)
        with _watched(invocation, work, wanted, plain=plain, json=json):
            return await waiting.look(work, wanted, steps, seconds)


async def destroy(
    invocation: "Invocation",
    sites: Sequence[str],
    seconds: float,
    *,
    who: "Speaker",
    note: str,
    teardown: bool,
    plain: bool,
    json: bool,
) -> tuple[Answer, ...]:
    """Have sites destroyed. The wish is recorded first: should we be killed, the next controller goes on.

    Args:
        invocation: the call.
        sites: their names.
        seconds: how long to wait.
        who: who wants it.
        note: why, in their words.
        teardown: whether they come back by themselves when a controller is started again.
        plain: one line per change.
        json: one JSON event per line.
    """
    async with working(invocation, seed=False) as work:
        for site in sites:
            await intents.destroy(work.store, site, who, note, teardown=teardown)
        with _watched(invocation, work, sites, plain=plain, json=json):
            return await waiting.destroy(work, sites, seconds)


def _watched(
    invocation: "Invocation", work: Work, sites: Sequence[str], *, plain: bool, json: bool
) -> "Presenter":
    board = Board(sites, work.clock.monotonic())
    shown = presenter(invocation, work.clock, board, plain=plain, json=json)
    wanted = frozenset(sites)

    def listen(event: Event) -> None:
        if site_of(event) in wanted:
            shown.event(event)

    work.subscribe(listen)
    return shown
