"""Whether everything that should be Ready is: pure, over the board and the fleet."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from otto.cli.board import Row, why
from otto.model.problem import Problem
from otto.model.status import ConditionType, Phase, SiteStatus


class State(StrEnum):
    """What a site adds to the whole."""

    READY = "ready"
    COMING = "coming"  # not yet; it may still come
    STUCK = "stuck"  # it will not come without a person
    EXCUSED = "excused"  # nobody expects it


@dataclass(frozen=True, slots=True)
class Site:
    """One site's part, with the reason and what a person can do."""

    name: str
    state: State
    why: str = ""
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Expectation:
    """Every site's part.

    Attributes:
        sites: by name.
        loose: problems of spec files that belong to no known site.
        unread: why nothing is known of the sites yet.
        unsigned: what newer thing is not deployed since nobody known has signed it.
    """

    sites: tuple[Site, ...] = ()
    loose: tuple[Problem, ...] = ()
    unread: str = ""
    unsigned: str = ""

    @classmethod
    def of_unread_source(cls, error: str) -> "Expectation":
        """What to expect before the repository was read for the first time."""
        return cls((), (), f"the repository of specs was not read yet{f': {error}' if error else ''}")

    @property
    def settled(self) -> bool:
        """Whether nothing more comes by itself."""
        return not self.unread and all(site.state is not State.COMING for site in self.sites)

    @property
    def fulfilled(self) -> bool:
        """Whether every site that should be Ready is, and every spec could be read."""
        good = all(site.state in (State.READY, State.EXCUSED) for site in self.sites)
        refused = bool(self.unsigned) and not self.sites
        return good and not (self.loose or self.unread or refused)

    def of(self, *states: State) -> list[Site]:
        """Sites in one of these states."""
        return [site for site in self.sites if site.state in states]


def expect(
    rows: Iterable[Row],
    wanted: Iterable[str],
    problems: Mapping[str, tuple[Problem, ...]],
    loose: tuple[Problem, ...] = (),
) -> Expectation:
    """What to expect of each site.

    Args:
        rows: what was seen of the sites since the start.
        wanted: sites that a spec in force wants.
        problems: why the newest spec of a site is not in force.
        loose: problems that belong to no known site.
    """
    seen = {row.site: row for row in rows}
    names = set(wanted)
    sites = [_wanted(name, seen.get(name)) for name in names]
    sites += [_never_valid(name, problems[name]) for name in problems.keys() - names]
    sites += [_unwanted(row) for name, row in seen.items() if name not in names | problems.keys()]
    return Expectation(tuple(sorted(sites, key=lambda site: site.name)), loose)


def _never_valid(name: str, problems: tuple[Problem, ...]) -> Site:
    why = f"its spec is bad, and there never was a good one: {problems[0] if problems else 'no reason given'}"
    return Site(name, State.STUCK, why, "correct it, commit and push (otto validate tells all problems)")


def _unwanted(row: Row) -> Site:
    if row.gone or row.status is None:
        return Site(row.site, State.EXCUSED, "no spec wants it")
    return Site(row.site, State.EXCUSED, row.message or "no spec wants it")


def _wanted(name: str, row: Row | None) -> Site:
    if row is None or row.status is None:
        return Site(name, State.COMING, "not looked at yet")
    if row.ready:
        return Site(name, State.READY, row.message)
    match row.phase:
        case Phase.SUSPENDED:
            return Site(name, State.EXCUSED, row.message)
        case Phase.DESTROYED:
            return Site(name, State.STUCK, "it was destroyed", f"otto resume {name}")
        case Phase.AWAITING_APPROVAL:
            return Site(name, State.STUCK, f"waits for approval: {row.message}", _approval(row.status))
    return Site(name, State.COMING, why(row.status))


def _approval(status: SiteStatus) -> str:
    allowed = status.conditions.get(ConditionType.ALLOWED.value)
    _, _, mend = (allowed.message if allowed else "").partition("to go on: ")
    return mend or f"otto plan {status.site}"
