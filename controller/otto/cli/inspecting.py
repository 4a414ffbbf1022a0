"""A plan and differences, for people."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from otto.cli import money
from otto.cli.tables import blank, words
from otto.cli.text import clean, counted, figures
from otto.decide.dns.words import changes_of
from otto.model.canonical import short
from otto.model.difference import Difference, Severity
from otto.model.plan import Action, ActionKind, Step, StepKind
from otto.model.verdict import Allowed, Reason, Refused, Verdict, Waiting

if TYPE_CHECKING:
    from rich.console import RenderableType

    from otto.reconcile.documents import Looked

_SEVERITY = {Severity.INFO: "dim", Severity.WARNING: "yellow", Severity.CRITICAL: "red"}
_SIGNS = {
    ActionKind.CREATE: ("+", "green"),
    ActionKind.UPDATE: ("~", "yellow"),
    ActionKind.SCALE_IN: ("-", "yellow"),
    ActionKind.REPAIR: ("+", "green"),
    ActionKind.REPLACE: ("±", "red"),
    ActionKind.DESTROY: ("-", "red"),
    ActionKind.IMPORT: ("=", "cyan"),
}
_VERDICTS = {"Allowed": "green", "NeedsApproval": "magenta", "Refused": "red", "Waiting": "yellow"}


def differences(found: Iterable[Difference]) -> Table:
    """What differs, worst first within each layer."""
    table = blank("LAYER", "WHAT", "WANT", "HAVE", "CAUSE")
    for item in found:
        style = _SEVERITY[item.severity]
        table.add_row(
            words(item.layer.value),
            words(item.path, "bold"),
            words(_shortened(item.want)),
            words(_shortened(item.have), style),
            words(item.cause.value, style),
        )
    return table


def _shortened(value: str) -> str:
    """A digest or commit in the length people can compare; other words as they are."""
    hexadecimal = len(value) >= 40 and all(character in "0123456789abcdef" for character in value)  # noqa: PLR2004
    return short(value) if hexadecimal else value


def plan(seen: "Looked") -> Iterator["RenderableType"]:
    """A plan, step by step, and what the guard says of it."""
    if seen.plan is None or seen.verdict is None:
        return
    site = clean(seen.site)
    if not seen.plan:
        yield Text(f"{site}: nothing to do, {counted(len(seen.differences), 'difference')}")
        return
    yield Text.assemble(("plan ", "dim"), short(seen.plan.digest), (" for ", "dim"), (site, "bold"))
    for step in seen.plan.steps:
        yield from _step(step)
    if seen.plan.about.cost is not None:
        yield Text.assemble(("cost: ", "dim"), money.change_words(seen.plan.about.cost))
    yield from _verdict(seen.verdict)


def _step(step: Step) -> Iterator["RenderableType"]:
    if step.kind is StepKind.DNS:
        yield from _records(step)
        return
    about = ", ".join((*(() if step.actions else step.hosts), *step.detail))
    yield Padding(Text.assemble((step.kind.value, "bold"), "  ", clean(about)), (0, 0, 0, 2))
    for action in step.actions:
        yield Padding(_action(action), (0, 0, 0, 4))


def _records(step: Step) -> Iterator["RenderableType"]:
    """Every record set, before and after."""
    yield Padding(Text(step.kind.value, "bold"), (0, 0, 0, 2))
    for action, change in changes_of(step):
        sign, style = _SIGNS[action.kind]
        reason = f"  {action.reason}" if action.reason else ""
        line = Text.assemble((f"{sign} {action.kind.value:<9}", style), (clean(action.address), "bold"))
        yield Padding(line.append(clean(f"  {change}")).append(clean(reason), "dim"), (0, 0, 0, 4))


def _action(action: Action) -> Text:
    sign, style = _SIGNS[action.kind]
    what = f"{action.host}  {action.address}" if action.host else action.address
    changed = f"  ({', '.join(action.changed)})" if action.changed else ""
    reason = f"  {action.reason}" if action.reason else ""
    return Text.assemble(
        (f"{sign} {action.kind.value:<9}", style), clean(what), (clean(changed + reason), "dim")
    )


def _verdict(verdict: Verdict) -> Iterator["RenderableType"]:
    kind = type(verdict).__name__
    said = {
        "Allowed": "may be carried out",
        "NeedsApproval": "needs approval",
        "Refused": "refused",
        "Waiting": "has to wait",
    }
    yield Text.assemble(("guard: ", "dim"), (said[kind], _VERDICTS[kind]))
    if isinstance(verdict, Allowed):
        yield from _reasons(verdict.warnings)
        return
    yield from _reasons(verdict.reasons)
    for mend in dict.fromkeys(reason.mend for reason in verdict.reasons if reason.mend):
        yield Padding(Text.assemble(("to go on: ", "dim"), clean(mend)), (0, 0, 0, 2))
    if isinstance(verdict, Refused | Waiting) and verdict.behind:
        yield Text("after that:", "dim")
        yield from _reasons(verdict.behind)


def _reasons(reasons: Iterable[Reason]) -> Iterator["RenderableType"]:
    for reason in reasons:
        rule = f"  [{reason.rule}] {figures(reason)}".rstrip()
        yield Padding(Text.assemble(clean(reason.message), (clean(rule), "dim")), (0, 0, 0, 2))
