"""What a page says: parse errors of the HTML standard, what it refers to, what can be led to."""

import re
from collections.abc import Iterator, Mapping
from io import StringIO
from typing import Any

from tinyhtml5.constants import Token
from tinyhtml5.inputstream import HTMLUnicodeInputStream, characters_until_regex
from tinyhtml5.parser import HTMLParser
from tinyhtml5.tokenizer import HTMLTokenizer

from otto.decide.content import stylesheet
from otto.decide.content.htmlwords import IGNORED, flaw
from otto.decide.content.references import references
from otto.model.inspection import Facts, Flaw, Link, Severity

# Chromium nests no deeper either; and a parser's time grows with the square of it.
_DEEPEST = 512
_MOST_FLAWS = 100
_MOST_LINKS = 10_000
_LONGEST_ANCHOR = 1000
# End tags that may be left out (HTML standard, "optional tags"), as far as the end of a page goes.
_OPTIONAL = frozenset(
    """html body p li dd dt optgroup option rb rp rt rtc
    tbody td tfoot th thead tr colgroup caption""".split()  # noqa: SIM905  (a list of 20 lines says no more)
)


def facts(text: str) -> Facts:
    """What a page says; never raises for what it says, but for a mistake of the parser's own."""
    parser = _Parser()
    try:
        parser.parse(text)
    except _TooDeepError:
        parser.blame_depth()
    return parser.facts()


class _TooDeepError(Exception):
    """Elements lie too deep inside each other."""


class _Stream(HTMLUnicodeInputStream):  # type: ignore[misc]  # tinyhtml5 has no types
    """The text, read a third faster: tinyhtml5 2.1 keeps its patterns under keys that it never asks for."""

    def chars_until(self, characters: frozenset[str], opposite: bool = False) -> str:
        """The text up to one of some characters, or to one that is none of them."""
        if (characters, opposite) not in characters_until_regex:
            listed = "".join(f"\\x{ord(character):02x}" for character in characters)
            pattern = re.compile(f"[{'' if opposite else '^'}{listed}]+")
            characters_until_regex[characters, opposite] = pattern
        return str(super().chars_until(characters, opposite))


class _Tokenizer(HTMLTokenizer):  # type: ignore[misc]  # tinyhtml5 has no types
    """Tells the parser of start tags and of style sheets, with their places, as they come."""

    opened = (1, 1)

    def __init__(self, text: str, parser: "_Parser") -> None:
        # Never the text itself: tinyhtml5 takes a text that is the name of a file for that file.
        super().__init__(StringIO(), parser=parser)
        self.stream = _Stream(StringIO(text))

    def tag_open_state(self) -> bool:
        """Keep the place of what begins with `<`."""
        line, column = self.stream.position()
        self.opened = (line, column)
        return bool(super().tag_open_state())

    def __iter__(self) -> Iterator[Any]:
        """The tokens."""
        for token in super().__iter__():
            kind = token["type"]
            if kind is Token.START_TAG:
                self.parser.start(token["name"], token["data"], self.opened)
            elif kind is Token.END_TAG:
                self.parser.end(token["name"])
            elif kind in (Token.CHARACTERS, Token.SPACE_CHARACTERS):
                self.parser.characters(token["data"])
            yield token
            if kind is Token.START_TAG:
                self.parser.started(token["name"], self.opened)


