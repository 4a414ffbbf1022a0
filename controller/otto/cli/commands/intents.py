"""`otto suspend`, `resume` and `approve`: what people say to OttO besides the spec."""

import getpass
from typing import TYPE_CHECKING, Annotated

import typer

from otto.cli import naming, options
from otto.cli.invocation import Invocation
from otto.cli.running import run
from otto.model.errors import UsageError

if TYPE_CHECKING:
    from otto.model.run import Run
    from otto.ports import Store

# Fewer digits than this would be a guess.
_LEAST = 6


def suspend(context: typer.Context, site: options.Site) -> None:
    """Leave a site alone until it is resumed.

    Whatever its spec says. It goes on serving.
    """
    invocation = Invocation.of(context)
    heard = run(_suspend(invocation, site))
    _say(invocation, f"{site} is suspended; to go on: otto resume {site}", heard=heard)


def resume(context: typer.Context, site: options.Site) -> None:
    """Take back a suspend or destroy.

    The site follows its spec again.
    """
    invocation = Invocation.of(context)
    heard = run(_resume(invocation, site))
    _say(invocation, f"{site} follows its spec again", heard=heard)


def approve(
    context: typer.Context,
    site: options.Site,
    digest: Annotated[
        str, typer.Argument(metavar="DIGEST", help="The plan's digest; its first digits will do.")
    ],
) -> None:
    """Approve the plan that a site waits with.

    This very plan: another one has to be approved anew.
    """
    invocation = Invocation.of(context)
    plan, heard = run(_approve(invocation, site, digest.strip().lower()))
    _say(invocation, f"plan {plan[:12]} of {site} is approved", heard=heard)


async def _suspend(invocation: Invocation, site: str) -> bool:
    async with naming.reading_store(invocation) as store:
        naming.require(site, await naming.names_in(store))
        await store.set_intent(site, "suspend", on=True)
    return await _tell(invocation, site)


async def _resume(invocation: Invocation, site: str) -> bool:
    async with naming.reading_store(invocation) as store:
        naming.require(site, await naming.names_in(store))
        for intent in ("suspend", "destroy", "destroyed", "teardown"):
            await store.set_intent(site, intent, on=False)
    return await _tell(invocation, site)


async def _approve(invocation: Invocation, site: str, digest: str) -> tuple[str, bool]:
    async with naming.reading_store(invocation) as store:
        naming.require(site, await naming.names_in(store))
        plan = await awaiting(store, site, digest)
        await store.approve(site, plan, getpass.getuser())
    return plan, await _tell(invocation, site)


async def awaiting(store: "Store", site: str, digest: str) -> str:
    """The full digest of the plan that waits, if `digest` begins it.

    Raises:
        UsageError: no plan waits, or it is another one.
    """
    from otto.model.run import Outcome  # noqa: PLC0415  (with the store)
    from otto.model.status import Phase  # noqa: PLC0415

    status = await store.status(site)
    runs = await store.runs(site, 50)
    newest = runs[0] if runs else None
    waits = status is not None and status.phase is Phase.AWAITING_APPROVAL
    if newest is None or not waits or newest.outcome is not Outcome.WAITING or not newest.plan:
        phase = status.phase.value if status else "not looked at yet"
        raise UsageError(f"{site} does not wait for an approval: it is {phase}", mend=f"otto status {site}")
    if _refused(newest):
        raise UsageError(
            f"the plan of {site} is refused, and no approval changes that",
            mend=f"otto status {site} says why",
        )
    if len(digest) < _LEAST:
        raise UsageError(
            f"{digest!r} is too short to name a plan", mend=f"give at least {_LEAST} digits of it"
        )
    if newest.plan.startswith(digest):
        return newest.plan
    raise _another(site, digest, newest, runs)


def _another(site: str, digest: str, newest: "Run", runs: "tuple[Run, ...]") -> UsageError:
    mend = f"read it (otto plan {site}), then: otto approve {site} {newest.plan[:12]}"
    if any(run.plan.startswith(digest) for run in runs if run.plan):
        return UsageError(f"plan {digest[:12]} of {site} is out of date: another one waits now", mend=mend)
    return UsageError(f"no plan of {site} that waits begins with {digest[:64]!r}", mend=mend)


def _refused(run: "Run") -> bool:
    return any(step.kind == "guard" and step.detail.get("verdict") == "Refused" for step in run.steps)


async def _tell(invocation: Invocation, site: str) -> bool:
    """Have a running controller look at once; whether there is one."""
    from otto.cli import presence  # noqa: PLC0415

    home = invocation.settings.home
    if presence.find(home) is None:
        return False
    from otto.reconcile.control import ask  # noqa: PLC0415  (only where there is somebody to ask)

    return await ask(home / "control.sock", {"op": "due", "site": site}) is not None


def _say(invocation: Invocation, words: str, *, heard: bool) -> None:
    from otto.cli.text import clean  # noqa: PLC0415

    later = "" if heard else "; no controller is running, the next one takes note"
    invocation.out.print(clean(words + later), soft_wrap=True)
