"""What a bad file says: place, pointer and words, as a table."""

import json
from typing import Any

import pytest

from otto.adapters.specs import SpecLimits, YamlSpecs

from .writing import MINIMAL, only, parse, spec

HEAD = "apiVersion: otto/v1\nkind: Site\nmetadata: {name: hello}\nspec:\n  content: {path: sites/hello}\n"

# What follows HEAD (from line 6 on), and where and how it is wrong.
CASES = [
    ("  wbe: {}\n", "6:3", "/spec/wbe", 'unknown field "wbe"', 'did you mean "web"?'),
    ("  web: {cout: 2}\n", "6:9", "/spec/web/cout", 'unknown field "cout"', 'did you mean "count"?'),
    ("  nothinglike: 1\n", "6:3", "/spec/nothinglike", 'unknown field "nothinglike"', "remove it"),
    ("  provider: awz\n", "6:13", "/spec/provider", "this value is not known here", 'did you mean "aws"?'),
    ("  web: {count: -1}\n", "6:16", "/spec/web/count", "too small", "0 to 100"),
    ("  web: {count: 101}\n", "6:16", "/spec/web/count", "too big", "0 to 100"),
    ("  web: {count: 2.0}\n", "6:16", "/spec/web/count", "a whole number", "found the number 2.0"),
    ("  web: {count: '2'}\n", "6:16", "/spec/web/count", "a whole number", "without quotation marks"),
    ("  web: {count: true}\n", "6:16", "/spec/web/count", "a whole number", "the truth value true"),
    ("  web: {count: 010}\n", "6:16", "/spec/web/count", "a whole number", "an octal number"),
    ("  web: {count: 0x10}\n", "6:16", "/spec/web/count", "a whole number", "unusual form"),
    ("  web: {count: 1_000}\n", "6:16", "/spec/web/count", "a whole number", "unusual form"),
    ("  web: []\n", "6:8", "/spec/web", "this has to be fields", "found a list"),
    ("  web:\n", "6:7", "/spec/web", "this has to be fields", "found nothing"),
    ("  web: {size: huge}\n", "6:15", "/spec/web/size", "the lab has no such size", "small, medium, large"),
    ("  web: {size: smal}\n", "6:15", "/spec/web/size", "the lab has no such size", '"small"'),
    ("  web: {image: 'a;b'}\n", "6:16", "/spec/web/image", "not written as it has to be", "image"),
    ("  balancer: {algorithm: rr}\n", "6:25", "/spec/balancer/algorithm", "not known here", "roundrobin"),
    ("  suspend: yes\n", "6:12", "/spec/suspend", "true or false", "write true or false"),
    ("  suspend: 'true'\n", "6:12", "/spec/suspend", "true or false", "write true or false"),
    ("  domains: a.example\n", "6:12", "/spec/domains", "a list", "a.example"),
    ("  domains: [a.example, a.example]\n", "6:24", "/spec/domains/1", "twice", "keep one"),
    ("  domains: [A.Example]\n", "6:13", "/spec/domains/0", "not written", "write it as a.example"),
    ("  domains: [bücher.example]\n", "6:13", "/spec/domains/0", "not written", "xn--bcher-kva.example"),
    ("  domains: [xn--0.example]\n", "6:13", "/spec/domains/0", "ASCII form", "xn--0"),
    ("  domains: [localhost]\n", "6:13", "/spec/domains/0", "not written", "at least one dot"),
    ("  domains: [10.0.0.1]\n", "6:13", "/spec/domains/0", "not written", "a host name"),
    ('  domains: ["a.example\\n"]\n', "6:13", "/spec/domains/0", "not written", "a.example\\n"),
    ("  domains: ['a.example; return 200']\n", "6:13", "/spec/domains/0", "not written", "a host name"),
    ("  domains: [12:30]\n", "6:13", "/spec/domains/0", "text", "a number to the base 60"),
    ("  domains: [2024-01-01]\n", "6:13", "/spec/domains/0", "text", "a date"),
    ("  checks: [{}]\n", "6:12", "/spec/checks/0/path", 'missing field "path"', "Path of the request"),
    ("  checks: [{path: no}]\n", "6:19", "/spec/checks/0/path", "text", "put it in quotation marks"),
    ("  checks: [{path: //evil.example/}]\n", "6:19", "/spec/checks/0/path", "not written", "one '/'"),
    ("  checks: [{path: '/a b'}]\n", "6:19", "/spec/checks/0/path", "not written", "%XX"),
    ("  checks: [{path: /, timeout: .inf}]\n", "6:31", "/spec/checks/0/timeout", "a number", "unusual"),
    ("  checks: [{path: /, timeout: 0}]\n", "6:31", "/spec/checks/0/timeout", "too small", "0.1 to 60"),
    ("  checks: [{path: /, headers: {'a b': c}}]\n", "6:32", "/spec/checks/0/headers/a b", "name", "HTTP"),
    ("  checks: [{path: /, contains: on}]\n", "6:32", "/spec/checks/0/contains", "text", "quotation marks"),
    ("  dependsOn: [Hello]\n", "6:15", "/spec/dependsOn/0", "not written", "lower-case"),
    ("  policy: {approval: never}\n", "6:22", "/spec/policy/approval", "not known", "auto, destructive"),
    ("  suspend: !!python/name:os.system x\n", "6:12", "/spec/suspend", "true or false", "python"),
    ("  web: !own {count: 2}\n", "6:8", "/spec/web", "tag", "leave it out"),
    ("  domains: !own [a.example]\n", "6:12", "/spec/domains", "tag", "leave it out"),
    ("  <<: {suspend: true}\n", "6:3", "/spec", "merge keys", "write the fields out"),
    ("  content: {path: b}\n", "6:3", "/spec/content", "twice", "first in line 5"),
]


