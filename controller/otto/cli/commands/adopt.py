"""`otto adopt`: take hosts that are alive, and that the site's Terraform state lost, back into it."""

from typing import TYPE_CHECKING

import typer

from otto.cli import options
from otto.cli.invocation import Invocation
from otto.cli.running import run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otto.cli.answer import Answer
    from otto.model.infrastructure import Adoptable

_TIMEOUT = 600.0


def adopt(
    context: typer.Context,
    site: options.Site,
    *,
    yes: options.Yes = False,
    timeout: options.Timeout = _TIMEOUT,
    plain: options.Plain = False,
    json: options.JsonLines = False,
) -> None:
    """Take living hosts into a site's Terraform state.

    For a state that was lost, or that lacks something of the site's. Lists what would be imported, and asks.
    Nothing is created that is there already. A running controller does the same by itself.
    """
    from otto.desk.inspecting import SeeAdoptable  # noqa: PLC0415  (not for --help)

    invocation = Invocation.of(context)
    found = run(invocation.desk.ask(SeeAdoptable(site)))
    _list(invocation, site, found, json=json)
    if not found:
        return
    if not yes:
        from otto.cli.asking import agreed  # noqa: PLC0415  (unless --yes)

        agreed(invocation, f"Take {_counted(found)} into the state of {site}?", "nothing was imported")
    from otto.cli.reporting import report  # noqa: PLC0415  (with what is imported below)
    from otto.cli.session import look  # noqa: PLC0415  (imports the loop)
    from otto.model.plan import StepKind  # noqa: PLC0415

    steps = frozenset({StepKind.PROVISION})
    answers = run(look(invocation, [site], steps, timeout, plain=plain, json=json))
    _tell(invocation, site, answers, json=json)
    report(invocation, answers, json=json, all_sites=False)


def _list(invocation: Invocation, site: str, found: "Sequence[Adoptable]", *, json: bool) -> None:
    if json:
        from otto.cli.presenting import write_event  # noqa: PLC0415
        from otto.model.canonical import to_data  # noqa: PLC0415

        resources = [to_data(item) for item in found]
        write_event(invocation.out, {"event": "adoptable", "site": site, "resources": resources})
        return
    from otto.cli import tables  # noqa: PLC0415

    if not found:
        words = f"nothing to adopt: the state of {site} has everything of it that is alive"
        invocation.out.print(tables.words(words), soft_wrap=True)
        return
    words = f"alive, and missing from the state of {site}:"
    invocation.out.print(tables.words(words), tables.adoptable(found), sep="\n")


def _tell(invocation: Invocation, site: str, answers: "Sequence[Answer]", *, json: bool) -> None:
    """Say what the run took into the state."""
    imported = [address for answer in answers for address in imports(answer)]
    if json:
        from otto.cli.presenting import write_event  # noqa: PLC0415

        write_event(invocation.out, {"event": "adopted", "site": site, "imported": imported})
        return
    from otto.cli import tables  # noqa: PLC0415

    for address in imported:
        invocation.out.print(tables.words(f"= imported {address}", "cyan"), soft_wrap=True)
    if not imported and all(answer.ok for answer in answers):
        words = f"this run had nothing left to import; what another one did: otto history {site}"
        invocation.out.print(tables.words(words), soft_wrap=True)


def imports(answer: "Answer") -> list[str]:
    """Addresses that the run of an answer took into the state."""
    from otto.model.plan import ActionKind  # noqa: PLC0415  (with the loop)
    from otto.model.run import Outcome  # noqa: PLC0415

    steps = answer.run.steps if answer.run else ()
    lists = [
        step.detail.get("actions")
        for step in steps
        if step.kind == "provision" and step.outcome is Outcome.SUCCEEDED
    ]
    actions = [str(action) for found in lists if isinstance(found, list) for action in found]
    sign = f"{ActionKind.IMPORT.value} "
    return [action.removeprefix(sign) for action in actions if action.startswith(sign)]


def _counted(found: "Sequence[Adoptable]") -> str:
    from otto.cli.text import counted  # noqa: PLC0415

    return counted(len(found), "resource")
