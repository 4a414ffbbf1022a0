"""Composes YAML documents into plain values, with the place of every one of them.

Built from the parser's events, not from its nodes: libyaml's event parser holds its own stack, while
composing nodes recurses in C and dies of `[[[[…` (seen with PyYAML 6.0.3: segmentation fault). Nesting
also makes libyaml's scanner quadratic (32 KiB of `[` take 3 s), so reading stops at the depth limit.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from otto.adapters.specs.document import Document, Flaw, Place, Stop, Value
from otto.adapters.specs.limits import SpecLimits
from otto.adapters.specs.scalar import mapping_tag, plain, sequence_tag, tagged
from otto.adapters.specs.text import quoted, safe


class _Open:
    """A list or mapping that is being read."""

    __slots__ = ("anchor", "key", "places", "size", "start", "value")

    def __init__(self, start: Event, value: "list[Value] | dict[str, Value]") -> None:
        self.value = value
        self.places: list[Place] | dict[str, Place] = [] if isinstance(value, list) else {}
        self.start = start
        self.anchor: str | None = getattr(start, "anchor", None)
        self.key: tuple[str, tuple[int, int]] | None = None
        self.size = 1


class _Anchored(NamedTuple):
    value: Value
    place: Place
    size: int


def documents(text: str, limits: SpecLimits) -> Iterator[Document]:
    """The documents of a file, in order.

    Raises:
        Stop: the rest of the file cannot be read; the documents before it stand.
    """
    loader = yaml.CSafeLoader(text)
    budget = _Budget(limits.values)
    try:
        while (event := loader.get_event()) is not None:
            if isinstance(event, DocumentStartEvent):
                yield _Builder(loader, limits, budget).build()
    except yaml.MarkedYAMLError as error:
        raise Stop(_syntax(error, text)) from error
    except yaml.YAMLError as error:
        raise Stop(Flaw(1, 1, "this is not YAML", found=safe(str(error)))) from error
    finally:
        loader.dispose()


def _syntax(error: yaml.MarkedYAMLError, text: str) -> Flaw:
    mark = error.problem_mark or error.context_mark
    line, column = (1, 1) if mark is None else (mark.line + 1, mark.column + 1)
    message = ", ".join(part for part in (error.context, error.problem) if part)
    tab = mark is not None and text[mark.index : mark.index + 1] == "\t"
    mend = "indent with spaces, never with tabs" if tab else ""
    return Flaw(line, column, f"this is not YAML: {safe(message, 160)}", mend=mend)


@dataclass(slots=True)
class _Budget:
    left: int

    def spend(self, count: int, event: Event) -> None:
        self.left -= count
        if self.left < 0:
            message = "this file stands for more values than a file of specs may hold, aliases counted"
            raise Stop(
                Flaw(*_at(event), message, mend="write out what the aliases stand for, or split the file")
            )


def _at(event: Event) -> tuple[int, int]:
    mark: Any = event.start_mark
    return mark.line + 1, mark.column + 1


class _Builder:
    """Turns the events of one document into a value."""

    def __init__(self, loader: yaml.CSafeLoader, limits: SpecLimits, budget: _Budget) -> None:
        self._loader = loader
        self._limits = limits
        self._budget = budget
        self._stack: list[_Open] = []
        self._anchors: dict[str, _Anchored | None] = {}
        self._document = Document()

    def build(self) -> Document:
        """Read up to the end of the document."""
        next_event, budget = self._loader.get_event, self._budget
        take: dict[type, Callable[[Any], None]] = {
            ScalarEvent: self._scalar,
            MappingStartEvent: self._mapping,
            SequenceStartEvent: self._sequence,
            MappingEndEvent: self._close,
            SequenceEndEvent: self._close,
            AliasEvent: self._alias,
        }
        while (event := next_event()) is not None and (act := take.get(type(event))) is not None:
            budget.left -= 1
            act(event)
            if budget.left < 0:
                budget.spend(0, event)
        return self._document

    def _mapping(self, event: MappingStartEvent) -> None:
        self._open(event, {}, good=mapping_tag(event.tag))

    def _sequence(self, event: SequenceStartEvent) -> None:
        self._open(event, [], good=sequence_tag(event.tag))

    def _scalar(self, event: ScalarEvent) -> None:
        top = self._stack[-1] if self._stack else None
        if top is not None and top.key is None and type(top.value) is dict:
            self._key(event, top)
            return
        text, tag = event.value, event.tag
        if tag is not None and tag != "!":
            value = tagged(text, tag)
        else:
            value = plain(text) if event.implicit[0] else text
        line, column = _at(event)
        place = Place(line, column, top.key[1] if top is not None and top.key else None)
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchored(value, place, 1)
        self._put(value, place, 1)

    def _wants_key(self) -> bool:
        return bool(self._stack) and isinstance(self._stack[-1].value, dict) and self._stack[-1].key is None

    def _key_place(self) -> tuple[int, int] | None:
        return self._stack[-1].key[1] if self._stack and self._stack[-1].key else None

    def _key(self, event: ScalarEvent, top: _Open) -> None:
        text = event.value
        if event.implicit[0] and not isinstance(plain(text), str):
            self._odd_key(event)
        elif event.tag not in (None, "!", "tag:yaml.org,2002:str"):
            self._flaw(event, "a tag is not allowed on a key", found=quoted(text))
        if text in top.value:
            first = top.places[text].key if isinstance(top.places, dict) else None
            where = f" (first in line {first[0]})" if first else ""
            self._flaw(event, f"{quoted(text)} stands here twice{where}", mend="keep one of them", key=text)
        top.key = (text, _at(event))

    def _odd_key(self, event: ScalarEvent) -> None:
        if event.value == "<<":
            self._flaw(event, "merge keys (<<) are not supported", mend="write the fields out")
            return
        self._flaw(event, "a key has to be text", found=safe(event.value), mend="put it in quotation marks")

    def _open(
        self,
        event: MappingStartEvent | SequenceStartEvent,
        value: "list[Value] | dict[str, Value]",
        *,
        good: bool,
    ) -> None:
        if len(self._stack) >= self._limits.depth:
            raise Stop(Flaw(*_at(event), f"values lie more than {self._limits.depth} deep inside each other"))
        if self._wants_key():
            raise Stop(Flaw(*_at(event), "a key has to be text, not a list or mapping"))
        if not good:
            self._flaw(event, "this tag is not allowed", found=quoted(str(event.tag)), mend="leave it out")
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._stack.append(_Open(event, value))

    def _close(self, _: Event) -> None:
        done = self._stack.pop()
        place = Place(*_at(done.start), self._key_place(), done.places)
        if done.anchor is not None:
            self._anchors[done.anchor] = _Anchored(done.value, place, done.size)
        self._put(done.value, place, done.size)

    def _alias(self, event: AliasEvent) -> None:
        name = str(event.anchor)
        if self._wants_key():
            raise Stop(Flaw(*_at(event), "a key has to be text, not an alias", found=quoted(f"*{name}")))
        if name not in self._anchors:
            raise Stop(Flaw(*_at(event), "this alias has no anchor", found=quoted(f"*{name}")))
        known = self._anchors[name]
        if known is None:
            raise Stop(
                Flaw(*_at(event), "this alias stands inside what it stands for", found=quoted(f"*{name}"))
            )
        self._budget.spend(known.size, event)
        # Problems inside are shown where the anchor stands: that is the text to mend.
        self._put(known.value, known.place._replace(key=self._key_place()), known.size)

    def _put(self, value: Value, place: Place, size: int) -> None:
        if not self._stack:
            self._document.value, self._document.place = value, place
            return
        top = self._stack[-1]
        top.size += size
        if isinstance(top.value, list) and isinstance(top.places, list):
            top.value.append(value)
            top.places.append(place)
        elif isinstance(top.value, dict) and isinstance(top.places, dict) and top.key is not None:
            top.value.setdefault(top.key[0], value)
            top.places.setdefault(top.key[0], place)
            top.key = None

    def _flaw(
        self, event: Event, message: str, *, found: str = "", mend: str = "", key: str | None = None
    ) -> None:
        path = self._path() if key is None else (*self._path(), key)
        self._document.flaws.append(Flaw(*_at(event), message, found=found, mend=mend, path=path))

    def _path(self) -> tuple[str | int, ...]:
        """Where the value stands that is being read."""
        steps = (
            (len(top.value) if isinstance(top.value, list) else top.key and top.key[0]) for top in self._stack
        )
        return tuple(step for step in steps if step is not None)
