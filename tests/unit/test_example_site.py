"""The example site and its spec: every page parsed, every link followed, every promise of its checks held."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "sites" / "hello"
SPEC = ROOT / "specs" / "hello.yaml"
PAGES = sorted(path.name for path in SITE.glob("*.html"))
NOT_FOUND = "404.html"
LISTED = [name for name in PAGES if name != NOT_FOUND]
FIRST = "index.html"
HOST = "http://hello.test/"

VOID = {"meta", "link", "br", "img", "hr", "input"}
LOADING = {"link": "href", "script": "src", "img": "src", "a": "href"}


@dataclass
class Page(HTMLParser):
    """One page, read strictly: what is opened is closed, in order."""

    text: str
    stack: list[str] = field(default_factory=list)
    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)
    words: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.feed(self.text)
        self.close()
        self.mistakes += [f"<{tag}> is never closed" for tag in self.stack]

    def __hash__(self) -> int:
        return id(self)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._note(tag, attrs)
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._note(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if not self.stack or self.stack[-1] != tag:
            self.mistakes.append(f"line {self.getpos()[0]}: </{tag}> closes {self.stack[-1:]}")
            return
        self.stack.pop()

    def handle_data(self, data: str) -> None:
        if self.stack:
            self.words[self.stack[-1]] = self.words.get(self.stack[-1], "") + data

    def _note(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self.mistakes.append(f"line {self.getpos()[0]}: <{tag}> has an attribute twice")
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def ids(self) -> list[str]:
        return [attributes["id"] for _, attributes in self.tags if "id" in attributes]

    def references(self) -> list[str]:
        return [a[LOADING[tag]] for tag, a in self.tags if tag in LOADING and LOADING[tag] in a]

    def relation(self, rel: str) -> list[str]:
        return [a["href"] for a in self.all("link") if a.get("rel") == rel]


def page(name: str) -> Page:
    return Page((SITE / name).read_text("utf-8"))


def target(reference: str, name: str) -> tuple[str, str]:
    """The file and the anchor that a reference on a page means."""
    parts = urlsplit(reference)
    return parts.path.removeprefix("/") or (FIRST if reference.startswith("/") else name), parts.fragment


@pytest.fixture(params=PAGES)
def name(request: pytest.FixtureRequest) -> str:
    value = request.param
    assert isinstance(value, str)
    return value


def test_the_site_has_a_dozen_pages_and_more() -> None:
    assert len(PAGES) >= 12
    assert {FIRST, NOT_FOUND, "glossary.html", "sitemap.html"} <= set(PAGES)


def test_page_is_well_formed(name: str) -> None:
    read = page(name)
    assert read.text.startswith("<!DOCTYPE html>\n")
    assert not read.mistakes
    assert len(read.ids()) == len(set(read.ids()))


def test_page_says_what_it_is(name: str) -> None:
    read = page(name)
    assert [a.get("lang") for a in read.all("html")] == ["en-GB"]
    assert len(read.all("h1")) == 1
    assert len(read.all("main")) == 1
    meta = {a["name"]: a["content"] for a in read.all("meta") if "name" in a}
    assert 40 <= len(meta["description"]) <= 170
    assert "width=device-width" in meta["viewport"]
    assert {"charset": "utf-8"} in read.all("meta")


def test_titles_and_descriptions_are_unique() -> None:
    titles = [page(name).words["title"].splitlines()[0] for name in PAGES]
    assert all(titles)
    assert len(set(titles)) == len(PAGES)


def test_links_and_anchors_resolve(name: str) -> None:
    for reference in page(name).references():
        file, anchor = target(reference, name)
        assert (SITE / file).is_file(), f"{name}: {reference}"
        assert not anchor or anchor in page(file).ids(), f"{name}: {reference}"


def test_nothing_is_asked_of_another_server(name: str) -> None:
    read = page(name)
    for reference in read.references():
        parts = urlsplit(reference)
        assert not parts.scheme, f"{name}: {reference}"
        assert not parts.netloc, f"{name}: {reference}"
    assert not {"iframe", "object", "embed", "form", "base"} & {tag for tag, _ in read.tags}


def test_a_strict_content_security_policy_would_do(name: str) -> None:
    read = page(name)
    assert not read.all("style")
    assert all(a.get("src") for a in read.all("script"))
    for tag, attributes in read.tags:
        assert "style" not in attributes, f"{name}: <{tag}>"
        assert not [key for key in attributes if key.startswith("on")], f"{name}: <{tag}>"


def test_pictures_have_words(name: str) -> None:
    read = page(name)
    assert all("alt" in a for a in read.all("img"))
    for drawing in read.all("svg"):
        hidden = drawing.get("aria-hidden") == "true"
        told = drawing.get("role") == "img" and "aria-labelledby" in drawing
        assert hidden != told, f"{name}: {drawing}"


def test_labels_point_to_something(name: str) -> None:
    read = page(name)
    for _, attributes in read.tags:
        for key in ("aria-labelledby", "aria-describedby", "for"):
            assert set(attributes.get(key, "").split()) <= set(read.ids()), f"{name}: {attributes}"


def test_the_not_found_page_works_at_any_depth() -> None:
    for reference in page(NOT_FOUND).references():
        assert reference.startswith(("/", "#")), reference


@pytest.mark.parametrize("name", LISTED)
def test_nothing_links_to_the_not_found_page(name: str) -> None:
    assert NOT_FOUND not in {target(reference, name)[0] for reference in page(name).references()}


def test_next_leads_from_the_front_page_through_every_page() -> None:
    seen = [FIRST]
    while True:
        following = page(seen[-1]).relation("next")
        assert len(following) == 1, seen[-1]
        if following[0] == FIRST:
            break
        assert page(following[0]).relation("prev") == [seen[-1]]
        seen.append(following[0])
    assert sorted(seen) == sorted(LISTED)


def test_both_site_maps_list_every_page() -> None:
    tree = ET.fromstring((SITE / "sitemap.xml").read_text("utf-8"))  # noqa: S314 - our own file
    space = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
    places = [element.text or "" for element in tree.iter(f"{space}loc")]
    assert all(place.startswith(HOST) for place in places)
    assert sorted(place.removeprefix(HOST) or FIRST for place in places) == sorted(LISTED)
    linked = {target(reference, "sitemap.html")[0] for reference in page("sitemap.html").references()}
    assert set(LISTED) <= linked
    assert f"Sitemap: {HOST}sitemap.xml" in (SITE / "robots.txt").read_text("utf-8").splitlines()


def test_stylesheet_and_script_fetch_nothing_from_elsewhere() -> None:
    style = (SITE / "style.css").read_text("utf-8")
    assert "url(" not in style
    assert "@import" not in style
    assert style.count("{") == style.count("}")
    assert "prefers-color-scheme: dark" in style
    assert "prefers-reduced-motion" in style
    assert "://" not in (SITE / "live.js").read_text("utf-8")


def test_drawings_of_their_own_are_well_formed() -> None:
    for path in SITE.glob("*.svg"):
        ET.fromstring(path.read_text("utf-8"))  # noqa: S314 - our own file


def test_the_site_is_light() -> None:
    assert max(path.stat().st_size for path in SITE.iterdir()) < 40_000
    assert sum(path.stat().st_size for path in SITE.iterdir()) < 300_000


def test_the_spec_says_which_schema_it_follows_and_follows_it() -> None:
    text = SPEC.read_text("utf-8")
    assert text.startswith("# yaml-language-server: $schema=../schemas/site.json\n")
    schema = (ROOT / "schemas" / "site.json").read_text("utf-8")
    jsonschema.validate(yaml.safe_load(text), yaml.safe_load(schema))


def test_the_checks_of_the_spec_hold_for_the_files() -> None:
    spec = yaml.safe_load(SPEC.read_text("utf-8"))["spec"]
    assert (ROOT / spec["content"]["path"]).samefile(SITE)
    for check in spec["checks"]:
        path = SITE / (check["path"].removeprefix("/") or FIRST)
        assert path.is_file() == (check.get("status", 200) == 200), check
        served = path if path.is_file() else SITE / NOT_FOUND
        assert check.get("contains", "") in served.read_text("utf-8"), check
