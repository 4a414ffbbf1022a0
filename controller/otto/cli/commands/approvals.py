"""`otto approve` and `otto reject`: a person's yes or no to the plan that a site waits with."""

from typing import Annotated

import typer

from otto.cli import options, speaking
from otto.cli.invocation import Invocation
from otto.cli.running import run

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
    from otto.desk.judging import Approve  # noqa: PLC0415  (not for --help)

    invocation = Invocation.of(context)
    speaking.show(invocation, run(invocation.desk.ask(Approve(site, digest, by, note))), json=json)


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
    from otto.desk.judging import Reject  # noqa: PLC0415  (not for --help)

    invocation = Invocation.of(context)
    speaking.show(invocation, run(invocation.desk.ask(Reject(site, digest, by, note))), json=json)
