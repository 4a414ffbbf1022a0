"""Tell how sites answered, and end with the exit status that says the same."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from otto.cli.answer import Answer
from otto.cli.exits import Exit
from otto.cli.text import clean
from otto.model.run import Outcome

if TYPE_CHECKING:
    from otto.cli.invocation import Invocation


def report(invocation: "Invocation", answers: Sequence[Answer], *, json: bool, all_sites: bool) -> None:
    """Print every answer.

    Args:
        invocation: the call.
        answers: by site.
        json: as one event per line, else as words.
        all_sites: whether nobody named the sites: those that a person holds are then no failure.

    Raises:
        typer.Exit: 1 when an answer is not ok.
    """
    for answer in answers:
        if json:
            _json(invocation, answer)
        else:
            _words(invocation, answer)
    if any(not answer.ok and not (all_sites and answer.held) for answer in answers):
        raise typer.Exit(Exit.FAILED)


def _json(invocation: "Invocation", answer: Answer) -> None:
    import json  # noqa: PLC0415  (the flag of that name is the callers')

    run = answer.run.id if answer.run else None
    document = {"event": "answer", "site": answer.site, "ok": answer.ok, "message": answer.words, "run": run}
    invocation.out.print(json.dumps(document | {"failures": _failures(answer)}), soft_wrap=True)


def _words(invocation: "Invocation", answer: Answer) -> None:
    from rich.text import Text  # noqa: PLC0415  (see `console`)

    mark, style = ("✔", "green") if answer.ok else ("‖", "yellow") if answer.held else ("✘", "red")
    line = Text.assemble((f"{mark} ", style), (clean(answer.site), "bold"), "  ", clean(answer.words))
    invocation.out.print(line, soft_wrap=True)
    for failure in _failures(answer):
        invocation.out.print(Text(f"    {clean(failure)}", "red"), soft_wrap=True)
    if not answer.ok and answer.run is not None:
        hint = f"    the whole run: otto history {answer.site} --run {answer.run.id}"
        invocation.out.print(Text(clean(hint), "dim"), soft_wrap=True)


def _failures(answer: Answer) -> list[str]:
    """Every check that failed, with request, expected and received."""
    if answer.ok or answer.run is None:
        return []
    steps = [step for step in answer.run.steps if step.outcome is Outcome.FAILED]
    found: list[str] = []
    for step in steps:
        listed = step.detail.get("failures")
        found += [str(item) for item in listed] if isinstance(listed, list) else []
    return found
