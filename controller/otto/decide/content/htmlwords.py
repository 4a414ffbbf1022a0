"""What the parse errors of the HTML standard mean for a page, in words.

The names of errors are those of tinyhtml5, which has them from html5lib.
"""

from collections.abc import Mapping

from otto.model.inspection import Flaw, Severity

# No errors of today's standard: `--` is allowed in comments since 2016, and nearly everything in a `select`
# since 2025. The other two are told with the element's own place.
IGNORED = frozenset(
    {
        "expected-closing-tag-but-got-eof",
        "unexpected-char-in-comment",
        "unexpected-dash-after-double-dash-in-comment",
        "unexpected-start-tag-in-select",
        "unexpected-end-tag-in-select",
        "eof-in-select",
    }
)

# The rest of the page is swallowed by what is not ended.
_SWALLOWED = {
    "eof-in-tag-name": "a tag is begun and not ended",
    "eof-in-attribute-name": "a tag is begun and not ended",
    "eof-in-attribute-value-double-quote": "a value begins with a quotation mark and does not end",
    "eof-in-attribute-value-single-quote": "a value begins with a quotation mark and does not end",
    "eof-in-attribute-value-no-quotes": "a tag is begun and not ended",
    "expected-attribute-name-but-got-eof": "a tag is begun and not ended",
    "expected-attribute-value-but-got-eof": "a tag is begun and not ended",
    "expected-end-of-tag-but-got-eof": "a tag is begun and not ended",
    "unexpected-eof-after-attribute-value": "a tag is begun and not ended",
    "unexpected-eof-after-solidus-in-tag": "a tag is begun and not ended",
    "eof-in-comment": "a comment is begun and not ended",
    "eof-in-comment-double-dash": "a comment is begun and not ended",
    "eof-in-comment-end-bang-state": "a comment is begun and not ended",
    "eof-in-comment-end-dash": "a comment is begun and not ended",
    "eof-in-script-in-script": "a script is begun and not ended",
    "expected-named-closing-tag-but-got-eof": "<{name}> is begun and not ended",
}
_NO_DOCTYPE = "the page does not begin with <!doctype html>: browsers lay it out as in 1998"
_RECOVERED = {
    "expected-doctype-but-got-start-tag": _NO_DOCTYPE,
    "expected-doctype-but-got-end-tag": _NO_DOCTYPE,
    "expected-doctype-but-got-chars": _NO_DOCTYPE,
    "expected-doctype-but-got-eof": _NO_DOCTYPE,
    "unknown-doctype": "this doctype is not <!doctype html>",
    "duplicate-attribute": "an attribute stands twice in one tag; the first one holds",
    "unexpected-end-tag": "</{name}> ends nothing that is open here",
    "unexpected-end-tag-treated-as": "</{originalName}> is no end tag; browsers take it for a start tag",
    "adoption-agency-1.1": "</{name}> ends nothing that is open here",
    "adoption-agency-1.2": "</{name}> ends nothing that is open here",
    "adoption-agency-1.3": "</{name}> stands across the end of another element",
    "adoption-agency-4.4": "</{name}> ends nothing that is open here",
    "end-tag-too-early": "</{name}> leaves elements inside it open",
    "end-tag-too-early-named": "</{gotName}> leaves <{expectedName}> open",
    "expected-one-end-tag-but-got-another": "</{gotName}> leaves <{expectedName}> open",
    "unexpected-start-tag": "<{name}> may not stand here",
    "unexpected-start-tag-ignored": "<{name}> may not stand here, and is left out",
    "unexpected-start-tag-implies-end-tag": "<{startName}> stands inside another one, and ends it",
    "unexpected-start-tag-implies-table-voodoo": "<{name}> stands in a table, outside of its cells",
    "unexpected-end-tag-implies-table-voodoo": "</{name}> stands in a table, outside of its cells",
    "unexpected-char-implies-table-voodoo": "text stands in a table, outside of its cells",
    "non-void-element-with-trailing-solidus": "<{name}/> does not end the element: it stays open",
    "named-entity-without-semicolon": "a character reference lacks its ;",
    "numeric-entity-without-semicolon": "a character reference lacks its ;",
    "expected-named-entity": "& begins no character reference that there is; write &amp; for the character",
    "expected-numeric-entity": "&# begins no character reference",
    "illegal-codepoint-for-numeric-entity": "a character reference stands for no character",
    "invalid-codepoint": "a control character stands in the text",
    "expected-tag-name": "< begins no tag here; write &lt; for the character",
    "expected-tag-name-but-got-right-bracket": "<> is no tag",
    "expected-tag-name-but-got-question-mark": "<? begins nothing in HTML: it is made a comment",
    "expected-closing-tag-but-got-right-bracket": "</> is no tag",
    "expected-closing-tag-but-got-char": "</ begins no tag here",
    "expected-dashes-or-doctype": "<! begins neither a comment nor a doctype here",
    "incorrect-comment": "this comment is not written as <!-- … -->",
    "unexpected-character-after-attribute-value": "no space stands between two attributes",
    "unexpected-character-in-unquoted-attribute-value": "a value without quotation marks holds one of \"'<=`",
    "equals-in-unquoted-attribute-value": "a value without quotation marks holds one of \"'<=`",
    "expected-attribute-value-but-got-right-bracket": "an attribute has = and no value",
    "invalid-character-in-attribute-name": "the name of an attribute holds one of \"'<",
    "invalid-character-after-attribute-name": "the name of an attribute holds one of \"'<",
    "unexpected-character-after-solidus-in-tag": "/ stands inside a tag",
    "attributes-in-end-tag": "an end tag has attributes",
    "unexpected-char-after-body": "text stands after </body>",
    "expected-eof-but-got-start-tag": "<{name}> stands after </html>",
    "expected-eof-but-got-end-tag": "</{name}> stands after </html>",
    "expected-eof-but-got-char": "text stands after </html>",
    "unexpected-start-tag-after-body": "<{name}> stands after </body>",
    "unexpected-end-tag-after-body": "</{name}> stands after </body>",
    "unexpected-start-tag-out-of-my-head": "<{name}> stands after </head>, and is taken into it",
    "unexpected-end-tag-before-html": "</{name}> ends nothing that is open here",
    "end-tag-after-implied-root": "</{name}> ends nothing that is open here",
    "unexpected-cell-in-table-body": "<{name}> stands in a table without a row",
    "unexpected-cell-end-tag": "</{name}> leaves elements of the cell open",
    "unexpected-implied-end-tag": "<{name}> is ended while elements inside it are open",
    "unexpected-implied-end-tag-in-table": "a part of a table is ended while elements inside it are open",
    "unexpected-html-element-in-foreign-content": "<{name}> of HTML stands inside a drawing, and ends it",
    "unexpected-doctype": "a doctype stands in the middle of the page",
    "two-heads-are-not-better-than-one": "<head> stands here a second time",
}


def flaw(code: str, names: Mapping[str, object], at: tuple[int, int], tag: tuple[int, int]) -> Flaw:
    """A parse error as a flaw.

    Args:
        code: its name.
        names: names of elements it is about.
        at: line and column where the parser noticed, 1-based.
        tag: line and column where the last tag or comment begins: what has no end is told of there.
    """
    shown = {key: _name(value) for key, value in names.items()}
    if code in _SWALLOWED:
        message = f"{_filled(_SWALLOWED[code], shown)}: the rest of the page is lost"
        return Flaw(*tag, "html.not-ended", Severity.ERROR, message, "end it")
    words = _filled(_RECOVERED.get(code, code.replace("-", " ")), shown)
    rule = "html.doctype" if words == _NO_DOCTYPE else "html.parse"
    return Flaw(*at, rule, Severity.WARNING, words)


def _filled(words: str, names: Mapping[str, str]) -> str:
    """Words with the names of elements put in; names are never read as a pattern."""
    for key, name in names.items():
        words = words.replace(f"{{{key}}}", name)
    return words


def _name(value: object) -> str:
    text = str(value)[:40]
    return "".join(character if character.isprintable() else "?" for character in text)
