"""Where the values of a YAML file stand, as ranges of its text.

For text that `compose.documents` has read to its end already: that holds the limits.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)


class Shape(StrEnum):
    """What a value is, as it is written."""

    SCALAR = "scalar"
    MAPPING = "mapping"
    LIST = "list"
    ALIAS = "alias"


class Key(NamedTuple):
    """A key of a mapping, and the range of its text."""

    name: str
    start: int
    end: int


@dataclass(slots=True)
class Node:
    """A value as it is written.

    Attributes:
        shape: what it is.
        start: where its text begins, its anchor and tag included.
        end: where it ends; of block collections, where the last value inside does.
        flow: whether it is a collection in brackets.
        style: the quotation mark of a scalar, `|` or `>`, "" for none.
        keys: those of a mapping.
        items: values of a mapping or list, in order.
    """

    shape: Shape
    start: int
    end: int
    flow: bool = False
    style: str = ""
    keys: list[Key] = field(default_factory=list)
    items: list["Node"] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Stretch:
    """One document of a file.

    Attributes:
        start: where it begins: at its `---` if it has one, else at its first value.
        end: where the next one begins, or the text ends.
        root: its value.
        marked: whether it begins with `---`.
    """

    start: int
    end: int
    root: Node
    marked: bool


def stretches(text: str) -> tuple[Stretch, ...]:
    """The documents of a text, in order."""
    found = list(_documents(text))
    ends = [start for start, _, _ in found[1:]] + [len(text)]
    return tuple(
        Stretch(start, end, root, marked) for (start, root, marked), end in zip(found, ends, strict=True)
    )


def _documents(text: str) -> Iterator[tuple[int, Node, bool]]:
    loader = yaml.CSafeLoader(text)
    try:
        start, marked, root = 0, False, None
        stack: list[Node] = []
        while (event := loader.get_event()) is not None:
            if isinstance(event, DocumentStartEvent):
                start, marked = _begin(event), bool(event.explicit)
                continue
            root = _take(event, stack)
            if root is not None:
                yield start, root, marked
    finally:
        loader.dispose()


def _begin(event: Any) -> int:  # noqa: ANN401
    return int(event.start_mark.index)


def _take(event: Any, stack: list[Node]) -> Node | None:  # noqa: ANN401
    """Take in an event; the document's value once that has ended."""
    start, end = (
        (event.start_mark.index, event.end_mark.index) if event.start_mark and event.end_mark else (0, 0)
    )
    if isinstance(event, MappingStartEvent | SequenceStartEvent):
        shape = Shape.MAPPING if isinstance(event, MappingStartEvent) else Shape.LIST
        stack.append(Node(shape, start, end, flow=bool(event.flow_style)))
        return None
    if isinstance(event, MappingEndEvent | SequenceEndEvent):
        done = stack.pop()
        done.end = end if done.flow else (done.items[-1].end if done.items else done.end)
        return _put(done, stack)
    if isinstance(event, AliasEvent):
        return _put(Node(Shape.ALIAS, start, end), stack)
    if isinstance(event, ScalarEvent):
        top = stack[-1] if stack else None
        if top is not None and top.shape is Shape.MAPPING and len(top.keys) == len(top.items):
            top.keys.append(Key(event.value, start, end))
            return None
        return _put(Node(Shape.SCALAR, start, end, style=event.style or ""), stack)
    return None


def _put(node: Node, stack: list[Node]) -> Node | None:
    if not stack:
        return node
    stack[-1].items.append(node)
    return None
