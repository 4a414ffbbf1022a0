"""Reference of exit statuses, from `otto.cli.exits`."""

import inspect

from generator.page import code, joined, table
from otto.cli import exits

_INTRO = """\
# Exit statuses

Every `otto` command ends with one of these."""


def render() -> str:
    """The page."""
    return joined([_INTRO, table(("status", "name", "meaning"), _rows())])


def _rows() -> list[tuple[str, str, str]]:
    words = _meanings()
    return [(code(item.value), code(item.name), words.get(item.value, "")) for item in exits.Exit]


def _meanings() -> dict[int, str]:
    """The lines of the module's docstring that begin with a number."""
    found: dict[int, str] = {}
    for line in inspect.cleandoc(exits.__doc__ or "").splitlines():
        number, _, words = line.strip().partition(" ")
        if number.isdecimal():
            first, _, second = words.strip().partition("; 143 by ")
            found[int(number)] = first
            if second:
                found[143] = f"the same, by {second}"
    return found
