"""What OttO makes of a push, told to the pusher in a few lines."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from otto.decide.catalogue import touched, untold, with_content
from otto.model.canonical import short
from otto.model.catalogue import Catalogue
from otto.model.declared import DeclaredHost
from otto.model.domain import DomainSpec, Record, is_zone
from otto.model.problem import Problem
from otto.model.spec import SiteSpec, Tombstone

_LINES = 60
_NAMES = 8


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a push means.

    Attributes:
        lines: for the pusher's terminal, printable ASCII.
        refusals: problems that this push brings or leaves in files it changes; with
            `source.rejectInvalid` they are the reason to refuse it.
        touched: names of the sites to look at.
    """

    lines: tuple[str, ...]
    refusals: tuple[Problem, ...]
    touched: frozenset[str]


def judge(before: Catalogue, after: Catalogue, changed: frozenset[str], *, refuse: bool = False) -> Judgement:
    """Compare the catalogues before and after a push.

    Args:
        before: the catalogue in force.
        after: the one of the pushed commit, `assemble`d with what is remembered.
        changed: every path that differs.
        refuse: whether a push with refusals is refused as a whole; changes only the words.
    """
    names = touched(before, after, changed)
    refusals = _refusals(before, after, changed)
    content = with_content(after.sites.values(), changed)
    lines = [*_head(after, names), *_sites(before, after, names, content)]
    lines += [*_machines(before, after), *_loose(after)]
    lines += [*_rest(after, names), *_end(names, refusals, refuse=refuse)]
    return Judgement(tuple(map(ascii_line, _cut(lines))), refusals, names)


def ascii_line(text: str, longest: int = 300) -> str:
    """Text as one printable ASCII line."""
    plain = "".join(
        character if " " <= character <= "~" else _escape(character) for character in text[:longest]
    )
    return plain[:longest]


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def _refusals(before: Catalogue, after: Catalogue, changed: frozenset[str]) -> tuple[Problem, ...]:
    old = set(_all(before))
    return tuple(
        sorted({problem for problem in _all(after) if problem.file in changed or problem not in old})
    )


def _all(catalogue: Catalogue) -> Iterator[Problem]:
    yield from catalogue.loose
    for problems in (*catalogue.problems.values(), *catalogue.host_problems.values()):
        yield from problems


def _head(after: Catalogue, names: frozenset[str]) -> Iterator[str]:
    known = {*after.sites, *after.domains, *after.problems}
    zones = sum(map(is_zone, known))
    total = _count(len(known) - zones, "site") + (f" and {_count(zones, 'zone')}" if zones else "")
    yield f"OttO: commit {short(after.commit, 8)}: {total}, {len(names)} concerned by this push"


def _sites(
    before: Catalogue, after: Catalogue, names: frozenset[str], content: frozenset[str]
) -> Iterator[str]:
    width = max((len(name) for name in names), default=0)
    for name in sorted(names):
        known = name in before.sites or name in before.domains or name in before.problems
        if name in after.problems:
            kept = "not used; its last good spec stays" if known else "not used until it is mended"
            yield f"  refused   {name:<{width}}  {kept}"
            yield from _listed(after.problems[name])
        elif name in after.sites:
            news = _what(before.sites.get(name), after.sites[name], known=known, content=name in content)
            yield f"  accepted  {name:<{width}}  {news}"
        elif name in after.domains:
            yield f"  accepted  {name:<{width}}  {_zone_news(before.domains.get(name), after.domains[name])}"
        elif name in after.tombstones:
            yield f"  tombstone {name:<{width}}  {_end_of(after.tombstones[name])}"
        elif known:
            words = "is Orphaned and keeps serving; to take it down: kind: Tombstone"
            if is_zone(name):
                words = f"is Orphaned and keeps its records; to remove OttO's: otto destroy {name}"
            yield f"  removed   {name:<{width}}  {words}"
        else:
            yield f"  tombstone {name:<{width}}  is taken back; with no spec the site is Orphaned"


def _machines(before: Catalogue, after: Catalogue) -> Iterator[str]:
    """What becomes of declared hosts."""
    for name in sorted({*before.hosts, *after.hosts, *after.host_problems}):
        if name in after.host_problems:
            if after.host_problems[name] != before.host_problems.get(name):
                yield f"  refused   host {name}  not used until it is mended; what was declared before stays"
                yield from _listed(after.host_problems[name])
        elif name not in after.hosts:
            yield f"  removed   host {name}  is left as it is, and watched no longer"
        elif name not in before.hosts or _declared(before, name) != _declared(after, name):
            serves = after.hosts[name].site
            yield f"  accepted  host {name}  {f'serves {serves}' if serves else 'is watched'}"


