"""Files of specs, edited as a person would: what is not changed stays to the byte.

Every edit is read again before it is given out, by the reader that the loop uses: the document says exactly
what was wanted, and no other one says anything else. Where that cannot be had, the edit is refused.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from otto.adapters.specs import emit
from otto.adapters.specs.compose import documents
from otto.adapters.specs.decode import decode
from otto.adapters.specs.document import Document, Flaw, Stop, Value
from otto.adapters.specs.emit import Style
from otto.adapters.specs.limits import SpecLimits
from otto.adapters.specs.parse import problem
from otto.adapters.specs.scalar import Odd
from otto.adapters.specs.spans import Node, Shape, Stretch, stretches
from otto.adapters.specs.splice import OddError, Splicer, apply
from otto.adapters.specs.text import safe
from otto.model.canonical import canonical
from otto.model.document import Data, Piece
from otto.model.errors import UsageError

_BOM = "\ufeff"
# Line breaks of YAML 1.1 besides these two are left to people.
_CRLF = "\r\n"
_WIDEST = 9  # columns that the emitter sets levels in by


class YamlEditor:
    """The port `Editor`.

    Args:
        limits: how much a file may hold, before and afterwards.
    """

    def __init__(self, limits: SpecLimits | None = None) -> None:
        self._limits = limits or SpecLimits()

    def pieces(self, path: str, data: bytes) -> tuple[Piece, ...]:
        """The documents of a file.

        Raises:
            UsageError: the file cannot be read to its end.
        """
        found = self._read(path, data)
        return tuple(_piece(index, document) for index, document in enumerate(found))

    def replaced(self, path: str, data: bytes, index: int, new: Data) -> bytes:
        """The file with one document saying something else.

        Raises:
            UsageError: that cannot be had without damage to what stands there.
        """
        before = self._read(path, data)
        old = _piece(index, before[index])
        sheet = _sheet(path, data)
        wanted = [document.value for document in before]
        wanted[index] = _plain(new)[0]
        # A flaw may be edited out with the value that holds it; if not, it goes with all that is written.
        kept = old.data.keys() & new.keys()
        tries = (self._spliced, self._whole if old.flawed else self._spelled_out) if kept else (self._whole,)
        # What readers take for different things is nothing that anybody wants to say: it is written again.
        marked = _marked(before[index].value) if old.flawed else old.data
        said = marked if isinstance(marked, dict) else old.data
        for attempt in tries:
            try:
                written = sheet.bytes(attempt(sheet, index, said, new))
            except (OddError, Stop):
                continue
            if self._says(written, wanted, index):
                return written
        raise _unwritable(path, before[index].place.line)

    def removed(self, path: str, data: bytes, index: int) -> bytes | None:
        """The file without one of its documents; None when nothing else is in it.

        Raises:
            UsageError: that cannot be had without damage to what stands there.
        """
        before = self._read(path, data)
        wanted = [document.value for place, document in enumerate(before) if place != index]
        if all(value is None for value in wanted):
            return None
        sheet = _sheet(path, data)
        written = sheet.bytes(_without(sheet.text, sheet.stretches, index))
        if not self._says(written, wanted, None):
            raise _unwritable(path, before[index].place.line)
        return written

    def created(self, path: str, new: Data) -> bytes:
        """A file of one document.

        Raises:
            UsageError: it holds something that no file of specs can say.
        """
        written = emit.document(new).encode()
        if not self._says(written, [_plain(new)[0]], 0):
            mend = "numbers have at most 17 digits, and texts no characters that do not exist"
            raise UsageError(f"{safe(path, 200)} cannot be written: it holds a value too odd", mend=mend)
        return written

    def _read(self, path: str, data: bytes) -> list[Document]:
        try:
            return self._documents(data)
        except Stop as stop:
            found = problem(safe(path, 200), stop.flaw)
            mend = "mend that file by a commit of your own"
            raise UsageError(f"the file cannot be edited: {found}", mend=mend) from stop

    def _documents(self, data: bytes) -> list[Document]:
        if len(data) > self._limits.size:
            allowed = f"at most {self._limits.size} bytes"
            raise Stop(Flaw(0, 0, f"this file is too big: {len(data)} bytes", allowed=allowed))
        return list(documents(decode(data), self._limits))

    def _says(self, data: bytes, wanted: Sequence[Value], clean: int | None) -> bool:
        """Whether a file says exactly that, and one of its documents is without a flaw."""
        try:
            found = self._documents(data)
        except Stop:
            return False
        said = [_comparable(document.value) for document in found]
        return said == [_comparable(value) for value in wanted] and (clean is None or not found[clean].flaws)

    def _spliced(self, sheet: "_Sheet", index: int, old: Data, new: Data) -> str:
        root = sheet.stretches[index].root
        return apply(sheet.text, Splicer(sheet.text, sheet.style(index)).edits(root, old, new))

    def _spelled_out(self, sheet: "_Sheet", index: int, old: Data, new: Data) -> str:
        """The same in two steps: what is changed may be what an alias stands for."""
        root = sheet.stretches[index].root
        first = apply(sheet.text, Splicer(sheet.text, sheet.style(index)).spelled_out(root, old))
        again = _Sheet(first.encode())
        return self._spliced(again, index, self._values(first, index), new)

    def _values(self, text: str, index: int) -> dict[str, Any]:
        value = self._documents(text.encode())[index].value
        return _plain(value)[0] if isinstance(value, dict) else {}

    def _whole(self, sheet: "_Sheet", index: int, _: Data, new: Data) -> str:
        """A document of which nothing stays, or whose YAML had a flaw, written anew."""
        stretch = sheet.stretches[index]
        mark = "---\n" if stretch.marked else ""
        return sheet.text[: stretch.start] + mark + emit.document(new) + sheet.text[stretch.end :]


class _Sheet:
    """The text of a file, its line breaks made one kind, and how to get back to its bytes."""

    def __init__(self, data: bytes) -> None:
        text = data.decode("utf-8")
        self._bom = _BOM if text.startswith(_BOM) else ""
        self._crlf = _CRLF in text
        self.text = text.removeprefix(_BOM)
        if self._crlf:
            if "\n" in self.text.replace(_CRLF, ""):
                raise OddError  # both kinds: which line has which would be lost
            self.text = self.text.replace(_CRLF, "\n")
        self.stretches = stretches(self.text)

    def bytes(self, text: str) -> bytes:
        """The bytes that stand for a text."""
        return (self._bom + (text.replace("\n", _CRLF) if self._crlf else text)).encode()

    def style(self, index: int) -> Style:
        """How a document is written."""
        return _style(self.text, self.stretches[index].root)


def _sheet(path: str, data: bytes) -> _Sheet:
    try:
        return _Sheet(data)
    except OddError as error:
        message = f"{safe(path, 200)} has line breaks of two kinds and cannot be edited without damage"
        raise UsageError(message, mend="make them one kind by a commit of your own") from error


def _style(text: str, root: Node) -> Style:
    step, indentless = 0, False
    left = [root]
    while left:
        node = left.pop()
        for key, item in zip(node.keys, node.items, strict=False):
            if item.flow or not item.items:
                continue
            own = _column(text, key.start)
            if item.shape is Shape.MAPPING and item.keys:
                step = step or _column(text, item.keys[0].start) - own
            elif item.shape is Shape.LIST and _column(text, item.start) == own:
                indentless = True
        left += node.items
    return Style(step if 1 < step <= _WIDEST else 2, indentless)


def _column(text: str, at: int) -> int:
    return at - (text.rfind("\n", 0, at) + 1)


def _without(text: str, found: Sequence[Stretch], index: int) -> str:
    stretch = found[index]
    start = stretch.start
    if not stretch.marked:
        # What is written above it and next to it is about it; a head that an empty line sets apart is not.
        head = text[: stretch.start]
        start = 0 if not head.strip() else head.rfind("\n\n") + 2 if "\n\n" in head else 0
    return text[:start] + text[stretch.end :]


def _piece(index: int, document: Document) -> Piece:
    value, odd = _plain(document.value)
    data = value if isinstance(value, dict) else {}
    flawed = odd or bool(document.flaws) or not isinstance(value, dict)
    metadata, spec = data.get("metadata"), data.get("spec")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if data.get("kind") == "Tombstone":
        name = spec.get("site") if isinstance(spec, dict) else None
    kind = data.get("kind")
    return Piece(
        index=index,
        kind=kind if isinstance(kind, str) else "",
        name=name if isinstance(name, str) else "",
        data=data,
        line=document.place.line,
        flawed=flawed,
    )


def _plain(value: object) -> tuple[Any, bool]:
    """A value of a file as plain data, and whether it holds what every reader takes for something else."""
    if isinstance(value, Odd):
        return value.text, True
    if isinstance(value, Mapping):
        pairs = {key: _plain(item) for key, item in value.items()}
        return {key: item for key, (item, _) in pairs.items()}, any(odd for _, odd in pairs.values())
    if isinstance(value, list | tuple):
        items = [_plain(item) for item in value]
        return [item for item, _ in items], any(odd for _, odd in items)
    return value, False


def _comparable(value: object) -> str:
    return canonical(_marked(value))


def _marked(value: object) -> object:
    if isinstance(value, Odd):
        return {"odd": value.text, "reading": value.reading}
    if isinstance(value, dict):
        return {key: _marked(item) for key, item in value.items()}
    return [_marked(item) for item in value] if isinstance(value, list) else value


def _unwritable(path: str, line: int) -> UsageError:
    where = f"{safe(path, 200)}:{line}"
    mend = "change it by a commit of your own"
    return UsageError(f"{where}: it is written in a way that OttO cannot edit without damage", mend=mend)