@pytest.mark.parametrize(("text", "where", "pointer", "words", "more"), CASES)
def test_one_problem_where_it_is(text: str, where: str, pointer: str, words: str, more: str) -> None:
    file = parse(HEAD + text)
    problem = file.problems[0]
    assert problem.where == f"specs/hello.yaml:{where}"
    assert problem.pointer == pointer
    assert words in problem.message
    assert more in str(problem)
    assert problem.site == "hello"
    assert file.sites == ()
    assert file.names == ("hello",)


CONTENT = [
    ("{}", "this may not be empty", "path, git, ref"),
    ("{path: ../etc}", "leaves the repository", '".."'),
    ("{path: sites/../../etc}", "leaves the repository", '".."'),
    ("{path: /etc}", "not written", "a relative path"),
    ("{path: .}", "the whole repository", "inside it"),
    ("{path: sites/.git/x}", ".git", ""),
    ("{path: 'a\\b'}", "not written", "'/' between"),
    ("{ref: main}", 'missing field "git"', '"ref"'),
    ('{git: "https://git.example.org/a"}', 'missing field "ref"', '"git"'),
    ('{git: "https://u:pw@git.example.org/a", ref: main}', "credentials", "by host"),
    ('{git: "https://u@git.example.org/a", ref: main}', "credentials", "by host"),
    ('{git: "ssh://git:pw@git.example.org/a", ref: main}', "credentials", "by host"),
    ('{git: "https://git.example.org/a?token=x", ref: main}', "no query", ""),
    ('{git: "https://git.example.org", ref: main}', "names no repository", ""),
    ('{git: "https://git.example.org:99999/a", ref: main}', "no address", ""),
    ('{git: "http://git.example.org/a", ref: main}', "not written", "https://"),
    ('{git: "git@git.example.org:a", ref: main}', "not written", "ssh://"),
    ('{git: "ssh://-oProxyCommand=x/a", ref: main}', "names no repository", ""),
    ('{git: "https://git.example.org/a", ref: "-x"}', "not written", "branch or tag"),
    ('{git: "https://git.example.org/a", ref: "a..b"}', "not written", "branch or tag"),
    ('{git: "https://git.example.org/a", ref: 1.10}', "text", "quotation marks"),
]


@pytest.mark.parametrize(("content", "words", "more"), CONTENT)
def test_content(content: str, words: str, more: str) -> None:
    problem = only(parse(HEAD.replace("{path: sites/hello}", content)))
    assert words in problem.message
    assert more in str(problem)
    assert problem.pointer.startswith("/spec/content")
    assert "pw" not in str(problem)


HEADS = [
    ("- a\n", "1:1", "", "a mapping"),
    ("text\n", "1:1", "", 'the text "text"'),
    ("kind: Site\n", "1:1", "/apiVersion", 'missing field "apiVersion"'),
    ("apiVersion: otto/v1\n", "1:1", "/kind", 'missing field "kind"'),
    ("apiversion: otto/v1\nkind: Site\n", "1:1", "/apiVersion", 'did you mean "apiVersion"'),
    ("apiVersion: otto/v2\nkind: Site\n", "1:13", "/apiVersion", 'did you mean "otto/v1"?'),
    ("apiVersion: otto/v1\nkind: Siet\n", "2:7", "/kind", 'did you mean "Site"?'),
    ("apiVersion: otto/v1\nkind: 5\n", "2:7", "/kind", "the number 5"),
    (
        "apiVersion: otto/v1\nkind: Site\nspec: {content: {path: a}}\n",
        "1:1",
        "/metadata",
        'missing field "metadata"',
    ),
    (
        "apiVersion: otto/v1\nkind: Site\nmetadata: {}\nspec: {content: {path: a}}\n",
        "3:1",
        "/metadata/name",
        "name",
    ),
    (
        "apiVersion: otto/v1\nkind: Site\nmetdata: {name: a}\nspec: {content: {path: a}}\n",
        "3:1",
        "/metdata",
        'did you mean "metadata"?',
    ),
    (
        "apiVersion: otto/v1\nkind: Site\nmetadata: {name: 5a}\nspec: {content: {path: a}}\n",
        "3:18",
        "/metadata/name",
        "",
    ),
]


@pytest.mark.parametrize(("text", "where", "pointer", "words"), HEADS)
def test_heads_of_documents(text: str, where: str, pointer: str, words: str) -> None:
    problem = only(parse(text))
    assert problem.where == f"specs/hello.yaml:{where}"
    assert problem.pointer == pointer
    assert words in str(problem)


