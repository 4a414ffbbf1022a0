"""What one file says, by its kind: encodings, XML, and that nothing is too odd to be read."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otto.decide.content import reading
from otto.model.canonical import to_data
from otto.model.inspection import Facts, Severity
from otto.model.reading import read


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("index.html", "html"),
        ("a/B.HTM", "html"),
        ("feed.atom", "xml"),
        ("logo.svg", "xml"),
        ("style.css", "css"),
        ("app.js", "text"),
        ("photo.jpg", ""),
        ("html", ""),
        (".html", ""),
        ("a.html/b", ""),
    ],
)
def test_kinds(path: str, kind: str) -> None:
    assert reading.kind(path) == kind


def rules(kind: str, data: bytes) -> list[tuple[int, str, Severity]]:
    return [(flaw.line, flaw.rule, flaw.severity) for flaw in reading.facts(kind, data).flaws]


def test_what_is_not_utf_8_is_told_with_its_line() -> None:
    assert rules("text", b"a\nb\xe4\n") == [(2, "text.encoding", Severity.ERROR)]
    assert rules("text", codecs.BOM_UTF8 + "ä".encode()) == []
    assert rules("text", codecs.BOM_UTF16_LE + "ä".encode("utf-16-le")) == [
        (0, "text.encoding", Severity.WARNING)
    ]


@pytest.mark.parametrize(
    ("text", "line", "rule"),
    [
        ("<a>\n<b></a>", 2, "xml.parse"),
        ("<a/>\n<b/>", 2, "xml.parse"),
        ("", 1, "xml.parse"),
        ("<a>&nbsp;</a>", 1, "xml.parse"),
        ('<!DOCTYPE a [\n<!ENTITY e "x">]><a>&e;</a>', 2, "xml.entity"),
        ('<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>', 1, "xml.entity"),
        ('<!DOCTYPE a [<!ENTITY % e SYSTEM "http://site.invalid/">%e;]><a/>', 1, "xml.entity"),
    ],
)
def test_xml_that_is_none(text: str, line: int, rule: str) -> None:
    found = reading.facts("xml", text.encode())
    assert [(flaw.line, flaw.rule) for flaw in found.flaws] == [(line, rule)]
    assert found.cut


def test_a_billion_laughs_cost_nothing() -> None:
    lines = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    data = f'<!DOCTYPE l [<!ENTITY l0 "lol">{lines}]><l>&l9;</l>'.encode()
    assert [rule for _, rule, _ in rules("xml", data)] == ["xml.entity"]


def test_xml_may_lie_as_deep_as_it_likes() -> None:
    assert rules("xml", b"<a>" * 100_000 + b"</a>" * 100_000) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<urlset><url>\n<loc> /a </loc></url></urlset>", [(2, "loc", "/a")]),
        ("<rss><channel><link>/b</link></channel></rss>", [(1, "link", "/b")]),
        ("<feed><link href='/c'/></feed>", [(1, "link href", "/c")]),
        ("<svg><a href='d'/><path d='M0'/></svg>", [(1, "a href", "d")]),
        ("<other><loc>/e</loc><a href='f'/></other>", []),
    ],
)
def test_links_of_xml(text: str, expected: list[tuple[int, str, str]]) -> None:
    found = reading.facts("xml", text.encode())
    assert [(link.line, link.holder, link.target) for link in found.links] == expected


def test_ids_of_drawings_can_be_led_to() -> None:
    assert reading.facts("xml", b"<svg><symbol id='star'/></svg>").anchors == frozenset({"star"})
    assert reading.facts("xml", b"<urlset id='x'/>").anchors is None


@given(st.sampled_from(["html", "xml", "css", "text"]), st.binary())
def test_any_bytes_can_be_read_and_kept(kind: str, data: bytes) -> None:
    found = reading.facts(kind, data)
    assert read(Facts, to_data(found)) == found
