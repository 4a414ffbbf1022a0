"""A page, and the little Markdown that pages are made of."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Page:
    """One generated page.

    Attributes:
        path: where it goes, below `docs`.
        source: what it is made from, for its first line.
        render: makes its text.
    """

    path: str
    source: str
    render: Callable[[], str]

    def text(self) -> str:
        """The whole page."""
        banner = f"<!-- Made by docs/generate.py from {self.source}. Do not edit: change that instead. -->"
        return f"{banner}\n\n{self.render().strip()}\n"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; cells may hold Markdown, and bars in them are escaped."""
    lines = [_row(headings), "|" + "---|" * len(headings)]
    return "\n".join([*lines, *(_row(row) for row in rows)])


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def code(text: object) -> str:
    """A piece of code inside a line; nothing for nothing."""
    words = str(text)
    if not words:
        return ""
    return f"`` {words} ``" if "`" in words else f"`{words}`"


def joined(blocks: Iterable[str]) -> str:
    """Blocks with an empty line between them; empty ones are left out."""
    return "\n\n".join(block.strip("\n") for block in blocks if block.strip())
