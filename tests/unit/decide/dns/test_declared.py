"""Zones of one commit judged together, with the sites that they follow, and what a push makes of them."""

from dataclasses import replace

from otto.decide.catalogue import assemble, touched
from otto.decide.pushed import judge
from otto.model.catalogue import Catalogue, SpecFile
from otto.model.domain import DomainSpec, Record, RecordType
from otto.model.problem import Problem
from otto.model.spec import SiteSpec, Tombstone
from otto.testing import site_spec


def zone(name: str, *records: Record, **fields: object) -> DomainSpec:
    placed = tuple(replace(record, place=place) for place, record in enumerate(records))
    spec = DomainSpec(name, records=placed, file=f"specs/{name}.yaml", line=1)
    return replace(spec, **fields)  # type: ignore[arg-type]


def follows(site: str, name: str = "www") -> Record:
    return Record(name, RecordType.A, site=site)


def holds(name: str, kind: str, *values: str) -> Record:
    return Record(name, RecordType(kind), values)


def file(*found: SiteSpec | DomainSpec | Tombstone, path: str = "specs/all.yaml") -> SpecFile:
    sites = tuple(replace(one, file=path) for one in found if isinstance(one, SiteSpec))
    zones = tuple(one for one in found if isinstance(one, DomainSpec))
    stones = tuple(one for one in found if isinstance(one, Tombstone))
    names = (*(one.name for one in sites), *(one.name for one in zones))
    return SpecFile(path, sites, (), names, stones, zones)


def catalogue(*found: SiteSpec | DomainSpec | Tombstone) -> Catalogue:
    return assemble("c0ffee", {"specs/all.yaml": file(*found)})


def problem_of(found: Catalogue, name: str) -> Problem:
    problems = found.problems[name]
    assert len(problems) == 1, [str(problem) for problem in problems]
    return problems[0]


def test_good_zones() -> None:
    found = catalogue(site_spec("acme"), zone("acme.example", follows("acme")), zone("other.example"))
    assert found.domains.keys() == {"acme.example", "other.example"}
    assert not found.problems


def test_a_zone_that_is_described_twice_is_not_used_at_all() -> None:
    first, second = zone("a.example"), zone("a.example", file="specs/b.yaml", line=7)
    found = assemble("c", {"specs/a.yaml": file(first), "specs/b.yaml": file(second, path="specs/b.yaml")})
    assert not found.domains
    assert {problem.found for problem in found.problems["a.example"]} == {
        "also in specs/b.yaml:7",
        "also in specs/a.example.yaml:1",
    }


def test_a_record_follows_a_site_that_there_is() -> None:
    found = catalogue(site_spec("acme"), zone("a.example", holds("a", "A", "192.0.2.1"), follows("acne")))
    problem = problem_of(found, "a.example")
    assert problem.pointer == "/spec/records/1/site"
    assert problem.message == 'there is no site "acne" to follow'
    assert problem.mend == 'did you mean "acme"?'


def test_a_site_with_a_bad_spec_is_there_all_the_same() -> None:
    bad = SpecFile("specs/acme.yaml", problems=(Problem("specs/acme.yaml", 1, 1, "", "bad", site="acme"),))
    found = assemble("c", {"specs/acme.yaml": bad, "specs/z.yaml": file(zone("a.example", follows("acme")))})
    assert found.domains.keys() == {"a.example"}


def test_a_site_that_is_to_go_is_followed_no_more() -> None:
    found = catalogue(Tombstone("acme", "over"), zone("a.example", follows("acme")))
    assert "tombstone" in problem_of(found, "a.example").message
    assert found.tombstones.keys() == {"acme"}


def test_names_of_a_zone_below_belong_there() -> None:
    parent = zone(
        "example.org",
        holds("sub", "NS", "ns1.sub.example.org."),
        holds("ns1.sub", "A", "192.0.2.1"),
        holds("x.sub", "TXT", '"x"'),
        holds("subway", "TXT", '"x"'),
    )
    found = catalogue(parent, zone("sub.example.org"))
    problem = problem_of(found, "example.org")
    assert problem.pointer == "/spec/records/2/name"
    assert 'belongs to the zone "sub.example.org"' in problem.message
    assert found.domains.keys() == {"sub.example.org"}


def test_a_delegation_and_its_zone_say_the_same() -> None:
    child = zone("sub.example.org", nameservers=("ns1.example.net",))
    good = zone("example.org", holds("sub", "NS", "ns1.example.net."))
    other = zone("example.org", holds("sub", "NS", "ns2.example.net."))
    assert not catalogue(good, child).problems
    assert "names other nameservers" in problem_of(catalogue(other, child), "example.org").message


def test_a_file_that_cannot_be_read_holds_its_zones_back() -> None:
    before = zone("a.example", file="specs/a.yaml")
    broken = SpecFile("specs/a.yaml", problems=(Problem("specs/a.yaml", 2, 1, "", "no YAML"),))
    found = assemble("c", {"specs/a.yaml": broken}, {}, {"a.example": before})
    assert found.problems.keys() == {"a.example"}


def test_what_a_commit_touches() -> None:
    one, two = zone("a.example"), zone("b.example")
    before = catalogue(one, two)
    moved = catalogue(replace(one, line=9), replace(two, records=(holds("a", "A", "192.0.2.1"),)))
    assert touched(before, moved, frozenset()) == {"b.example"}
    assert touched(before, catalogue(two), frozenset()) == {"a.example"}
    assert touched(catalogue(two), before, frozenset()) == {"a.example"}


def test_the_pusher_is_told() -> None:
    before = catalogue(zone("a.example", holds("a", "A", "192.0.2.1"), holds("b", "A", "192.0.2.1")))
    after = catalogue(
        zone("a.example", holds("a", "A", "192.0.2.2"), holds("c", "A", "192.0.2.1")), zone("b.example")
    )
    lines = judge(before, after, frozenset()).lines
    assert "0 sites and 2 zones" in lines[0]
    assert any("1 record added, 1 record changed, 1 record removed" in line for line in lines)
    assert any("b.example  new, 0 records" in line for line in lines)
    gone = judge(before, catalogue(), frozenset()).lines
    assert any("is Orphaned and keeps its records" in line for line in gone)
