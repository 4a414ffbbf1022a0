"""What is known of every site between two looks. All of it can be seen again; none of it is kept."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from otto.decide.signs import Key
from otto.model.desired import Desired
from otto.model.host import Host
from otto.model.infrastructure import ResourceChange
from otto.model.observed import Applied, InfrastructureState
from otto.model.sign import Sign

# One look takes what was noted before it; more than this says nothing more.
_MOST_SIGNS = 50


@dataclass(slots=True)
class Watched:
    """A site that is watched.

    Attributes:
        desired: what it should be, as of the last look.
        applied: what was in place then.
        state: its hosts as of then.
        at: when that look ended.
        known: differences that the last look, or a glance since, has told already.
        heard: those of them that hosts told of themselves, last.
        glimpsed: what the last glance saw.
    """

    desired: Desired
    applied: Applied
    state: InfrastructureState
    at: datetime
    known: frozenset[Key]
    heard: frozenset[Key] = frozenset()
    glimpsed: frozenset[Key] = frozenset()

    @property
    def hosts(self) -> tuple[Host, ...]:
        """Its hosts as of then."""
        return self.state.hosts


@dataclass(slots=True)
class _Signs:
    noted: dict[tuple[str, str, str], Sign] = field(default_factory=dict)
    meanwhile: list[Sign] = field(default_factory=list)


class Sightings:
    """Remembers sites, signs, and what Terraform last found changed."""

    def __init__(self) -> None:
        self._watched: dict[str, Watched] = {}
        self._signs: dict[str, _Signs] = {}
        self._working: set[str] = set()
        self.refreshed: dict[str, tuple[ResourceChange, ...]] = {}

    def watch(self, watched: Watched) -> None:
        """Watch a site from now on, by what the last look found."""
        self._watched[watched.desired.site] = watched

    def unwatch(self, site: str) -> Watched | None:
        """Watch a site no longer; what was known of it."""
        self._signs.pop(site, None)
        self.refreshed.pop(site, None)
        return self._watched.pop(site, None)

    def watched(self, site: str) -> Watched | None:
        """A site that is watched, None when it is not, or is being worked on now."""
        return None if site in self._working else self._watched.get(site)

    def last(self, site: str) -> Watched | None:
        """What the last look found, whether or not the site is being worked on."""
        return self._watched.get(site)

    def is_working(self, site: str) -> bool:
        """Whether the site is being worked on."""
        return site in self._working

    def sites(self) -> tuple[str, ...]:
        """All sites that are watched, by name."""
        return tuple(sorted(self._watched))

    def note(self, site: str, sign: Sign) -> bool:
        """Keep a sign for the next look; False while the site is worked on, which then may have caused it."""
        kept = self._signs.setdefault(site, _Signs())
        if site in self._working:
            kept.meanwhile = [*kept.meanwhile[-_MOST_SIGNS:], sign]
            return False
        if len(kept.noted) < _MOST_SIGNS:
            kept.noted.setdefault(sign.key, sign)
        return True

    def keep(self, site: str, signs: tuple[Sign, ...]) -> None:
        """Put signs back that a look took and did nothing about: the next one goes on from them."""
        kept = self._signs.setdefault(site, _Signs())
        kept.noted = {sign.key: sign for sign in signs} | kept.noted

    def take(self, site: str) -> tuple[Sign, ...]:
        """The signs noted since the last look, oldest first; they are a look's to deal with now."""
        kept = self._signs.get(site)
        if kept is None:
            return ()
        noted = sorted(kept.noted.values(), key=lambda sign: sign.at)
        kept.noted = {}
        return tuple(noted)

    def disturbed(self, site: str, hosts: Iterable[Host]) -> bool:
        """Whether something happened to one of these hosts since the work on the site began."""
        kept = self._signs.get(site)
        ids = {host.id for host in hosts}
        return kept is not None and any(sign.id in ids for sign in kept.meanwhile)

    @contextmanager
    def working(self, site: str) -> Iterator[list[Sign]]:
        """While the site is worked on. The list holds, at the end, what was noted meanwhile."""
        meanwhile: list[Sign] = []
        self._working.add(site)
        try:
            yield meanwhile
        finally:
            self._working.discard(site)
            kept = self._signs.get(site)
            if kept is not None:
                meanwhile += kept.meanwhile
                kept.meanwhile = []
