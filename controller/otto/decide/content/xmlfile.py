"""What an XML file says: whether it is well-formed, and where sitemaps, feeds and drawings lead.

Entities are never expanded: a file that declares one is not read on (a few lines can stand for gigabytes).
Nothing it names outside of itself is looked at.
"""

from collections.abc import Mapping
from xml.parsers import expat

from otto.decide.content.references import LONGEST, references
from otto.model.inspection import Facts, Flaw, Link, Severity

_CHUNK = 64 * 1024
_MOST_LINKS = 10_000
# Root element -> elements whose text is an address.
_ADDRESSES: Mapping[str, frozenset[str]] = {
    "urlset": frozenset({"loc"}),
    "sitemapindex": frozenset({"loc"}),
    "rss": frozenset({"link"}),
    "RDF": frozenset({"link"}),
}
# Root elements of what shows in a browser, with elements of HTML or SVG in it.
_SHOWN = frozenset({"svg", "html"})


def facts(text: str) -> Facts:
    """What an XML file says; never raises."""
    reader = _Reader()
    try:
        reader.read(text)
    except expat.ExpatError as error:
        reader.blame(error)
    except _EntityError:
        reader.blame_entity()
    return reader.facts()


class _EntityError(Exception):
    """An entity is declared."""


class _Reader:
    """Reads one file with expat, which holds its own stack and knows no network."""

    def __init__(self) -> None:
        # The text is decoded already; what the file says of its encoding would only get in the way.
        self._parser = expat.ParserCreate("utf-8")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.EntityDeclHandler = self._entity
        self._root = ""
        self._holder: tuple[str, int, list[str]] | None = None
        self._links: list[Link] = []
        self._anchors: set[str] = set()
        self._flaws: list[Flaw] = []

    @property
    def line(self) -> int:
        """The line that is being read."""
        return self._parser.CurrentLineNumber

    def read(self, text: str) -> None:
        """Read it in parts, so that what has the time can break in between."""
        data = text.encode("utf-8", "replace")
        for place in range(0, len(data), _CHUNK):
            self._parser.Parse(data[place : place + _CHUNK], False)  # noqa: FBT003  (expat's own signature)
        self._parser.Parse(b"", True)  # noqa: FBT003

    def blame(self, error: expat.ExpatError) -> None:
        """Say what is wrong; nothing that came before it can be relied on."""
        words = expat.ErrorString(error.code) or "it cannot be read"
        message = f"this is not XML: {words}"
        self._flaws.append(Flaw(error.lineno, error.offset + 1, "xml.parse", Severity.ERROR, message))

    def blame_entity(self) -> None:
        """Say that the file was not read on."""
        message, mend = "this file declares an entity: it was not read on", "write out what it stands for"
        self._flaws.append(Flaw(self.line, 0, "xml.entity", Severity.WARNING, message, mend))

    def facts(self) -> Facts:
        """What was found."""
        cut = bool(self._flaws)
        shown = self._root in _SHOWN and not cut
        return Facts(
            tuple(self._flaws), tuple(self._links), frozenset(self._anchors) if shown else None, "", cut
        )

    def _entity(self, *_: object) -> None:
        raise _EntityError

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        self._root = self._root or local
        if local in _ADDRESSES.get(self._root, ()):
            self._holder = (local, self.line, [])
        if len(self._links) >= _MOST_LINKS:
            return
        if self._root in _SHOWN:
            self._links += references(local, attributes, self.line)
            self._anchors |= {attributes["id"]} if attributes.get("id") else set()
        elif self._root == "feed" and local == "link" and len(attributes.get("href", "")) <= LONGEST:
            self._links.append(Link(self.line, "link href", attributes.get("href", "")))

    def _end(self, name: str) -> None:
        if self._holder is not None and name.rpartition(":")[2] == self._holder[0]:
            local, line, parts = self._holder
            address = "".join(parts).strip()
            if address and len(address) <= LONGEST and len(self._links) < _MOST_LINKS:
                self._links.append(Link(line, local, address))
            self._holder = None

    def _text(self, data: str) -> None:
        if self._holder is not None:
            self._holder[2].append(data)