class _Parser(HTMLParser):  # type: ignore[misc]  # tinyhtml5 has no types
    """The parser of tinyhtml5, which keeps what is said of places and links."""

    def __init__(self) -> None:
        super().__init__()
        self._flaws: list[Flaw] = []
        self._links: list[Link] = []
        self._anchors: dict[str, tuple[int, int]] = {}
        self._places: dict[int, tuple[object, tuple[int, int]]] = {}
        self._base: str | None = None
        self._templates = 0
        self._style: tuple[int, list[str]] | None = None
        self._cut = False

    def _parse(self, stream: str, container: str | None = None, scripting: bool = False, **_: object) -> None:
        """As the parser's own, with our tokenizer."""
        self.container, self.scripting = container, scripting
        self.tokenizer = _Tokenizer(stream, self)
        self.reset()
        self.main_loop()

    def parse_error(self, errorcode: str, datavars: Mapping[str, object] | None = None) -> None:
        """Keep an error, up to a limit. tinyhtml5 knows no templates: what it says inside of one is wrong."""
        if errorcode == "expected-closing-tag-but-got-eof":
            self._blame_unclosed()
        elif errorcode not in IGNORED:
            line, column = self.tokenizer.stream.position()
            found = flaw(errorcode, datavars or {}, (line, max(1, column)), self._opened())
            if not self._templates or found.severity is Severity.ERROR:
                self._blame(found)

    def start(self, name: str, attributes: Mapping[str, str], at: tuple[int, int]) -> None:
        """Hear of a start tag, before it is worked on."""
        if len(self.tree.open_elements) > _DEEPEST:
            raise _TooDeepError
        self._templates += name == "template"
        if name == "style":
            self._style = (self.tokenizer.stream.position()[0], [])
        elif name == "base" and self._base is None:
            self._base = attributes.get("href")
        if len(self._links) < _MOST_LINKS:
            self._links += references(name, attributes, at[0])
        for anchor in {attributes.get("id", ""), attributes.get("name", "") if name == "a" else ""}:
            self._anchor(anchor, at, unique=anchor == attributes.get("id"))

    def started(self, name: str, at: tuple[int, int]) -> None:
        """Hear that a start tag was worked on: what it opened, if anything, has its place there."""
        opened = self.tree.open_elements[-1] if self.tree.open_elements else None
        if opened is not None and opened.name == name:
            self._places.setdefault(id(opened), (opened, at))

    def end(self, name: str) -> None:
        """Hear of an end tag."""
        self._templates -= name == "template" and self._templates > 0
        if self._style is not None and name == "style":
            line, parts = self._style
            self._links += list(stylesheet.links("".join(parts), line))
            self._style = None

    def characters(self, data: str) -> None:
        """Hear of text."""
        if self._style is not None:
            self._style[1].append(data)

    def blame_depth(self) -> None:
        """Say that the page was not read on."""
        message = f"elements lie more than {_DEEPEST} deep inside each other: the page was not read on"
        self._flaws.append(
            Flaw(*self._opened(), "html.depth", Severity.ERROR, message, "end elements where they end")
        )
        self._cut = True

    def facts(self) -> Facts:
        """What was found."""
        flaws = tuple(sorted(set(self._flaws), key=lambda item: (item.line, item.column, item.message)))
        anchors = None if self._cut else frozenset(self._anchors)
        return Facts(flaws, tuple(self._links[:_MOST_LINKS]), anchors, self._base or "", self._cut)

    def _anchor(self, name: str, at: tuple[int, int], *, unique: bool) -> None:
        if not name or len(name) > _LONGEST_ANCHOR or self._templates:
            return
        first = self._anchors.setdefault(name, at)
        if unique and first != at:
            message = f'the id "{_shown(name)}" stands on line {first[0]} already'
            self._blame(Flaw(*at, "html.duplicate-id", Severity.WARNING, message, "an id is one element's"))

    def _blame(self, found: Flaw) -> None:
        if len(self._flaws) < _MOST_FLAWS:
            self._flaws.append(found)

    def _blame_unclosed(self) -> None:
        for element in self.tree.open_elements:
            known = self._places.get(id(element))
            if element.name not in _OPTIONAL and known is not None:
                message = f"<{_shown(element.name)}> is never closed"
                mend = f"write </{_shown(element.name)}> where it ends"
                self._blame(Flaw(*known[1], "html.unclosed-tag", Severity.WARNING, message, mend))

    def _opened(self) -> tuple[int, int]:
        opened: tuple[int, int] = self.tokenizer.opened
        return opened


def _shown(name: object) -> str:
    return "".join(character if character.isprintable() else "?" for character in str(name)[:40])
