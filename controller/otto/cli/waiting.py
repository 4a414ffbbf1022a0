"""Ask sites for something and wait until each has answered."""

import asyncio
from collections.abc import Callable, Iterable, Sequence

from otto.cli.answer import Answer, Asked, to_destroy, to_look
from otto.cli.board import why
from otto.cli.work import Work
from otto.desk.intents import Destroy
from otto.model.errors import TransientError, UsageError
from otto.model.plan import StepKind
from otto.model.run import Run
from otto.model.status import SiteStatus
from otto.reconcile.destroy import DESTROY

# Newest runs looked through for the one that answers.
_RUNS = 10

Judge = Callable[[Asked, SiteStatus | None, Iterable[Run]], Answer | None]


async def look(
    work: Work, sites: Sequence[str], steps: frozenset[StepKind], seconds: float
) -> tuple[Answer, ...]:
    """Have sites looked at, these steps carried out, and wait for the end.

    Args:
        work: where they are worked on.
        sites: their names.
        steps: steps to carry out whether or not anything differs.
        seconds: how long to wait.

    Returns:
        An answer for every site, by name; one that did not come in time is not ok.
    """
    asked = {site: await _asked(work, site, steps) for site in sites}
    for site in sites:
        await work.due(site, steps)
    return await _answers(work, asked, to_look, seconds)


async def destroy(work: Work, wish: Destroy, seconds: float) -> tuple[Answer, ...]:
    """Have sites destroyed, and wait until they are gone."""
    asked = {site: await _asked(work, site, frozenset()) for site in wish.sites}
    await work.wish_gone(wish)
    for site in wish.sites:
        await _due_if_known(work, site)

    def judge(question: Asked, status: SiteStatus | None, runs: Iterable[Run]) -> Answer | None:
        return to_destroy(question.site, status, runs, question)

    return await _answers(work, asked, judge, seconds)


async def _due_if_known(work: Work, site: str) -> None:
    """A site that was looked at and forgotten between two of our breaths is gone already."""
    try:
        await work.due(site, frozenset())
    except UsageError:
        if DESTROY in await work.store.intents(site):
            raise


async def _asked(work: Work, site: str, steps: frozenset[StepKind]) -> Asked:
    runs = await work.store.runs(site, _RUNS)
    return Asked(site, work.clock.now(), steps, frozenset(run.id for run in runs))


async def _answers(work: Work, asked: dict[str, Asked], judge: Judge, seconds: float) -> tuple[Answer, ...]:
    found: dict[str, Answer] = {}
    limit = asyncio.ensure_future(work.clock.sleep(seconds))
    try:
        while True:
            for site in asked.keys() - found.keys():
                answer = await _answer(work, asked[site], judge)
                if answer is not None:
                    found[site] = answer
            if found.keys() == asked.keys() or limit.done():
                break
            await work.changed()
    finally:
        limit.cancel()
    for site in asked.keys() - found.keys():
        found[site] = await _late(work, site, seconds)
    return tuple(found[site] for site in sorted(found))


async def _answer(work: Work, asked: Asked, judge: Judge) -> Answer | None:
    status = await work.store.status(asked.site)
    return judge(asked, status, await work.store.runs(asked.site, _RUNS))


async def _late(work: Work, site: str, seconds: float) -> Answer:
    status = await work.store.status(site)
    state = why(status) if status else "not looked at yet"
    return Answer(site, ok=False, words=f"no answer within {seconds:g} s; it is {state}")


async def ready_source(work: Work) -> None:
    """Refuse to go on without a repository.

    Raises:
        TransientError: it cannot be read.
    """
    error = await work.source_error()
    if error:
        raise TransientError(f"the repository of specs cannot be read: {error}", mend="see: otto doctor")
