"""What a good file says."""

from otto.model.policy import Policy
from otto.model.spec import Algorithm, Check, Content, HostGroup, Provider, SiteSpec

from .writing import parse, spec

FULL = """\
# yaml-language-server: $schema=../schemas/site.json
apiVersion: otto/v1
kind: Site
metadata:
  name: shop
  labels: {env: test, team/name: web}
spec:
  provider: aws
  web: {count: 3, size: t3.small, image: nginx@candidate}
  balancer: {count: 2, size: medium, image: haproxy, algorithm: leastconn}
  domains: [shop.example, xn--bcher-kva.example]
  content: {git: "ssh://git@git.example.org/shop.git", ref: v1.2, path: ./public//site/}
  checks:
    - path: /search?q=%20a
      status: 301
      contains: "two\\nlines"
      headers: {Location: https://shop.example/}
      timeout: 0.5
    - {path: /}
  policy: {approval: always}
  dependsOn: [hello]
  suspend: true
"""


def test_everything_set() -> None:
    file = parse(FULL, "specs/shop.yaml")
    assert file.problems == ()
    assert file.names == ("shop",)
    assert file.sites == (
        SiteSpec(
            name="shop",
            labels={"env": "test", "team/name": "web"},
            provider=Provider.AWS,
            web=HostGroup(3, "t3.small", "nginx@candidate"),
            balancer=HostGroup(2, "medium", "haproxy"),
            algorithm=Algorithm.LEASTCONN,
            domains=("shop.example", "xn--bcher-kva.example"),
            content=Content("public/site", "ssh://git@git.example.org/shop.git", "v1.2"),
            checks=(
                Check("/search?q=%20a", 301, "two\nlines", {"Location": "https://shop.example/"}, 0.5),
                Check("/"),
            ),
            policy=Policy("always"),
            depends_on=("hello",),
            suspend=True,
            file="specs/shop.yaml",
            line=2,
        ),
    )


def test_defaults() -> None:
    (site,) = parse(spec()).sites
    assert site == SiteSpec(
        name="hello",
        provider=Provider.LAB,
        web=HostGroup(2, "small", "base"),
        balancer=HostGroup(1, "small", "base"),
        algorithm=Algorithm.ROUNDROBIN,
        content=Content("sites/hello"),
        file="specs/hello.yaml",
        line=1,
    )


def test_several_documents_and_empty_ones() -> None:
    one, two = spec("one").decode(), spec("two").decode()
    file = parse(f"---\n{one}\n---\n---\n# nothing\n---\n{two}\n...\n")
    assert file.problems == ()
    assert [(site.name, site.line) for site in file.sites] == [("one", 2), ("two", 7)]
    assert file.names == ("one", "two")


def test_empty_files_say_nothing() -> None:
    for text in ("", "\n", "# only a comment\n", "---\n", "---\n---\n"):
        assert parse(text) == parse("", "specs/hello.yaml")


def test_byte_order_mark_is_cut_off() -> None:
    assert [site.name for site in parse(b"\xef\xbb\xbf" + spec()).sites] == ["hello"]


def test_windows_line_ends() -> None:
    assert parse(FULL.replace("\n", "\r\n").encode()).problems == ()


def test_anchors_and_aliases_stand_for_what_they_name() -> None:
    text = """\
apiVersion: otto/v1
kind: Site
metadata: {name: hello}
spec:
  web: {size: &size small}
  balancer: {size: *size}
  domains: &names [a.example]
  content: {path: sites/hello}
"""
    assert parse(text).problems == ()


def test_one_bad_document_leaves_the_others_alone() -> None:
    good, bad = spec("good").decode(), spec("bad", suspend=1).decode()
    file = parse(f"{bad}\n---\n{good}\n")
    assert [site.name for site in file.sites] == ["good"]
    assert [problem.site for problem in file.problems] == ["bad"]
    assert file.names == ("bad", "good")


def test_a_quoted_word_is_text() -> None:
    (site,) = parse(spec(checks=[{"path": "/", "contains": "no"}])).sites
    assert site.checks[0].contains == "no"
