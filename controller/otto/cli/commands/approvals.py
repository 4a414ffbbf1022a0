"""`otto approve` and `otto reject`: a person's yes or no to the plan that a site waits with."""

from typing import TYPE_CHECKING, Annotated

import typer

from otto.cli import options, speaking
from otto.cli.invocation import Invocation
from otto.cli.running import run

if TYPE_CHECKING:
    from otto.model.saying import Saying, Speaker
    from otto.ports import Store

Digest = Annotated[str, typer.Argument(metavar="DIGEST", help="The plan's digest; its first digits will do.")]


def approve(
    context: typer.Context,
    site: options.Site,
    digest: Digest,
    *,
    by: options.By = None,
    note: options.Note = "",
    json: options.Json = False,
) -> None:
    """Approve the plan that a site waits with.

    This very plan, for as long as policy.approvalExpiry says: another one has to be approved anew. It may be
    given while the plan waits for something else as well. Where the site's policy asks for two approvers,
    another person has to say so too. A rejection of the plan is taken back thereby.
    """
    invocation = Invocation.of(context)
    who, why = speaking.speaker(invocation, by), speaking.reason(note)

    async def yes(store: "Store", speaker: "Speaker") -> "Saying":
        from otto.reconcile import approvals  # noqa: PLC0415  (not for --help)

        return await approvals.approve(store, site, digest, speaker, why)

    speaking.show(invocation, run(speaking.speak(invocation, site, who, yes)), json=json)


def reject(
    context: typer.Context,
    site: options.Site,
    digest: Digest,
    *,
    by: options.By = None,
    note: options.Note = "",
    json: options.Json = False,
) -> None:
    """Reject the plan that a site waits with.

    This very plan is refused from then on, and approvals of it are taken back. `otto approve` of the same
    plan takes the rejection back.
    """
    invocation = Invocation.of(context)
    who, why = speaking.speaker(invocation, by), speaking.reason(note)

    async def no(store: "Store", speaker: "Speaker") -> "Saying":
        from otto.reconcile import approvals  # noqa: PLC0415  (not for --help)

        return await approvals.reject(store, site, digest, speaker, why)

    speaking.show(invocation, run(speaking.speak(invocation, site, who, no)), json=json)
