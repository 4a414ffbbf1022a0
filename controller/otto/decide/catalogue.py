"""The specs of one commit judged together, and which sites and zones a change touches."""

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from operator import attrgetter
from typing import TypeVar

from otto.decide import hosts
from otto.decide.dependencies import cycles
from otto.decide.dns.declared import declared_twice, overlapping, unknown_sites
from otto.model.catalogue import Catalogue, Entry, SpecFile
from otto.model.declared import DeclaredHost
from otto.model.domain import DomainSpec
from otto.model.problem import Problem
from otto.model.spec import SiteSpec, Tombstone

_SHOWN = 12  # names of a long circle
_NAMED = 3  # others in a message
_SUGGESTED = 5  # names that a similar one is looked for

T = TypeVar("T")

_Found = defaultdict[str, list[Problem]]
_name, _site = attrgetter("name"), attrgetter("site")


def assemble(
    commit: str,
    files: Mapping[str, SpecFile],
    remembered: Mapping[str, SiteSpec] | None = None,
    zones: Mapping[str, DomainSpec] | None = None,
    machines: Mapping[str, DeclaredHost] | None = None,
) -> Catalogue:
    """Judge all files of a commit together.

    A site is in one of `sites`, `problems` and `tombstones` of the answer, a zone in one of `domains` and
    `problems`. With a tombstone and a spec a site is neither changed nor taken down, but held back until one
    of them is gone.

    Args:
        commit: the commit.
        files: its spec files by path.
        remembered: last good specs by name. A site that seems to be gone while its file cannot be read
            is held back with that file's problems, not taken for removed; and the domains of a site that
            keeps its last good spec stay its own.
        zones: the same of zones.
        machines: the same of declared hosts.
    """
    remembered, zones = remembered or {}, zones or {}
    loose = [problem for file in files.values() for problem in file.problems if not problem.site]
    problems = _own_problems(files)
    declared = _by_name((spec for file in files.values() for spec in file.sites), _name)
    domains = _by_name((spec for file in files.values() for spec in file.domains), _name)
    machinery = _by_name((spec for file in files.values() for spec in file.hosts), _name)
    buried = _by_name((stone for file in files.values() for stone in file.tombstones), _site)
    known = {*declared, *domains, *map(hosts.key, machinery)}
    held_hosts = {hosts.key(name): spec for name, spec in (machines or {}).items()}
    _add(problems, _hidden(files, known, problems, {**remembered, **zones, **held_hosts}))
    _add(problems, _undecided(buried, declared))
    single = {name: specs[0] for name, specs in declared.items() if len(specs) == 1}
    _add(problems, _twice(declared))
    held = {name: spec for name, spec in remembered.items() if name in problems and name not in single}
    _add(problems, _shared_domains(single, held))
    _add(problems, _unknown_dependencies(single, {*declared, *problems}))
    _add(problems, _circles(single))
    _add(problems, declared_twice(domains))
    one = {name: specs[0] for name, specs in domains.items() if len(specs) == 1}
    _add(problems, unknown_sites(one, {*declared, *problems}, frozenset(buried)))
    _add(problems, overlapping(one))
    _add(problems, hosts.problems(machinery, {*declared, *problems}))
    sites = {name: spec for name, spec in single.items() if name not in problems}
    found = {name: tuple(sorted(set(some))) for name, some in sorted(problems.items())}
    return Catalogue(
        commit=commit,
        sites=sites,
        problems={name: some for name, some in found.items() if not hosts.is_host(name)},
        loose=tuple(sorted(loose)),
        tombstones={name: stones[0] for name, stones in sorted(buried.items()) if name not in problems},
        domains={name: spec for name, spec in one.items() if name not in problems},
        hosts={name: specs[0] for name, specs in machinery.items() if hosts.key(name) not in problems},
        host_problems={
            name.removeprefix(hosts.PREFIX): some for name, some in found.items() if hosts.is_host(name)
        },
    )


def _add(problems: _Found, more: Iterable[Problem]) -> None:
    for problem in more:
        problems[problem.site].append(problem)


def _own_problems(files: Mapping[str, SpecFile]) -> _Found:
    problems: _Found = defaultdict(list)
    _add(problems, (problem for file in files.values() for problem in file.problems if problem.site))
    return problems


def _by_name(items: Iterable[T], name: Callable[[T], str]) -> Mapping[str, list[T]]:
    """Documents by what they are about: one name should have one."""
    found: defaultdict[str, list[T]] = defaultdict(list)
    for item in items:
        found[name(item)].append(item)
    return found


