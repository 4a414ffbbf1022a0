"""The fewest edits that make a document say something else.

What a person wrote around the changed values stays as it is, to the byte: comments, order, quotation marks,
empty lines. Whoever uses the edits reads the result again: what cannot be edited this way shows there.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Any, NamedTuple

from otto.adapters.specs import emit
from otto.adapters.specs.emit import Style
from otto.adapters.specs.spans import Key, Node, Shape
from otto.model.canonical import canonical

_QUOTES = ("'", '"')
_LINES = ("|", ">")
_NAMED_BY = ("name", "type", "path")


class Edit(NamedTuple):
    """A range of the text, and what is to stand there."""

    start: int
    end: int
    text: str


class OddError(Exception):
    """The text is written in a way that these edits do not know."""


def apply(text: str, edits: Iterable[Edit]) -> str:
    """The text with its edits.

    Raises:
        OddError: two of them meet.
    """
    parts: list[str] = []
    at = 0
    for edit in _ordered(edits):
        if edit.start < at:
            raise OddError
        parts += [text[at : edit.start], edit.text]
        at = edit.end
    return "".join([*parts, text[at:]])


def _ordered(edits: Iterable[Edit]) -> list[Edit]:
    """Edits by place, at one place in the order they came; what only goes, goes together."""
    found: list[Edit] = []
    for edit in sorted(edits, key=lambda one: (one.start, one.end)):
        last = found[-1] if found else None
        if last and edit.start < last.end and not edit.text and not last.text:
            found[-1] = Edit(last.start, max(last.end, edit.end), "")
        else:
            found.append(edit)
    return found


def _apart(edits: Iterable[Edit]) -> bool:
    return all(one.end <= other.start for one, other in pairwise(_ordered(edits)))


class Splicer:
    """Finds the edits of one text.

    Args:
        text: all of it, its line breaks line feeds alone.
        style: how it is written.
    """

    def __init__(self, text: str, style: Style) -> None:
        self._text = text
        self._style = style

    def edits(self, root: Node, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Edit]:
        """What makes a document, a mapping both before and afterwards, say `new` instead of `old`.

        Raises:
            OddError: that cannot be told.
        """
        if not old or not new or root.shape is not Shape.MAPPING:
            raise OddError
        return list(self._mapping(root, old, new))

    def spelled_out(self, root: Node, value: object) -> list[Edit]:
        """What puts in place of each alias what it stands for."""
        return list(self._aliases(root, value))

    # -- mappings

    def _mapping(self, node: Node, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Edit]:
        if [key.name for key in node.keys] != list(old):
            raise OddError
        kept = [place for place, key in enumerate(node.keys) if key.name in new]
        added = {name: value for name, value in new.items() if name not in old}
        if not kept or (node.flow and _ragged(kept, len(old), added=bool(added))):
            raise OddError  # the caller writes the whole of it anew
        for place, key in enumerate(node.keys):
            if key.name not in new:
                yield from self._without(node, place)
            elif not _same(old[key.name], new[key.name]):
                yield from self._value(node, place, old[key.name], new[key.name])
        if added:
            yield self._appended(node, added)

    def _value(self, node: Node, place: int, old: object, new: object) -> Iterator[Edit]:
        """The value of a key that stays, now another one."""
        item = node.items[place]
        inside = self._inside(item, old, new)
        if inside is not None:
            yield from inside
        elif node.flow:
            yield Edit(item.start, item.end, self._space(item) + emit.inline(new, self._quote(item, new)))
        else:
            yield from self._replaced(node, place, new)

    def _inside(self, item: Node, old: object, new: object) -> list[Edit] | None:
        """Edits inside a value, None where it has to be written anew."""
        found: list[Edit] | None = None
        try:
            if item.shape is Shape.MAPPING and isinstance(old, dict) and isinstance(new, dict) and new:
                found = list(self._mapping(item, old, new))
            elif item.shape is Shape.LIST and isinstance(old, list) and isinstance(new, list) and new and old:
                found = list(self._list(item, old, new))
        except OddError:
            return None
        return found if found is None or _apart(found) else None

    def _replaced(self, node: Node, place: int, new: object) -> Iterator[Edit]:
        """A value in a block mapping, written anew behind its colon."""
        item, colon = node.items[place], self._colon(node.keys[place])
        written = emit.after_colon(new, self._style, self._quote(item, new))
        if item.flow and isinstance(new, dict | list):
            written = " " + emit.inline(new)
        first, _, rest = written.partition("\n")
        rest = self._set_in(rest, self._column(node.keys[0].start)) if rest else ""
        end, eol = max(item.end, colon), self._line_end(colon)
        if end <= eol:
            yield Edit(colon, end, first)
            if rest:
                yield Edit(eol, eol, "\n" + rest)
            return
        head = self._text[colon:eol]
        comment = head.rstrip() if head.lstrip().startswith("#") else ""
        end = self._line_end(self._content_end(item))
        yield Edit(colon, end, first + comment + ("\n" + rest if rest else ""))

    def _without(self, node: Node, place: int) -> Iterator[Edit]:
        """A key that goes."""
        if node.flow:
            yield from self._cut_out(node, place, node.keys[place].start)
            return
        start, end = node.keys[place].start, max(self._content_end(node.items[place]), node.keys[place].end)
        begin, after = self._line_start(start), self._line_end(end)
        if not self._text[begin:start].strip():
            yield self._lines(begin, after, "")
            return
        # It stands behind the dash of a list: what follows moves up, unless a comment lies in between.
        follower = node.keys[place + 1].start if place + 1 < len(node.keys) else None
        if follower is None:
            raise OddError
        between = self._text[after:follower]
        yield Edit(start, after if between.strip() else follower, "")

    def _appended(self, node: Node, added: Mapping[str, Any]) -> Edit:
        if node.flow:
            pairs = "".join(f", {emit.inline(key)}: {emit.inline(value)}" for key, value in added.items())
            return Edit(node.items[-1].end, node.items[-1].end, pairs)
        column = self._column(node.keys[0].start)
        lines = [
            emit.inline(key) + ":" + emit.after_colon(value, self._style) for key, value in added.items()
        ]
        last = max(self._content_end(node.items[-1]), node.keys[-1].end)
        return self._below(last, column, self._set_in("\n".join(lines), column))

    # -- lists

    def _list(self, node: Node, old: Sequence[Any], new: Sequence[Any]) -> Iterator[Edit]:
        if len(node.items) != len(old):
            raise OddError
        matcher = SequenceMatcher(None, _identities(old), _identities(new), autojunk=False)
        for what, i1, i2, j1, j2 in matcher.get_opcodes():
            if what == "equal":
                for i, j in zip(range(i1, i2), range(j1, j2), strict=True):
                    if not _same(old[i], new[j]):
                        yield from self._item(node, i, old[i], new[j])
            elif node.flow:
                yield from self._flow_items(node, (i1, i2), new[j1:j2])
            else:
                yield self._items(node, (i1, i2), new[j1:j2])

    def _flow_items(self, node: Node, gone: tuple[int, int], come: Sequence[Any]) -> Iterator[Edit]:
        """Some items of a list in brackets in place of others."""
        first, last = gone
        if first == last:
            written = [emit.inline(value) for value in come]
            at = node.items[first - 1].end if first else node.items[0].start
            yield Edit(at, at, "".join(f", {one}" if first else f"{one}, " for one in written))
            return
        if come or _ragged([*range(first), *range(last, len(node.items))], len(node.items)):
            raise OddError
        for place in range(first, last):
            yield from self._cut_out(node, place, node.items[place].start)

    def _item(self, node: Node, place: int, old: object, new: object) -> Iterator[Edit]:
        item = node.items[place]
        inside = self._inside(item, old, new)
        if inside is not None:
            yield from inside
        elif node.flow:
            yield Edit(item.start, item.end, self._space(item) + emit.inline(new, self._quote(item, new)))
        else:
            yield self._items(node, (place, place + 1), [new])

    def _items(self, node: Node, gone: tuple[int, int], come: Sequence[Any]) -> Edit:
        """Some items of a block list in place of others."""
        first, last = gone
        column = self._column(self._dash(node, 0))
        text = self._set_in("\n".join(emit.item(value, self._style) for value in come), column)
        if first == last and first > 0:
            return self._below(self._content_end(node.items[first - 1]), column, text)
        dash = self._dash(node, first)
        begin = self._line_start(dash)
        if self._text[begin:dash].strip():
            raise OddError
        if first == last:
            return Edit(begin, begin, text + "\n")
        end = self._line_end(max(self._content_end(node.items[last - 1]), self._dash(node, last - 1) + 1))
        return self._lines(begin, end, text if come else "")

    def _dash(self, node: Node, place: int) -> int:
        """Where the dash of an item is: the last thing before it that is no comment."""
        begin = node.items[place - 1].end if place else node.start
        found, at = -1, begin
        for line in self._text[begin : node.items[place].start].splitlines(keepends=True):
            code = _without_comment(line)
            if "-" in code:
                found = at + code.rindex("-")
            at += len(line)
        if found >= 0:
            return found
        if not place and self._text.startswith("-", node.start):
            return node.start
        raise OddError

    # -- aliases

    def _aliases(self, node: Node, value: object) -> Iterator[Edit]:
        if node.shape is Shape.MAPPING and isinstance(value, dict):
            for place, (item, one) in enumerate(zip(node.items, value.values(), strict=True)):
                if item.shape is Shape.ALIAS and not node.flow:
                    yield from self._replaced(node, place, one)
                else:
                    yield from self._aliases(item, one)
        elif node.shape is Shape.LIST and isinstance(value, list):
            for place, (item, one) in enumerate(zip(node.items, value, strict=True)):
                if item.shape is Shape.ALIAS and not node.flow:
                    yield self._items(node, (place, place + 1), [one])
                else:
                    yield from self._aliases(item, one)
        elif node.shape is Shape.ALIAS:
            yield Edit(node.start, node.end, emit.inline(value))

    # -- places

    def _cut_out(self, node: Node, place: int, start: int) -> Iterator[Edit]:
        """An entry in brackets, with the comma behind it or, of the last one, the comma before it."""
        end = max(node.items[place].end, start)
        comma = end + len(self._text[end:]) - len(self._text[end:].lstrip())
        if self._text.startswith(",", comma):
            tail = comma + 1
            while self._text.startswith(" ", tail):
                tail += 1
            yield Edit(start, tail, "")
            return
        before = self._text.rfind(",", node.items[place - 1].end, start) if place else -1
        if before < 0 or self._text[before + 1 : start].strip():
            raise OddError
        yield Edit(before, end, "")

    def _colon(self, key: Key) -> int:
        """The place right behind the colon of a key."""
        at = key.end
        while self._text.startswith((" ", "\t"), at):
            at += 1
        if not self._text.startswith(":", at):
            raise OddError
        return at + 1

    def _space(self, item: Node) -> str:
        """A blank where the value had none, and stood for nothing."""
        return " " if item.start == item.end else ""

    def _quote(self, item: Node, new: object) -> str:
        return item.style if isinstance(new, str) and item.style in _QUOTES else ""

    def _below(self, end: int, column: int, text: str) -> Edit:
        """Lines below the value that ends here, and below comments that belong to it by their column."""
        at = self._past_comments(self._line_end(end), column)
        return Edit(at, at, "\n" + text)

    def _lines(self, begin: int, end: int, text: str) -> Edit:
        """Other lines, or none, in place of those from the beginning of one to the end of another.

        With the break before them, not the one behind: lines may be put in there.
        """
        if begin:
            return Edit(begin - 1, end, "\n" + text if text else "")
        return Edit(0, end, text) if text else Edit(0, min(end + 1, len(self._text)), "")

    def _past_comments(self, at: int, column: int) -> int:
        """Past comments that are set in further than a column, so that they stay where they belong."""
        place, best = at + 1, at
        while place < len(self._text):
            end = self._line_end(place)
            line = self._text[place:end]
            inner = line.lstrip(" ")
            if inner.startswith("#") and len(line) - len(inner) > column:
                best = end
            elif inner:
                break
            place = end + 1
        return best

    def _content_end(self, item: Node) -> int:
        """Where a value ends; line breaks at the end of a text in lines are its own only if it keeps them."""
        while item.items and not item.flow:
            item = item.items[-1]
        end = item.end
        if item.style in _LINES:
            if "+" in self._text[item.start : self._line_end(item.start)]:
                return end - 1 if self._text[end - 1] == "\n" else end
            while self._text[end - 1] == "\n":
                end -= 1
        return end

    def _column(self, at: int) -> int:
        return at - self._line_start(at)

    def _line_start(self, at: int) -> int:
        return self._text.rfind("\n", 0, at) + 1

    def _line_end(self, at: int) -> int:
        found = self._text.find("\n", at)
        return len(self._text) if found < 0 else found

    def _set_in(self, lines: str, column: int) -> str:
        space = " " * column
        return "\n".join(space + line if line else line for line in lines.split("\n"))


def _ragged(kept: Sequence[int], count: int, *, added: bool = False) -> bool:
    """Whether in brackets nothing stays, or commas would be left at the end."""
    last, before = count - 1 in kept, count - 2 in kept
    return not kept or (not last and (added or not before))


def _without_comment(line: str) -> str:
    """A line without its comment; between values there is no text in which a `#` means anything else."""
    for place, letter in enumerate(line):
        if letter == "#" and (place == 0 or line[place - 1] in " \t"):
            return line[:place]
    return line


def _identities(items: Sequence[Any]) -> list[str]:
    """What tells items apart: their name where they have one, or else all that they say."""
    return [canonical(_identity(item)) for item in items]


def _identity(item: object) -> object:
    if isinstance(item, dict):
        found = [item.get(name) for name in _NAMED_BY]
        if any(value is not None for value in found):
            return ["named", *found]
    return item


def _same(one: object, other: object) -> bool:
    """Whether two values are the same to every reader: 1, 1.0 and true are three."""
    return canonical(one) == canonical(other)
