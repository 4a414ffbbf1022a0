"""What a plan does to records, in words."""

from collections.abc import Iterator

from otto.model.plan import Action, Step


def changes_of(step: Step) -> Iterator[tuple[Action, str]]:
    """Each action of a step over records, and what it is before and after; "" where that says nothing.

    Args:
        step: one that `otto.decide.dns.planning.plan` made.
    """
    lines = dict(line.split(": ", 1) for line in step.detail if ": " in line)
    for action in step.actions:
        yield action, lines.get(action.address, "")