def _declared(catalogue: Catalogue, name: str) -> DeclaredHost:
    return replace(catalogue.hosts[name], file="", line=0)


def _zone_news(before: DomainSpec | None, after: DomainSpec) -> str:
    if after.suspend:
        return "suspended: nothing is changed until it is resumed"
    if before is None:
        return f"new, {_count(len(_records(after)), 'record')}"
    old, new = _records(before), _records(after)
    counts = (
        ("added", len(new.keys() - old.keys())),
        ("changed", sum(old[key] != new[key] for key in old.keys() & new.keys())),
        ("removed", len(old.keys() - new.keys())),
    )
    words = [f"{_count(count, 'record')} {what}" for what, count in counts if count]
    words += ["nameservers changed"] if before.nameservers != after.nameservers else []
    return ", ".join(words) or "changed"


def _records(spec: DomainSpec) -> dict[tuple[str, str], Record]:
    """Records as people write them: one that follows a site is one, though it stands for A and AAAA."""
    return {(record.name, (record.site and "site") or record.type): record for record in spec.records}


def _end_of(stone: Tombstone) -> str:
    when = f" at {stone.at:%Y-%m-%d %H:%M} UTC" if stone.at else ""
    return f"{stone.site} will be taken down{when}: {stone.reason}"


def _what(before: SiteSpec | None, after: SiteSpec, *, known: bool, content: bool) -> str:
    if after.suspend:
        return "suspended: nothing is changed until it is resumed"
    waits = f", after {', '.join(after.depends_on)}" if after.depends_on else ""
    if before is None:
        return ("its spec is good again" if known else "new") + waits
    changes = [words for words, differs in _changes(before, after) if differs]
    return ", ".join([*changes, *(["content changed"] if content else [])]) + waits


def _changes(before: SiteSpec, after: SiteSpec) -> Sequence[tuple[str, bool]]:
    return (
        (f"web {before.web.count} -> {after.web.count}{_empty(after)}", before.web.count != after.web.count),
        (
            f"balancer {before.balancer.count} -> {after.balancer.count}",
            before.balancer.count != after.balancer.count,
        ),
        (f"provider {before.provider} -> {after.provider}", before.provider != after.provider),
        ("size or image changed", _hardware(before) != _hardware(after)),
        ("algorithm changed", before.algorithm != after.algorithm),
        ("domains changed", before.domains != after.domains),
        ("content moved", before.content.place != after.content.place),
        ("content validation changed", before.content.validate != after.content.validate),
        ("checks changed", before.checks != after.checks),
        ("policy changed", before.policy != after.policy),
        ("dependencies changed", before.depends_on != after.depends_on),
        ("resumed", before.suspend and not after.suspend),
        ("labels changed", before.labels != after.labels),
    )


def _empty(spec: SiteSpec) -> str:
    return "" if spec.web.count else " (then it serves nothing)"


def _hardware(spec: SiteSpec) -> tuple[str, ...]:
    return (spec.web.size, spec.web.image, spec.balancer.size, spec.balancer.image)


def _listed(problems: Iterable[Problem]) -> Iterator[str]:
    for problem in problems:
        yield f"    {problem}"


def _loose(after: Catalogue) -> Iterator[str]:
    rest = untold(after)
    if rest:
        yield "  refused   without a site's name"
        yield from _listed(rest)


def _rest(after: Catalogue, names: frozenset[str]) -> Iterator[str]:
    untouched = len(after.sites.keys() - names)
    old = sorted(after.problems.keys() - names)
    if untouched:
        yield f"  {_count(untouched, 'other site')} untouched"
    if old:
        shown = ", ".join(old[:_NAMES]) + (", ..." if len(old) > _NAMES else "")
        yield f"  still refused from before: {shown}"


def _end(names: frozenset[str], refusals: Sequence[Problem], *, refuse: bool) -> Iterator[str]:
    if refuse and refusals:
        yield "The push is refused: mend the problems above and push again."
    elif names:
        yield "Watch it: otto status --watch"
    elif not refusals:
        yield "Nothing to do."


def _cut(lines: list[str]) -> list[str]:
    if len(lines) <= _LINES:
        return lines
    more = f"  ... {len(lines) - _LINES} more lines: otto status"
    return [*lines[: _LINES - 1], more, lines[-1]]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
