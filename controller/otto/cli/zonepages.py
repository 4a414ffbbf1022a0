"""Zones, for people."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rich.text import Text

from otto.cli import inspecting
from otto.cli.tables import blank, words
from otto.cli.text import clean, counted
from otto.model.zone import Finding, RecordSet

if TYPE_CHECKING:
    from rich.console import RenderableType

    from otto.desk.inspecting import InspectedZone

_HOLDS = {True: ("yes", "green"), False: ("no", "red"), None: ("?", "yellow")}
_MOST = 200


def difference(seen: "InspectedZone") -> "Iterator[RenderableType]":
    """What differs, what would be done about it, and what is somebody else's."""
    yield from inspecting.plan(seen.inspected)
    if seen.conflicts:
        yield ""
        yield words("in the way, and somebody else's (policy.takeover: true makes it OttO's):", "yellow")
        yield inspecting.differences(seen.conflicts)
    if seen.foreign:
        yield ""
        yield words(f"{counted(len(seen.foreign), 'record set')} of others, left alone:", "dim")
        yield _records(seen.foreign)
    for site in seen.lost:
        yield words(f"no address of {site} is known: its records stay as they are", "yellow")


def _records(found: Iterable[RecordSet]) -> "RenderableType":
    table = blank("NAME", "TYPE", "TTL", "VALUES")
    items = tuple(found)
    for item in items[:_MOST]:
        values = ", ".join(item.values)
        table.add_row(words(item.name or "@", "bold"), words(item.type), words(str(item.ttl)), words(values))
    if len(items) > _MOST:
        table.add_row(words(f"and {len(items) - _MOST} more", "dim"))
    return table


def findings(found: Iterable[Finding]) -> "RenderableType":
    """What was found from outside, aspect by aspect."""
    table = blank("ASPECT", "WELL", "WHAT")
    for item in found:
        word, style = _HOLDS[item.holds]
        table.add_row(words(item.aspect.value, "bold"), words(word, style), words(item.message))
    return table


def failures(found: Iterable[Finding]) -> "Iterator[Text]":
    """Each thing that is wrong, line by line; the requests that show it alone on theirs, to be copied."""
    for item in found:
        if item.failures:
            yield words("")
            yield words(item.aspect.value, "bold")
        for failure in item.failures[:_MOST]:
            yield Text.assemble(
                clean(f"  {failure.check} on {failure.target}: "),
                (clean(failure.received), "red"),
                clean(f", expected {failure.expected}"),
            )
            yield words(f"    {failure.request}", "dim")
        if len(item.failures) > _MOST:
            yield words(f"  and {len(item.failures) - _MOST} more", "dim")
