"""What a style sheet refers to: `url(…)` and `@import "…"` (CSS Syntax Level 3, consume a token)."""

import re
from collections.abc import Iterator

from otto.model.inspection import Link

# In this order: what stands in a comment or in another string refers to nothing.
_TOKEN = re.compile(
    r"/\*.*?(?:\*/|\Z)"
    r"|url\(\s*(?P<quote>[\"'])(?P<quoted>(?:\\.|(?!(?P=quote))[^\\\n])*+)(?P=quote)\s*\)"
    r"|url\(\s*(?P<plain>(?:\\.|[^\"'()\\\s])++)\s*\)"
    r"|@import\s+(?P<mark>[\"'])(?P<imported>(?:\\.|(?!(?P=mark))[^\\\n])*+)(?P=mark)"
    r"|\"(?:\\.|[^\"\\\n])*+\"|'(?:\\.|[^'\\\n])*+'",
    re.DOTALL | re.IGNORECASE,
)
_ESCAPE = re.compile(r"\\(?:([0-9a-fA-F]{1,6})[ \t\n]?|(.))", re.DOTALL)
_LAST = 0x10FFFF


def links(text: str, first_line: int = 1) -> Iterator[Link]:
    """Every reference of a style sheet, in order.

    Args:
        text: the style sheet.
        first_line: the line it begins on.
    """
    line, place = first_line, 0
    for match in _TOKEN.finditer(text):
        target = match["quoted"] or match["plain"] or match["imported"]
        if target:
            line, place = line + text.count("\n", place, match.start()), match.start()
            yield Link(line, "@import" if match["imported"] else "url()", _unescaped(target))


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(_character, text) if "\\" in text else text


def _character(match: "re.Match[str]") -> str:
    code = int(match[1], 16) if match[1] else -1
    if code < 0:
        return match[2] or ""
    return chr(code) if 0 < code <= _LAST and not 0xD800 <= code <= 0xDFFF else "�"  # noqa: PLR2004  (surrogates)