def _undecided(
    buried: Mapping[str, Sequence[Tombstone]], declared: Mapping[str, Sequence[SiteSpec]]
) -> Iterator[Problem]:
    """Tombstones that are not followed, since a spec or another tombstone stands against them."""
    for name, stones in buried.items():
        places = sorted(map(_where, stones)) if len(stones) > 1 else []
        for stone in stones:
            if name in declared:
                message = f'the site "{name}" has a spec and a tombstone, so neither is followed'
                yield _unburied(stone, message, f"its spec is in {_where(declared[name][0])}")
            elif places:
                message = f'the site "{name}" has more than one tombstone, so none is followed'
                yield _unburied(stone, message, f"also in {_others(places, _where(stone))}")


def _unburied(stone: Tombstone, message: str, found: str) -> Problem:
    mend = "remove one of them"
    return Problem(stone.file, stone.line, 1, "/spec/site", message, found=found, mend=mend, site=stone.site)


def _hidden(
    files: Mapping[str, SpecFile],
    declared: Container[str],
    problems: Mapping[str, list[Problem]],
    remembered: Mapping[str, SiteSpec | DomainSpec | DeclaredHost],
) -> list[Problem]:
    """Problems of files that hold, or held, sites or zones which cannot be read now."""
    blind = {
        file.path: [problem for problem in file.problems if not problem.site]
        for file in files.values()
        if file.problems
    }
    names = {path: set(files[path].names) for path, loose in blind.items() if loose}
    for name, spec in remembered.items() if names else ():
        if spec.file in names:
            names[spec.file].add(name)
    return [
        replace(problem, site=name)
        for path, held in names.items()
        for name in sorted(held)
        if name not in declared and name not in problems
        for problem in blind[path]
    ]


def _twice(declared: Mapping[str, list[SiteSpec]]) -> Iterator[Problem]:
    for name, specs in declared.items():
        places = sorted(map(_where, specs)) if len(specs) > 1 else []
        for spec in specs if places else ():
            yield _problem(
                spec,
                "/metadata/name",
                f'the name "{name}" is taken twice, so neither is used',
                found=f"also in {_others(places, _where(spec))}",
                mend="give each site its own name",
            )


def _shared_domains(sites: Mapping[str, SiteSpec], held: Mapping[str, SiteSpec]) -> Iterator[Problem]:
    owners: dict[str, SiteSpec] = {}
    shared: defaultdict[str, list[SiteSpec]] = defaultdict(list)
    for spec in (*held.values(), *sites.values()):
        for domain in spec.domains:
            owner = owners.setdefault(domain, spec)
            if owner is not spec:
                shared[domain].append(spec)
    for domain, others in shared.items():
        specs = [owners[domain], *others]
        names = sorted(map(_named, specs))
        for spec in specs:
            if spec.name in sites:
                yield _problem(
                    spec,
                    f"/spec/domains/{spec.domains.index(domain)}",
                    f'the domain "{domain}" belongs to more than one site',
                    found=f"also in {_others(names, _named(spec))}",
                    mend="keep it in one of them",
                )


def _others(names: Sequence[str], own: str) -> str:
    """The names besides one's own, for a message, which stays short however many there are."""
    few = [name for name in names[: _NAMED + 1] if name != own][:_NAMED]
    rest = len(names) - 1 - len(few)
    return ", ".join(few) + (f" and {rest} more" if rest > 0 else "")


def _unknown_dependencies(sites: Mapping[str, SiteSpec], known: set[str]) -> Iterator[Problem]:
    unknown = [
        (spec, number, name)
        for spec in sites.values()
        for number, name in enumerate(spec.depends_on)
        if name not in known
    ]
    # Looking for a similar name takes milliseconds among thousands: a few times, it is worth that.
    candidates = sorted(known) if unknown else []
    for count, (spec, number, name) in enumerate(unknown):
        near = get_close_matches(name, candidates, n=1, cutoff=0.7) if count < _SUGGESTED else []
        yield _problem(
            spec,
            f"/spec/dependsOn/{number}",
            f'there is no site "{name}" to depend on',
            mend=f'did you mean "{near[0]}"?' if near else "remove it, or add that site",
        )


