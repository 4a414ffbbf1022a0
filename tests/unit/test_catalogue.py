"""Specs judged together, and what a change touches: tables and properties, no files."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otto.decide.catalogue import assemble, touched, unreadable, with_content
from otto.decide.dependencies import blocked_by, cycles, in_order
from otto.decide.pushed import judge
from otto.model.catalogue import Catalogue, Entry, SpecFile
from otto.model.domain import DomainSpec, Record, RecordType
from otto.model.problem import Problem
from otto.model.spec import Algorithm, Content, HostGroup, Provider, SiteSpec, Tombstone


def site(name: str, *depends_on: str, **fields: object) -> SiteSpec:
    spec = SiteSpec(
        name=name,
        provider=Provider.LAB,
        web=HostGroup(2, "small", "base"),
        balancer=HostGroup(1, "small", "base"),
        algorithm=Algorithm.ROUNDROBIN,
        content=Content(f"sites/{name}"),
        depends_on=depends_on,
        file=f"specs/{name}.yaml",
        line=1,
    )
    return replace(spec, **fields)  # type: ignore[arg-type]


def bad(name: str, file: str = "", *, site: str | None = None) -> SpecFile:
    path = file or f"specs/{name}.yaml"
    problem = Problem(path, 3, 1, "/spec", "is bad", site=name if site is None else site)
    return SpecFile(path, problems=(problem,), names=(name,))


def catalogue(*parts: SiteSpec | SpecFile, remembered: Mapping[str, SiteSpec] | None = None) -> Catalogue:
    files: dict[str, SpecFile] = {}
    for part in parts:
        if isinstance(part, SpecFile):
            files[part.path] = part
        else:
            known = files.get(part.file, SpecFile(part.file))
            files[part.file] = replace(known, sites=(*known.sites, part), names=(*known.names, part.name))
    return assemble("c0ffee", files, remembered)


def messages(found: Catalogue) -> dict[str, list[str]]:
    return {name: [problem.message for problem in problems] for name, problems in found.problems.items()}


# assemble


def test_good_sites() -> None:
    found = catalogue(site("a"), site("b", "a"))
    assert (list(found.sites), found.problems, found.loose) == (["a", "b"], {}, ())


def test_one_bad_site_leaves_the_others_alone() -> None:
    found = catalogue(site("a"), bad("b"))
    assert list(found.sites) == ["a"]
    assert messages(found) == {"b": ["is bad"]}


def test_names_taken_twice_are_told_at_both_places() -> None:
    found = catalogue(site("a"), site("a", file="specs/z.yaml", line=7), site("b"))
    assert list(found.sites) == ["b"]
    first, second = found.problems["a"]
    assert (first.where, first.found) == ("specs/a.yaml:1:1", "also in specs/z.yaml:7")
    assert (second.where, second.found) == ("specs/z.yaml:7:1", "also in specs/a.yaml:1")


def test_domains_of_two_sites_are_told_at_both() -> None:
    found = catalogue(
        site("a", domains=("x.example",)), site("b", domains=("y.example", "x.example")), site("c")
    )
    assert list(found.sites) == ["c"]
    assert [problem.pointer for name in "ab" for problem in found.problems[name]] == [
        "/spec/domains/0",
        "/spec/domains/1",
    ]


def test_a_domain_stays_with_the_site_that_keeps_its_last_good_spec() -> None:
    held = {"a": site("a", domains=("x.example",))}
    found = catalogue(bad("a"), site("b", domains=("x.example",)), remembered=held)
    assert messages(found)["b"] == ['the domain "x.example" belongs to more than one site']
    assert messages(found)["a"] == ["is bad"]


def test_a_domain_is_free_when_its_site_is_gone() -> None:
    gone = {"a": site("a", domains=("x.example",))}
    assert list(catalogue(site("b", domains=("x.example",)), remembered=gone).sites) == ["b"]


def test_unknown_dependency() -> None:
    found = catalogue(site("assets"), site("b", "asets"))
    (problem,) = found.problems["b"]
    assert problem.message == 'there is no site "asets" to depend on'
    assert (problem.pointer, problem.mend) == ("/spec/dependsOn/0", 'did you mean "assets"?')


def test_a_dependency_that_is_bad_is_waited_for_not_unknown() -> None:
    assert list(catalogue(bad("a"), site("b", "a")).sites) == ["b"]
    assert list(catalogue(bad("a", site=""), site("b", "a")).sites) == ["b"]


def test_circles_are_told_with_their_way() -> None:
    found = catalogue(site("a", "b"), site("b", "c"), site("c", "a"), site("d", "a"), site("e", "e"))
    assert list(found.sites) == ["d"]
    assert found.problems["b"][0].found == "a -> b -> c -> a"
    assert found.problems["e"][0].found == "e -> e"


def test_a_site_whose_file_cannot_be_read_is_not_taken_for_removed() -> None:
    remembered = {"a": site("a"), "b": site("b")}
    unreadable_file = SpecFile("specs/a.yaml", problems=(Problem("specs/a.yaml", 1, 1, "", "not YAML"),))
    found = catalogue(unreadable_file, remembered=remembered)
    assert messages(found) == {"a": ["not YAML"]}
    assert [problem.message for problem in found.loose] == ["not YAML"]


def test_a_site_that_moved_out_of_an_unreadable_file_is_good() -> None:
    unreadable_file = SpecFile("specs/a.yaml", problems=(Problem("specs/a.yaml", 1, 1, "", "not YAML"),))
    found = catalogue(unreadable_file, site("a", file="specs/new.yaml"), remembered={"a": site("a")})
    assert list(found.sites) == ["a"]


def test_names_guessed_in_an_unreadable_file_are_held_back() -> None:
    assert messages(catalogue(bad("a", site=""))) == {"a": ["is bad"]}


def test_what_has_no_site_is_loose() -> None:
    found = catalogue(SpecFile("specs/x.yaml", problems=(Problem("specs/x.yaml", 1, 1, "", "nonsense"),)))
    assert (found.problems, [problem.message for problem in found.loose]) == ({}, ["nonsense"])


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (Entry("specs/a.yaml", "0" * 40, 10), None),
        (Entry("specs/a.yaml", "0" * 40, 10, symlink=True), "a symbolic link is not followed"),
        (Entry("specs/a.yaml", "0" * 40, 1_300_000), "this file is too big: 1300000 bytes"),
    ],
)
def test_unreadable(entry: Entry, message: str | None) -> None:
    file = unreadable(entry)
    assert (file.problems[0].message if file else None) == message


NAMES = st.sampled_from("abcdefgh")
SITES = st.lists(
    st.builds(
        lambda name, depends_on, domain: site(name, *depends_on, domains=domain),
        NAMES,
        st.lists(NAMES, max_size=3, unique=True),
        st.lists(st.sampled_from(["x.example", "y.example", "z.example"]), max_size=2, unique=True).map(
            tuple
        ),
    ),
    max_size=8,
)


@given(SITES, st.lists(NAMES.map(bad), max_size=2), st.randoms())
def test_assembled_in_any_order_it_is_the_same(
    sites: list[SiteSpec], broken: list[SpecFile], rng: object
) -> None:
    files = {
        f"specs/{number}.yaml": SpecFile(f"specs/{number}.yaml", (spec,)) for number, spec in enumerate(sites)
    }
    files |= {file.path: file for file in broken}
    shuffled = list(files.items())
    rng.shuffle(shuffled)  # type: ignore[attr-defined]
    assert assemble("c", files) == assemble("c", dict(shuffled))


@given(SITES, st.lists(NAMES.map(bad), max_size=2))
def test_what_is_good_is_consistent(sites: list[SiteSpec], broken: list[SpecFile]) -> None:
    files = {
        f"specs/{number}.yaml": SpecFile(f"specs/{number}.yaml", (spec,)) for number, spec in enumerate(sites)
    }
    found = assemble("c", files | {file.path: file for file in broken})
    assert not found.sites.keys() & found.problems.keys()
    assert {spec.name for spec in sites} <= found.sites.keys() | found.problems.keys()
    domains = [domain for spec in found.sites.values() for domain in spec.domains]
    assert len(domains) == len(set(domains))
    assert not cycles(found.sites)


# dependencies


GRAPHS = st.dictionaries(NAMES, st.lists(NAMES, max_size=3, unique=True), max_size=8).map(
    lambda graph: {name: site(name, *others) for name, others in graph.items()}
)


def _reach(sites: Mapping[str, SiteSpec], start: str) -> set[str]:
    seen: set[str] = set()
    stack = [other for other in sites[start].depends_on if other in sites]
    while stack:
        name = stack.pop()
        if name not in seen:
            seen.add(name)
            stack += [other for other in sites[name].depends_on if other in sites]
    return seen


@given(GRAPHS)
def test_cycles_names_exactly_the_sites_on_circles(sites: Mapping[str, SiteSpec]) -> None:
    found = cycles(sites)
    assert set(found) == {name for name in sites if name in _reach(sites, name)}
    for circle in found.values():
        assert circle[0] == min(circle)
        for name, other in zip(circle, (*circle[1:], circle[0]), strict=True):
            assert other in sites[name].depends_on


@given(GRAPHS)
def test_each_comes_after_those_it_depends_on(sites: Mapping[str, SiteSpec]) -> None:
    order = in_order(sites)
    assert sorted(order) == sorted(sites)
    if not cycles(sites):
        for number, name in enumerate(order):
            assert {other for other in sites[name].depends_on if other in sites} <= set(order[:number])


@given(GRAPHS)
def test_working_on_what_is_not_blocked_reaches_everything(sites: Mapping[str, SiteSpec]) -> None:
    ready: set[str] = set()
    for _ in sites:
        free = [name for name in sites if not blocked_by(sites[name], frozenset(ready), sites)]
        ready.update(free)
    assert ready == set(sites)


def test_blocked_by() -> None:
    sites = {"a": site("a"), "b": site("b", "a", "gone"), "c": site("c", "b", "a")}
    assert blocked_by(sites["c"], frozenset(), sites) == ("b", "a")
    assert blocked_by(sites["c"], frozenset("a"), sites) == ("b",)
    assert blocked_by(sites["b"], frozenset("a"), sites) == ()


def test_a_chain_of_ten_thousand_needs_no_recursion() -> None:
    sites = {f"s{n}": site(f"s{n}", f"s{n + 1}") for n in range(10_000)}
    assert cycles(sites) == {}
    assert in_order(sites)[0] == "s9999"
    ring = sites | {"s9999": site("s9999", "s0")}
    assert len(cycles(ring)["s5000"]) == 10_000


# touched


def _change(before: list[SiteSpec], after: list[SiteSpec], *changed: str) -> frozenset[str]:
    return touched(catalogue(*before), catalogue(*after), frozenset(changed))


def test_nothing_changed() -> None:
    assert _change([site("a")], [site("a")]) == frozenset()
    assert _change([site("a")], [site("a")], "README.md", "sites/b/index.html", "sites/ab") == frozenset()


def test_a_moved_file_is_no_change() -> None:
    assert _change([site("a")], [site("a", file="specs/b.yaml", line=9)], "specs/a.yaml") == frozenset()


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        ("sites/a/index.html", {"a"}),
        ("sites/a/deep/er/x.png", {"a"}),
        ("sites/a", {"a"}),
        ("sites/c/page.html", {"c", "d"}),
        ("sites", set()),
        ("other/index.html", set()),
    ],
)
def test_content_changed(changed: str, names: set[str]) -> None:
    sites = [site("a"), site("b", content=Content("a", "https://git.example.org/x", "main")), site("c")]
    sites.append(site("d", content=Content("sites/c")))
    assert _change(sites, sites, changed) == names
    assert with_content(sites, frozenset({changed})) == names


def test_spec_changed_come_and_gone() -> None:
    before = [site("a"), site("b"), site("c")]
    after = [site("a", suspend=True), site("b"), site("d")]
    assert _change(before, after) == {"a", "c", "d"}


def test_problems_come_and_gone() -> None:
    good, broken = catalogue(site("a"), bad("b")), catalogue(bad("a"), site("b"))
    assert touched(good, broken, frozenset()) == {"a", "b"}
    assert touched(broken, broken, frozenset()) == frozenset()


def test_ten_thousand_mistakes_cost_little_and_say_little() -> None:
    specs = [site(f"s{n}", f"gone-{n}", domains=("x.example",)) for n in range(10_000)]
    started = process_time()
    found = assemble("a", {spec.file: SpecFile(spec.file, (spec,), names=(spec.name,)) for spec in specs})
    assert process_time() - started < 5
    assert len(found.problems) == 10_000
    assert max(len(str(problem)) for problems in found.problems.values() for problem in problems) < 400


def test_ten_thousand_sites_cost_little() -> None:
    specs = [site(f"s{n}", domains=(f"s{n}.example",)) for n in range(10_000)]
    files = {spec.file: SpecFile(spec.file, (spec,), names=(spec.name,)) for spec in specs}
    started = process_time()
    before = assemble("a", files)
    assembled = process_time()
    spec = replace(specs[77], suspend=True)
    after = assemble("b", files | {spec.file: SpecFile(spec.file, (spec,), names=(spec.name,))})
    again = process_time()
    names = touched(before, after, frozenset({spec.file, "sites/s5/index.html"}))
    ended = process_time()
    assert names == {"s77", "s5"}
    # Measured: 12 ms and 10 ms; the bounds only catch another order of growth.
    assert assembled - started < 1
    assert ended - again < 0.5


# judge


def _lines(before: Catalogue, after: Catalogue, *changed: str, refuse: bool = False) -> list[str]:
    return list(judge(before, after, frozenset(changed), refuse=refuse).lines)


def test_a_push_counts_the_records_of_a_zone_as_people_write_them() -> None:
    def zone(*records: Record) -> Catalogue:
        found = replace(SpecFile("specs/z.yaml"), domains=(DomainSpec("z.example", records=records),))
        return catalogue(site("hello"), site("shop"), found)

    www = tuple(Record("www", kind, site="hello") for kind in (RecordType.A, RecordType.AAAA))
    mail = Record("mail", RecordType.A, ("192.0.2.1",))
    first = _lines(catalogue(site("hello"), site("shop")), zone(*www, mail), "specs/z.yaml")
    assert "  accepted  z.example  new, 2 records" in first
    other = tuple(replace(record, site="shop") for record in www)
    second = _lines(zone(*www, mail), zone(*other), "specs/z.yaml")
    assert "  accepted  z.example  1 record changed, 1 record removed" in second


def test_an_ordinary_push() -> None:
    before = catalogue(site("docs"), site("hello"), site("old"), site("rest"))
    after = catalogue(
        site("docs"),
        site("hello", web=HostGroup(3, "small", "base")),
        site("new", "hello"),
        bad("shop"),
        site("rest"),
    )
    lines = _lines(
        before, after, "specs/hello.yaml", "sites/docs/index.html", "specs/shop.yaml", "specs/old.yaml"
    )
    assert lines == [
        "OttO: commit c0ffee: 5 sites, 5 concerned by this push",
        "  accepted  docs   content changed",
        "  accepted  hello  web 2 -> 3",
        "  accepted  new    new, after hello",
        "  removed   old    is Orphaned and keeps serving; to take it down: kind: Tombstone",
        "  refused   shop   not used until it is mended",
        "    specs/shop.yaml:3:1: is bad; at /spec",
        "  1 other site untouched",
        "Watch it: otto status --watch",
    ]


def test_a_bad_spec_of_a_known_site_keeps_the_good_one() -> None:
    lines = _lines(catalogue(site("a")), catalogue(bad("a")), "specs/a.yaml")
    assert lines[1:3] == [
        "  refused   a  not used; its last good spec stays",
        "    specs/a.yaml:3:1: is bad; at /spec",
    ]
    assert "its spec is good again" in _lines(catalogue(bad("a")), catalogue(site("a")), "specs/a.yaml")[1]


def test_a_push_that_touches_nothing() -> None:
    found = catalogue(site("a"), site("b"))
    assert _lines(found, found, "README.md") == [
        "OttO: commit c0ffee: 2 sites, 0 concerned by this push",
        "  2 other sites untouched",
        "Nothing to do.",
    ]


def test_old_problems_are_named_not_told_again() -> None:
    found = catalogue(site("a"), bad("b"))
    judgement = judge(found, found, frozenset({"README.md"}))
    assert "  still refused from before: b" in judgement.lines
    assert judgement.refusals == ()


@pytest.mark.parametrize("refuse", [True, False])
def test_refusals_are_what_the_push_brings(refuse: bool) -> None:
    before, after = catalogue(site("a"), bad("old")), catalogue(bad("a"), bad("old"))
    judgement = judge(before, after, frozenset({"specs/a.yaml"}), refuse=refuse)
    assert [problem.file for problem in judgement.refusals] == ["specs/a.yaml"]
    assert ("The push is refused" in judgement.lines[-1]) is refuse
    assert judgement.touched == {"a"}


def test_a_changed_file_that_was_bad_before_is_refused_too() -> None:
    found = catalogue(site("a"), bad("old"))
    judgement = judge(found, found, frozenset({"specs/old.yaml"}))
    assert [problem.file for problem in judgement.refusals] == ["specs/old.yaml"]


def test_problems_without_a_site_are_told() -> None:
    loose = SpecFile("specs/x.yaml", problems=(Problem("specs/x.yaml", 4, 2, "", "this is not YAML"),))
    assert _lines(Catalogue(), catalogue(loose), "specs/x.yaml")[1:3] == [
        "  refused   without a site's name",
        "    specs/x.yaml:4:2: this is not YAML",
    ]


def test_lines_are_ascii_and_not_too_many() -> None:
    evil = [
        site(f"s{n}", domains=(f"\x1b[2J\u202e{n}.example",), file="specs/\x07é.yaml") for n in range(100)
    ]
    lines = _lines(Catalogue(), catalogue(*evil, *(bad(f"b{n}", f"\x9b{n}.yaml") for n in range(100))))
    assert all(" " <= character <= "~" for line in lines for character in line)
    assert len(lines) <= 61
    assert lines[-1] == "Watch it: otto status --watch"


CATALOGUES = st.builds(
    lambda sites, broken: catalogue(*sites, *broken),
    SITES,
    st.lists(NAMES.map(lambda n: bad(n, f"{n}.bad")), max_size=2),
)


@given(CATALOGUES, CATALOGUES, st.frozensets(NAMES.map(lambda name: f"sites/{name}/x"), max_size=2))
def test_every_site_of_either_side_is_accounted_for(
    before: Catalogue, after: Catalogue, changed: frozenset[str]
) -> None:
    judgement = judge(before, after, changed)
    assert judgement == judge(before, after, changed)
    for name in judgement.touched:
        assert any(
            line[12:].split()[0] == name for line in judgement.lines if line[2:3].isalpha() and line[12:]
        )
    assert not judge(after, after, frozenset()).touched


# tombstones


def stone(name: str, file: str = "specs/stones.yaml", line: int = 1, **fields: object) -> SpecFile:
    written = Tombstone(name, "over", file=file, line=line)
    return SpecFile(file, names=(name,), tombstones=(replace(written, **fields),))  # type: ignore[arg-type]


def test_a_site_with_a_tombstone_alone_is_buried() -> None:
    found = catalogue(site("a"), stone("b"), remembered={"b": site("b")})
    assert (list(found.sites), found.problems, list(found.tombstones)) == (["a"], {}, ["b"])


def test_a_tombstone_of_nobody_is_fine() -> None:
    found = catalogue(stone("b"))
    assert (found.sites, found.problems, found.tombstones["b"].reason) == ({}, {}, "over")


def test_a_site_with_a_spec_and_a_tombstone_is_held_back() -> None:
    found = catalogue(site("a"), stone("a", line=7))
    assert (found.sites, found.tombstones) == ({}, {})
    (problem,) = found.problems["a"]
    assert problem.where == "specs/stones.yaml:7:1"
    assert "a spec and a tombstone" in problem.message
    assert problem.found == "its spec is in specs/a.yaml:1"
    assert problem.mend == "remove one of them"


def test_two_tombstones_of_a_site_are_none() -> None:
    found = catalogue(stone("a"), stone("a", "specs/more.yaml"))
    assert found.tombstones == {}
    assert {problem.found for problem in found.problems["a"]} == {
        "also in specs/more.yaml:1",
        "also in specs/stones.yaml:1",
    }


def test_a_tombstone_beside_a_bad_spec_is_not_followed() -> None:
    found = catalogue(bad("a"), stone("a"))
    assert (found.tombstones, messages(found)) == ({}, {"a": ["is bad"]})


def test_a_tombstone_is_not_followed_while_the_file_of_the_site_cannot_be_read() -> None:
    unreadable_now = bad("a", "specs/all.yaml", site="")
    found = catalogue(unreadable_now, stone("a"), remembered={"a": site("a", file="specs/all.yaml")})
    assert (found.tombstones, messages(found)) == ({}, {"a": ["is bad"]})


LATER = datetime(2026, 12, 24, 18, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "after", "names"),
    [
        ([stone("a")], [stone("a")], set()),
        ([stone("a")], [stone("a", "specs/other.yaml", 9)], set()),
        ([], [stone("a")], {"a"}),
        ([stone("a")], [], {"a"}),
        ([stone("a")], [stone("a", at=LATER)], {"a"}),
        ([stone("a")], [stone("a", reason="really over")], {"a"}),
        ([site("a")], [stone("a")], {"a"}),
        ([site("a")], [site("a"), stone("a")], {"a"}),
    ],
)
def test_a_tombstone_that_comes_goes_or_changes_touches_its_site(
    before: list[SiteSpec | SpecFile], after: list[SiteSpec | SpecFile], names: set[str]
) -> None:
    assert touched(catalogue(*before), catalogue(*after), frozenset()) == names


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ([site("a")], [stone("a")], "a will be taken down: over"),
        ([site("a")], [stone("a", at=LATER)], "a will be taken down at 2026-12-24 18:00 UTC: over"),
        ([site("a")], [], "is Orphaned and keeps serving; to take it down: kind: Tombstone"),
        ([stone("a")], [], "is taken back; with no spec the site is Orphaned"),
        ([site("a")], [site("a"), stone("a")], "not used; its last good spec stays"),
        ([site("a")], [site("a", web=HostGroup(0, "small", "base"))], "web 2 -> 0 (then it serves nothing)"),
    ],
)
def test_the_pusher_is_told_what_becomes_of_the_site(
    before: list[SiteSpec | SpecFile], after: list[SiteSpec | SpecFile], words: str
) -> None:
    lines = judge(catalogue(*before), catalogue(*after), frozenset()).lines
    assert any(words in line for line in lines), lines