YAML = [
    ("a: [\n", "2:1", "not YAML"),
    ("a: b: c\n", "1:5", "not YAML"),
    ("a:\n\tb: 1\n", "2:1", "indent with spaces"),
    ("a: 'x\n", "2:1", "not YAML"),
    ("a: *nowhere\n", "1:4", "no anchor"),
    ("a: &a [*a]\n", "1:8", "inside what it stands for"),
    ("a: &a {b: *a}\n", "1:11", "inside what it stands for"),
    ("? [a]\n: b\n", "1:3", "a key has to be text"),
    ("? {a: b}\n: b\n", "1:3", "a key has to be text"),
    ("a: &a b\n*a : c\n", "2:1", "a key has to be text"),
    ("a: \x1b[31m\n", "1:4", "U+001B"),
    ("a: x\u202ey\n", "1:5", "U+202E"),
    ("a: \ufeffx\n", "1:4", "U+FEFF"),
    ("[" * 100_000, "1:33", "deep"),
    ("- " * 100_000, "1:65", "deep"),
    ("{a: " * 60_000, "1:129", "deep"),
    ("%YAML 9.9\n---\na: b\n", "1:1", "not YAML"),
    ("@\n", "1:1", "not YAML"),
]


@pytest.mark.parametrize(("text", "where", "words"), YAML)
def test_what_yaml_cannot_read(text: str, where: str, words: str) -> None:
    problem = parse(text).problems[0]
    assert problem.where == f"specs/hello.yaml:{where}"
    assert words in str(problem)
    assert problem.site == ""


@pytest.mark.parametrize(
    ("data", "where", "found"),
    [
        (b"a: \xff\n", "1:4", "0xff"),
        (b"a: b\nc: caf\xe9\n", "2:7", "0xe9"),
        ("a: b\n".encode("utf-16"), "1:1", "0xff"),
        (b"a: \xed\xa0\x80\n", "1:4", "0xed"),
        (b"\x00\x01", "1:1", "U+0000"),
    ],
)
def test_what_is_not_text(data: bytes, where: str, found: str) -> None:
    problem = only(parse(data))
    assert (problem.where, found in problem.found) == (f"specs/hello.yaml:{where}", True)


def test_alias_bomb_is_refused_fast() -> None:
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    problem = only(parse("\n".join(lines)))
    assert "aliases counted" in problem.message
    assert problem.line in (5, 6)


def test_file_that_is_too_big() -> None:
    data = b"#" * 1001
    problem = only(YamlSpecs(SpecLimits(size=1000)).parse("specs/a.yaml", data))
    assert str(problem).startswith("specs/a.yaml: this file is too big: 1001 bytes")


def test_all_problems_at_once_in_order_of_place() -> None:
    text = HEAD + "  web: {cout: 1}\n  suspend: on\n  domains: [A.b, a.b, a.b]\n"
    places = [(problem.line, problem.column) for problem in parse(text).problems]
    assert places == [(6, 9), (7, 12), (8, 13), (8, 23)]


def test_problems_are_many_but_not_endless() -> None:
    fields: dict[str, Any] = {f"field{n}": n for n in range(1000)}
    data = spec(**fields)
    problems = parse(data).problems
    assert len(problems) == 201
    assert problems[-1].message == "there are more problems, not shown"


def test_nested_sequences_of_mappings_cost_no_quadratic_time() -> None:
    data = spec(domains=[{f"a{n}": n} for n in range(14_000)])
    assert "too long" in " ".join(problem.message for problem in parse(data).problems)


def test_secrets_are_not_shown() -> None:
    hidden = "hunter2hunter2"
    text = spec(
        checks=[{"path": "/", "headers": {"Authorization": [hidden]}, "token": hidden}],
        password=hidden,
        domains=[f"https://me:{hidden}@a.example/"],
        dependsOn=[f"ghp_{hidden}"],
    )
    problems = parse(text).problems
    assert len(problems) == 5
    assert hidden not in " ".join(map(str, problems))


def test_hostile_text_is_harmless_and_short() -> None:
    evil = '"\\e[2J\\u202e' + "x" * 5000 + '"'
    text = HEAD + f"  {evil}: 1\n  provider: {evil}\n"
    for problem in parse(text, "specs/\x1b[31m.yaml").problems:
        assert str(problem).isprintable()
        assert len(str(problem)) < 500


def test_names_are_guessed_where_yaml_cannot_be_read() -> None:
    text = 'metadata:\n  labels:\n    a: b\n  name: "hello"  # x\nspec: [\n---\nmetadata:\n  name: two\n'
    assert parse(text).names == ("hello", "two")


def test_names_of_unreadable_bytes_are_guessed_too() -> None:
    assert parse(b"metadata:\n  name: hello\nspec: \xff\n").names == ("hello",)


def test_the_documents_before_a_syntax_error_stand() -> None:
    file = parse(json.dumps(MINIMAL) + "\n---\na: [\n")
    assert [site.name for site in file.sites] == ["hello"]
    assert [problem.line for problem in file.problems] == [4]