def _circles(sites: Mapping[str, SiteSpec]) -> Iterator[Problem]:
    for name, circle in cycles(sites).items():
        way = " -> ".join((*circle, circle[0]) if len(circle) <= _SHOWN else (*circle[:_SHOWN], "..."))
        yield _problem(
            sites[name],
            "/spec/dependsOn",
            "these sites wait for each other, so none could ever come",
            found=way,
            mend="take one of these dependencies out",
        )


def _problem(spec: SiteSpec, pointer: str, message: str, *, found: str = "", mend: str = "") -> Problem:
    return Problem(spec.file, spec.line, 1, pointer, message, found=found, mend=mend, site=spec.name)


def _where(spec: SiteSpec | Tombstone) -> str:
    return f"{spec.file}:{spec.line}"


def untold(catalogue: Catalogue) -> tuple[Problem, ...]:
    """Problems that no site tells of: of files which name no site, or none that could be read out of them."""
    told = {_place(problem) for found in catalogue.problems.values() for problem in found}
    return tuple(problem for problem in catalogue.loose if _place(problem) not in told)


def _place(problem: Problem) -> tuple[str, int, int]:
    return (problem.file, problem.line, problem.column)


def unreadable(entry: Entry, most: int = 1024 * 1024) -> SpecFile | None:
    """The verdict on a file that is not even to be read: a symbolic link, or one that is too big.

    Args:
        entry: the file.
        most: bytes a file of specs may have.
    """
    if entry.symlink:
        message, allowed, mend = "a symbolic link is not followed", "", "put the file itself there"
    elif entry.size > most:
        message, allowed = f"this file is too big: {entry.size} bytes", f"at most {most} bytes"
        mend = "split it"
    else:
        return None
    return SpecFile(
        entry.path, problems=(Problem(entry.path, 0, 0, "", message, allowed=allowed, mend=mend),)
    )


def _named(spec: SiteSpec) -> str:
    return f"{spec.name} ({_where(spec)})"


def touched(before: Catalogue, after: Catalogue, changed: frozenset[str]) -> frozenset[str]:
    """Names of sites and zones a change concerns: spec, tombstone, problems or content changed, come or gone.

    Sites whose content lies in another repository change by that repository, not by these paths.

    Args:
        before: the catalogue in force.
        after: the new one.
        changed: every path that differs between the two commits.
    """
    names = {name for name, spec in after.sites.items() if _differs(before.sites.get(name), spec)}
    names |= before.sites.keys() - after.sites.keys()
    names |= {name for name, spec in after.domains.items() if _zone_differs(before.domains.get(name), spec)}
    names |= before.domains.keys() - after.domains.keys()
    names |= {name for name in {*before.problems, *after.problems} if _problems_differ(name, before, after)}
    names |= _buried_anew(before, after)
    names |= hosts.moved(before, after) & {*before.sites, *after.sites}
    return frozenset(names | with_content(after.sites.values(), changed))


def _buried_anew(before: Catalogue, after: Catalogue) -> set[str]:
    """Sites whose tombstone came, went or says something else."""
    old, new = (
        {name: replace(stone, file="", line=0) for name, stone in catalogue.tombstones.items()}
        for catalogue in (before, after)
    )
    return {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}


def _differs(before: SiteSpec | None, after: SiteSpec) -> bool:
    # Files parsed once are shared between catalogues, so nearly every spec is the very same object.
    if before is after:
        return False
    return before is None or replace(before, file="", line=0) != replace(after, file="", line=0)


def _zone_differs(before: DomainSpec | None, after: DomainSpec) -> bool:
    if before is after:
        return False
    return before is None or replace(before, file="", line=0) != replace(after, file="", line=0)


def _problems_differ(name: str, before: Catalogue, after: Catalogue) -> bool:
    return before.problems.get(name) != after.problems.get(name)


def with_content(sites: Iterable[SiteSpec], changed: frozenset[str]) -> frozenset[str]:
    """Names of the sites whose content, a folder of this repository, holds a changed path."""
    if not changed:
        return frozenset()
    folders: defaultdict[str, list[str]] = defaultdict(list)
    for spec in sites:
        if not spec.content.git:
            folders[spec.content.path].append(spec.name)
    return frozenset(
        name for path in changed for folder in _ancestors(path) for name in folders.get(folder, ())
    )


def _ancestors(path: str) -> Iterator[str]:
    """The path itself (a folder may have been a file or a link) and every folder around it."""
    while path:
        yield path
        path = path.rpartition("/")[0]
