"""`otto why`: one answer to "why is this site as it is"."""

from typing import TYPE_CHECKING

import typer

from otto.cli import naming, options
from otto.cli.glance import StatusSource, opened
from otto.cli.invocation import Invocation
from otto.cli.running import run

if TYPE_CHECKING:
    from otto.model.why import Why

_RUNS = 20


def why(context: typer.Context, site: options.Site, json: options.Json = False) -> None:
    """Say why a site is as it is.

    What it does or waits for and since when, what is in its way and what takes it out of there, what went
    wrong last, and the way from the commit to the last check. From memory alone: it works, and is quick,
    whether or not a controller runs. Exit status 0 whatever the answer is.
    """
    invocation = Invocation.of(context)
    answer = run(_answer(invocation, site))
    if json:
        from otto.cli import documents  # noqa: PLC0415  (either this or the page)

        documents.write(invocation.out, documents.why_document(answer))
        return
    from otto.cli import explaining  # noqa: PLC0415

    for part in explaining.page(answer, invocation.now()):
        invocation.out.print(part)


async def _answer(invocation: Invocation, site: str) -> "Why":
    async with opened(invocation) as store:
        return await _gather(invocation, store, site)


async def _gather(invocation: Invocation, store: StatusSource, site: str) -> "Why":
    from otto.cli import presence, told  # noqa: PLC0415  (with what follows)
    from otto.decide import approval  # noqa: PLC0415
    from otto.decide.evidence import Evidence  # noqa: PLC0415
    from otto.decide.why import why as answer  # noqa: PLC0415
    from otto.model.history import GrantKind  # noqa: PLC0415
    from otto.model.policy import Policy  # noqa: PLC0415

    statuses = {status.site: status for status in await store.statuses()}
    remembered = await store.remembered()
    naming.require(site, statuses.keys() | remembered.keys())
    runs = await store.runs(site, _RUNS)
    plan = approval.waiting_plan(statuses.get(site), runs)
    policy = remembered[site].spec.policy if site in remembered else Policy()
    said, now = await store.ledger.grants(site=site), invocation.now()
    steering = (GrantKind.PAUSE, GrantKind.QUARANTINE)
    home = invocation.settings.home
    source = await told.source(store)
    return answer(
        Evidence(
            site=site,
            status=statuses.get(site),
            spec=remembered.get(site),
            intents=await store.intents(site),
            runs=runs,
            statuses=statuses,
            specs={name: item.spec for name, item in remembered.items()},
            controller=presence.find(home) is not None or presence.held(home),
            newest=str(source.get("commit") or ""),
            source_error=str(source.get("error") or ""),
            source_failures=int(source.get("failures") or 0),
            unsigned=str(source.get("unsigned") or ""),
            steered=tuple(grant for grant in said if grant.kind in steering and grant.holds(now)),
            approved=approval.approved(said, plan, policy.approvers, now),
        )
    )
