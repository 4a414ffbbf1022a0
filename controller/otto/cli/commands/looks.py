"""`otto reconcile`, `provision`, `configure`, `verify`: have sites worked on now, and wait for the end."""

from collections.abc import Sequence

import typer

from otto.cli import options
from otto.cli.invocation import Invocation
from otto.cli.running import run
from otto.model.plan import StepKind

_TIMEOUT = 600.0


def reconcile(
    context: typer.Context,
    sites: options.Sites,
    timeout: options.Timeout = _TIMEOUT,
    plain: options.Plain = False,
    json: options.JsonLines = False,
) -> None:
    """Bring sites to what their specs say, now."""
    # Verification is part of every run; asking for it makes sure that there is one to wait for.
    _work(context, sites, frozenset({StepKind.VERIFY}), timeout, plain=plain, json=json)


def provision(
    context: typer.Context,
    sites: options.SitesOrAll = None,
    timeout: options.Timeout = _TIMEOUT,
    plain: options.Plain = False,
    json: options.JsonLines = False,
) -> None:
    """Create or change the servers that the specs ask for."""
    _work(context, sites, frozenset({StepKind.PROVISION}), timeout, plain=plain, json=json)


def configure(
    context: typer.Context,
    sites: options.SitesOrAll = None,
    timeout: options.Timeout = _TIMEOUT,
    plain: options.Plain = False,
    json: options.JsonLines = False,
) -> None:
    """Configure the servers and lay their content anew."""
    _work(context, sites, frozenset({StepKind.CONFIGURE, StepKind.DEPLOY}), timeout, plain=plain, json=json)


def verify(
    context: typer.Context,
    sites: options.SitesOrAll = None,
    timeout: options.Timeout = _TIMEOUT,
    plain: options.Plain = False,
    json: options.JsonLines = False,
) -> None:
    """Test running sites: every server, balancer and check.

    What is found to be different is put right first.
    """
    _work(context, sites, frozenset({StepKind.VERIFY}), timeout, plain=plain, json=json)


def _work(
    context: typer.Context,
    sites: Sequence[str] | None,
    steps: frozenset[StepKind],
    timeout: float,
    *,
    plain: bool,
    json: bool,
) -> None:
    from otto.cli.reporting import report  # noqa: PLC0415  (with what is imported below)
    from otto.cli.session import look  # noqa: PLC0415  (imports the loop)

    invocation = Invocation.of(context)
    answers = run(look(invocation, sites or (), steps, timeout, plain=plain, json=json))
    if not answers and not json:
        invocation.err.print("no site has a spec: nothing to do")
    report(invocation, answers, json=json, all_sites=not sites)
