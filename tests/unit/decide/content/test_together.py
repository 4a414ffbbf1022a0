"""Where links lead: by the rules nginx serves by, and no other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otto.decide.content import reading
from otto.decide.content.addresses import Addresses, Target
from otto.decide.content.serving import Served
from otto.decide.content.together import inspection
from otto.model.inspection import Inspection, Severity

FILES: tuple[str, ...] = (
    "index.html",
    "about.html",
    "a/index.html",
    "a/b.html",
    "empty/x.txt",
    "both.html",
    "both/x.txt",
)
FILES += (".hidden", ".well-known/security.txt", "404.html", "a b.html", "Big.PDF")


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("/", "index.html"),
        ("/index.html", "index.html"),
        ("/about", "about.html"),
        ("/about/", ""),
        ("/a/", "a/index.html"),
        ("/a", "a/index.html"),
        ("/a/b", "a/b.html"),
        ("//a///b.html", "a/b.html"),
        ("/empty/", ""),
        ("/empty", ""),
        ("/both", ""),  # the folder goes before both.html, and is not listed
        ("/.hidden", ""),
        ("/.well-known/security.txt", ".well-known/security.txt"),
        ("/.well-known/otto-revision", ".well-known/otto-revision"),
        ("/404.html", ""),
        ("/a b", "a b.html"),
        ("/big.pdf", ""),
    ],
)
def test_what_a_request_is_answered_with(path: str, file: str) -> None:
    answer = Served(FILES).answer(path)
    assert answer.file == file
    assert bool(answer.why) is not bool(file)


def test_a_folder_without_its_slash_is_told_apart() -> None:
    served = Served(FILES)
    assert served.answer("/a").folder
    assert not served.answer("/a/").folder
    assert not served.answer("/").folder


@pytest.mark.parametrize(
    ("file", "base", "address", "expected"),
    [
        ("a/b.html", "", "c.css", Target("/a/c.css")),
        ("b.html", "", "../../x", Target("/x")),
        ("b.html", "", "#a%20b", Target("/b.html", "a b")),
        ("a/b.html", "", "?q", Target("/a/b.html")),
        ("a/b.html", "", "", Target("/a/b.html")),
        ("a/b.html", "/base/", "c#d", Target("/base/c", "d")),
        ("b.html", "", "//own.example/x", Target("/x")),
        ("b.html", "", "HTTPS://OWN.example/%C3%A4", Target("/ä")),
        ("b.html", "", "https://own.example:8443/x", Target()),
        ("b.html", "", "https://other.example/x", Target()),
        ("b.html", "", "mailto:a@b", Target()),
        ("b.html", "", "data:,x", Target()),
        ("b.html", "", "javascript:void(0)", Target()),
        ("b.html", "", "http://[", Target(bad=True)),
        ("b.html", "", "/x%2F..%2Fy", Target("/y")),
        ("a?b/c#.html", "", "d", Target("/a?b/d")),
        ("b.html", "", "\\x", Target("/x")),
        ("b.html", "", " x\n", Target("/x")),
        ("b.html", "http://other.example/", "x", Target()),
    ],
)
def test_where_addresses_lead(file: str, base: str, address: str, expected: Target) -> None:
    assert Addresses(frozenset({"own.example"})).lead(file, base, address) == expected


@given(st.text(), st.text(), st.text())
def test_every_address_leads_somewhere_or_nowhere(file: str, base: str, address: str) -> None:
    target = Addresses().lead(file, base, address)
    assert not target.path or target.path.startswith("/")
    Served(["index.html"]).answer(target.path)


HEAD = "<!doctype html><title>t</title>\n"


def look(files: dict[str, str], *domains: str) -> Inspection:
    facts = {
        path: reading.facts(reading.kind(path), text.encode())
        for path, text in files.items()
        if reading.kind(path)
    }
    return inspection("tree", frozenset(files), facts, frozenset(domains))


def told(files: dict[str, str], *domains: str) -> list[tuple[str, str]]:
    return [(finding.where, finding.rule) for finding in look(files, *domains).findings]


@pytest.mark.parametrize(
    ("body", "rules"),
    [
        ("<a href=a.html>x</a>", []),
        ("<a href=gone.html>x</a>", ["link.missing"]),
        ("<a href=a.html#here>x</a>", []),
        ("<a href=a.html#nowhere>x</a>", ["link.anchor"]),
        ("<a href='#top'>x</a> <a href='#'>y</a> <a href='#/route'>z</a>", []),
        ("<a href='#nowhere'>x</a>", ["link.anchor"]),
        ("<a href='a.html#:~:text=x'>x</a>", []),
        ("<a href=sub>x</a>", ["link.folder"]),
        ("<a href=sub/>x</a>", []),
        ("<a href=flat>x</a>", []),
        ("<a href=404.html>x</a>", ["link.missing"]),
        ("<a href='http://['>x</a>", ["link.address"]),
        ("<svg><use href='i.svg#star'/></svg>", []),
        ("<svg><use href='i.svg#moon'/></svg>", ["link.anchor"]),
        ("<img src='i.svg#svgView(viewBox=0)'>", []),
        ("<img src=https://other.example/i.png>", []),
        ("<img src=https://own.example/i.png>", ["link.missing"]),
    ],
)
def test_links_of_a_page(body: str, rules: list[str]) -> None:
    files = {
        "index.html": HEAD + body,
        "a.html": HEAD + "<p id=here>x",
        "sub/index.html": HEAD + "<a href=other.html>x</a>",
        "sub/other.html": HEAD,
        "flat/index.html": HEAD + "<a href=/a.html>x</a>",
        "404.html": HEAD,
        "i.svg": "<svg><symbol id='star'/></svg>",
    }
    assert told(files, "own.example") == [("index.html:2", rule) for rule in rules]


def test_a_broken_link_is_an_error_and_a_lost_anchor_none() -> None:
    found = look({"index.html": HEAD + "<a href=x>x</a><a href='#y'>y</a>"})
    assert [finding.severity for finding in found.findings] == [Severity.ERROR, Severity.WARNING]
    assert (found.errors, found.warnings, found.files, found.read) == (1, 1, 1, 1)
    assert "link" in str(found.findings[0])


def test_relative_links_of_the_error_page_lead_astray() -> None:
    files = {"index.html": HEAD, "404.html": HEAD + "<a href=index.html>x</a><a href=/>y</a>"}
    assert told(files) == [("404.html:2", "link.relative")]


def test_what_nobody_can_see() -> None:
    files = {"page.html": HEAD, ".well-known/otto-revision": "x"}
    assert told(files) == [("the content", "site.no-index"), (".well-known/otto-revision", "site.hidden")]


def test_style_sheets_and_sitemaps_are_followed() -> None:
    files = {
        "index.html": HEAD,
        "css/s.css": "\na{b:url(../i.png)}",
        "sitemap.xml": "<urlset><loc>https://own.example/gone</loc></urlset>",
    }
    assert told(files, "own.example") == [("css/s.css:2", "link.missing"), ("sitemap.xml:1", "link.missing")]


def test_a_near_miss_is_named() -> None:
    found = look({"index.html": HEAD + "<a href=About/>x</a>", "about.html": HEAD})
    assert "about.html is near" in found.findings[0].message


def test_very_many_findings_are_counted_not_listed() -> None:
    found = look({"index.html": HEAD + "".join(f"<a href=x{n}>x</a>\n" for n in range(700))})
    assert found.errors == 700
    assert len(found.findings) == 500
