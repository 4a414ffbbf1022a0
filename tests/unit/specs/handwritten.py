"""Files as people write them: any style, comments everywhere, each comment known by its place."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from otto.adapters.specs.scalar import plain

Path = tuple[str, ...]

KEYS = st.sampled_from(["count", "web", "size", "a", "b", "labels", "no", "1", "x y", "träge", "checks"])
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-999, 10**6)
    | st.sampled_from([1.5, 0.25, -3.0])
    | st.sampled_from(
        ["small", "yes", "010", "1e3", "a: b", "#x", "- y", "two\nlines", "two\nlines\n", "", " s "]
    )
    | st.text(alphabet="ab:#-'\"{}[],&*!|>%@`\\ \né\u202e😀", max_size=8)
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
ROOTS = st.dictionaries(KEYS, TREES, min_size=1, max_size=5)


@dataclass
class Hand:
    """Writes data with comments.

    Attributes:
        beside: comments on the line of a value, by its path; only where the value is on that line.
        above: comments on a line of their own above a key, by the path of the mapping around it.
    """

    draw: st.DrawFn
    step: int = 2
    indentless: bool = False
    count: int = 0
    beside: dict[str, Path] = field(default_factory=dict)
    above: dict[str, Path] = field(default_factory=dict)

    def comment(self) -> str:
        self.count += 1
        return f"# c{self.count}z"

    def mapping(self, data: Mapping[str, Any], column: int, path: Path) -> list[str]:
        lines: list[str] = []
        for key, value in data.items():
            if self.draw(st.integers(0, 3)) == 0:
                note = self.comment()
                self.above[note] = path
                lines.append(" " * column + note)
            if self.draw(st.integers(0, 6)) == 0:
                lines.append("")
            lines += self.entry(key, value, column, (*path, key))
        return lines

    def entry(self, key: str, value: object, column: int, path: Path) -> list[str]:
        head = " " * column + self.word(key) + ":"
        if isinstance(value, dict) and value and self.draw(st.booleans()):
            return [head, *self.mapping(value, column + self.step, path)]
        if isinstance(value, list) and value and self.draw(st.booleans()):
            return [head, *self.sequence(value, column + (0 if self.indentless else self.step), path)]
        if isinstance(value, str) and value.strip("\n ") and self._literal(value):
            text, chomp = (value[:-1], "") if value.endswith("\n") else (value, "-")
            space = " " * (column + self.step)
            return [f"{head} |{chomp}", *(space + line for line in text.split("\n"))]
        line = f"{head} {self.flow(value)}"
        if self.draw(st.integers(0, 3)) == 0:
            note = self.comment()
            self.beside[note] = path
            line += f"  {note}"
        return [line]

    def _literal(self, value: str) -> bool:
        good = all(line.strip() == line and line.isprintable() for line in value.split("\n"))
        return good and "\n\n" not in value and not value.startswith("\n") and self.draw(st.booleans())

    def sequence(self, items: list[Any], column: int, path: Path) -> list[str]:
        lines: list[str] = []
        for item in items:
            if isinstance(item, dict) and item and self.draw(st.booleans()):
                inner = self.mapping(item, column + 2, (*path, "-"))
                first = next((i for i, line in enumerate(inner) if line.strip()), 0)
                if first == 0 and not inner[0].lstrip().startswith("#"):
                    lines += [" " * column + "- " + inner[0].lstrip(), *inner[1:]]
                else:
                    lines += [" " * column + "-", *inner]
            else:
                lines.append(" " * column + "- " + self.flow(item))
        return lines

    def flow(self, value: object) -> str:
        if isinstance(value, dict):
            return "{" + ", ".join(f"{self.word(k)}: {self.flow(v)}" for k, v in value.items()) + "}"
        if isinstance(value, list):
            return "[" + ", ".join(map(self.flow, value)) + "]"
        return self.word(value) if isinstance(value, str) else json.dumps(value)

    def word(self, text: str) -> str:
        bare = text.replace("-", "").replace(" ", "").isalnum() and text == text.strip() and text[0] != "-"
        if bare and type(plain(text)) is str and text.isascii() and self.draw(st.booleans()):
            return text
        if "\n" not in text and text.isprintable() and self.draw(st.booleans()):
            return "'" + text.replace("'", "''") + "'"
        return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(letter: str) -> str:
    if letter in '"\\':
        return "\\" + letter
    return letter if letter.isprintable() else f"\\u{ord(letter):04x}"


@dataclass(frozen=True)
class Page:
    """A document as text, what it says, and its comments."""

    text: str
    data: dict[str, Any]
    hand: Hand


@st.composite
def pages(draw: st.DrawFn) -> Page:
    data = draw(ROOTS)
    hand = Hand(draw, step=draw(st.sampled_from([2, 4])), indentless=draw(st.booleans()))
    return Page("\n".join(hand.mapping(data, 0, ())) + "\n", data, hand)


@st.composite
def changed(draw: st.DrawFn, data: dict[str, Any]) -> dict[str, Any]:
    """Some of its values exchanged, taken out, put in."""
    new: dict[str, Any] = json.loads(json.dumps(data))
    for _ in range(draw(st.integers(1, 3))):
        target = new
        while inner := [key for key, value in target.items() if isinstance(value, dict) and value]:
            if draw(st.booleans()):
                break
            target = target[draw(st.sampled_from(inner))]
        what = draw(st.sampled_from(["set", "drop", "add"]))
        if target and what == "set":
            target[draw(st.sampled_from(sorted(target)))] = draw(TREES)
        elif target and what == "drop" and (target is not new or len(target) > 1):
            del target[draw(st.sampled_from(sorted(target)))]
        else:
            lists: list[list[Any]] = [value for value in target.values() if isinstance(value, list)]
            inside = draw(st.booleans())
            if lists and inside:
                some = draw(st.sampled_from(lists))
                some.insert(draw(st.integers(0, len(some))), draw(TREES))
            else:
                target[draw(KEYS)] = draw(TREES)
    return new
