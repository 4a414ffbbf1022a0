"""What a page says: mistakes with their place and weight, links, anchors."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otto.decide.content import page, stylesheet
from otto.decide.content.references import candidates
from otto.model.inspection import Facts, Flaw, Severity

HEAD = "<!doctype html>\n<title>t</title>\n"
E, W = Severity.ERROR, Severity.WARNING


def flaws(body: str) -> tuple[Flaw, ...]:
    return page.facts(HEAD + body).flaws


@pytest.mark.parametrize(
    ("body", "line", "rule", "severity", "words"),
    [
        ("<p>\n<div>x", 4, "html.unclosed-tag", W, "<div> is never closed"),
        ("<p id='a>x</p>\n\n", 3, "html.not-ended", E, "quotation mark"),
        ("<p>\n<!-- never", 4, "html.not-ended", E, "a comment is begun"),
        ("<p>\n<script>let x\n", 4, "html.not-ended", E, "<script> is begun"),
        ("<p>\n<style>p {}\n", 4, "html.not-ended", E, "<style> is begun"),
        ("\n\n</section>", 5, "html.parse", W, "</section> ends nothing that is open here"),
        ("<p>a & b < c", 3, "html.parse", W, "&lt;"),
        ("<img src=a src=b>", 3, "html.parse", W, "twice in one tag"),
        ("<i id=x></i>\n<i id=x></i>", 4, "html.duplicate-id", W, 'the id "x" stands on line 3 already'),
        ("<div/>x", 3, "html.unclosed-tag", W, "<div> is never closed"),
        ("<b><i>x</b></i>", 3, "html.parse", W, "across the end of another element"),
    ],
)
def test_mistakes_are_told_where_they_are(
    body: str, line: int, rule: str, severity: Severity, words: str
) -> None:
    found = [flaw for flaw in flaws(body) if flaw.rule == rule and words in flaw.message]
    assert [(flaw.line, flaw.severity) for flaw in found] == [(line, severity)], flaws(body)


@pytest.mark.parametrize(
    "body",
    [
        "<ul><li>a<li>b</ul><p>c<p>d",
        "<table><tr><td>x</table>",
        "<template><tr><td>x</td></tr></template>",
        "<select><optgroup><option>a<hr><option>b</select>",
        "<!-- two -- dashes -->",
        "<svg viewBox='0 0 1 1'><path d='M0 0'/></svg>",
        "<template><i id=x></i></template><i id=x></i>",
        "<input disabled><br/>",
    ],
)
def test_what_the_standard_allows_is_no_mistake(body: str) -> None:
    assert flaws(body) == ()


def test_a_page_without_a_doctype_is_told_of_once() -> None:
    assert [flaw.rule for flaw in page.facts("<title>t</title><p>x").flaws] == ["html.doctype"]


def test_deep_pages_are_not_read_on() -> None:
    found = page.facts(HEAD + "<div>\n" * 100_000)
    assert [flaw.rule for flaw in found.flaws] == ["html.depth"]
    assert found.cut
    assert found.anchors is None


def test_there_is_an_end_to_mistakes() -> None:
    assert len(flaws("</b>\n" * 5000)) == 100


def test_a_page_that_is_the_name_of_a_file_is_that_text(tmp_path: Path) -> None:
    other = tmp_path / "secret.html"
    other.write_text("<a id=secret href=secret>x</a>")
    assert page.facts(str(other)).links == ()


def targets(body: str) -> list[tuple[int, str, str]]:
    return [(link.line, link.holder, link.target) for link in page.facts(HEAD + body).links]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<a\nhref='x?a=1&amp;b'>x</a>", [(3, "a href", "x?a=1&b")]),
        (
            "<img src=a srcset='b 1x, c 2x'>",
            [(3, "img src", "a"), (3, "img srcset", "b"), (3, "img srcset", "c")],
        ),
        ("<link rel=preconnect href=//cdn.example>", []),
        ("<link rel=stylesheet href=s.css>", [(3, "link href", "s.css")]),
        ("<video src=v poster=p></video>", [(3, "video src", "v"), (3, "video poster", "p")]),
        (
            "<svg><use xlink:href='#i'/><image href=i.png /></svg>",
            [(3, "use xlink:href", "#i"), (3, "image href", "i.png")],
        ),
        ("<style>\nb{background:url( 'b.png' )}</style>", [(4, "url()", "b.png")]),
        ("<p style='background:url(p.png)'>", [(3, "url()", "p.png")]),
        ("<p title='<a href=x>'>", []),
        ("<!-- <a href=x> -->", []),
        ("<script>'<a href=x>'</script>", []),
    ],
)
def test_links(body: str, expected: list[tuple[int, str, str]]) -> None:
    assert targets(body) == expected


def test_a_refresh_is_a_link() -> None:
    found = page.facts("<!doctype html><title>t</title><meta http-equiv=refresh content='3; url=next.html'>")
    assert [link.target for link in found.links] == ["next.html"]


def test_anchors_and_base() -> None:
    found = page.facts("<!doctype html><title>t</title><base href=/b/><a name=old></a><p id=new>x")
    assert found.anchors == frozenset({"old", "new"})
    assert found.base == "/b/"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.png", ["a.png"]),
        ("a.png 1x, b.png 2x", ["a.png", "b.png"]),
        ("a.png,b.png", ["a.png,b.png"]),
        ("a.png, b.png 100w", ["a.png", "b.png"]),
        (" ,, a 1x ,b", ["a", "b"]),
        ("a (1,2) 1x, b", ["a", "b"]),
        ("", []),
    ],
)
def test_candidates_of_a_srcset(text: str, expected: list[str]) -> None:
    assert list(candidates(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a{b:url(c.png)}", [(1, "c.png")]),
        ("/* url(no.png) */\n@import 'i.css';", [(2, "i.css")]),
        ("a{content:'url(no.png)'}", []),
        ('a{b:url("a b.png")}', [(1, "a b.png")]),
        ("a{b:url(a\\ b.png)}", [(1, "a b.png")]),
        ("a{b:url(\\61.png)}", [(1, "a.png")]),
        ("a{b:url()}", []),
    ],
)
def test_links_of_style_sheets(text: str, expected: list[tuple[int, str]]) -> None:
    assert [(link.line, link.target) for link in stylesheet.links(text)] == expected


ODD = st.text(st.sampled_from("<>/!-'\"=& \n\tabp;#x[]?\0{}():,\\*@")) | st.text()


@given(ODD)
def test_any_text_is_a_page(text: str) -> None:
    assert isinstance(page.facts(text), Facts)
    assert len(list(stylesheet.links(text))) <= len(text)
    assert all(candidate for candidate in candidates(text))
