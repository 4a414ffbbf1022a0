"""Every site and zone there is a spec for, and which spec is in force."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from otto.decide.catalogue import assemble, touched, unreadable
from otto.model.canonical import to_data
from otto.model.catalogue import Catalogue, Entry, RememberedDomain, RememberedSpec, SpecFile
from otto.model.declared import DeclaredHost
from otto.model.domain import DomainSpec, is_zone
from otto.model.problem import Problem
from otto.model.reading import read
from otto.model.spec import SiteSpec, Tombstone
from otto.model.status import Phase
from otto.ports import Source, Specs, Store
from otto.reconcile.freezing import Freezer

_COMMIT = "source.commit"
_HOSTS = "hosts.declared"
# A site that no spec wants, or that a person took down, is not lost once more by the next commit.
_GONE = frozenset({Phase.ORPHANED, Phase.DESTROYED, Phase.DESTROYING})


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a new commit made of the fleet: the catalogues around it, and the sites and zones it touches."""

    before: Catalogue
    after: Catalogue
    changed: frozenset[str]
    touched: frozenset[str]


class Fleet:
    """Keeps the catalogue of the newest commit, and of each site and zone the last good spec.

    A file is parsed once for each blob it ever is; a commit costs what it changes.
    """

    def __init__(self, source: Source, specs: Specs, store: Store, freezer: Freezer) -> None:
        self._source = source
        self._specs = specs
        self._store = store
        self._freezer = freezer
        self._lost: frozenset[str] = frozenset()
        self._files: dict[str, tuple[str, SpecFile]] = {}
        self._remembered: dict[str, RememberedSpec] = {}
        self._zones: dict[str, RememberedDomain] = {}
        self._machines: dict[str, DeclaredHost] = {}
        self.catalogue = Catalogue()
        # Site -> those that wait for it, of one catalogue.
        self._waiting: tuple[Catalogue, Mapping[str, list[str]]] = (self.catalogue, {})
        self.seen_at: datetime | None = None

    async def load(self) -> None:
        """Read the last good specs from the store, so that a bad spec at start holds nobody up."""
        self._remembered = dict(await self._store.remembered())
        self._zones = dict(await self._store.remembered_domains())
        self._machines = _machines(await self._store.value(_HOSTS))
        gone = {status.site for status in await self._store.statuses() if status.phase in _GONE}
        self._lost = frozenset(gone & {*self._remembered, *self._zones})
        await self._freezer.load()

    def names(self) -> frozenset[str]:
        """Every site and zone that has, or had, a spec, good or bad."""
        catalogue = self.catalogue
        wanted = {*catalogue.sites, *catalogue.domains, *catalogue.problems}
        return frozenset({*wanted, *self._remembered, *self._zones})

    def hosts_in_force(self) -> Mapping[str, DeclaredHost]:
        """Every declared host that counts: the newest declaration, or the last good one while that is bad."""
        if not self.catalogue.commit:
            return self._machines
        kept = {name: self._machines[name] for name in self.catalogue.host_problems if name in self._machines}
        return {**kept, **self.catalogue.hosts}

    def declared(self, site: str) -> tuple[DeclaredHost, ...]:
        """The declared hosts that serve a site, by name."""
        found = self.hosts_in_force()
        return tuple(found[name] for name in sorted(found) if found[name].site == site)

    def wants(self, name: str) -> bool:
        """Whether a spec that counts wants a site or zone of that name."""
        found = self.domain(name) if is_zone(name) else self.in_force(name)
        return found is not None

    def domains_in_force(self) -> Mapping[str, DomainSpec]:
        """Every zone's spec that counts."""
        if not self.catalogue.commit:
            return {name: item.spec for name, item in self._zones.items() if name not in self._lost}
        kept = {name: self._zones[name].spec for name in self.catalogue.problems if name in self._zones}
        # The same mapping, as long as it does: this is asked at every look at a site.
        return {**kept, **self.catalogue.domains} if kept else self.catalogue.domains

    def domain(self, zone: str) -> RememberedDomain | None:
        """The spec of a zone that counts: the newest, or the last good one while the newest is bad.

        None when no spec wants the zone (any more). While the repository was not read yet, the last good
        specs are in force.
        """
        if not self.catalogue.commit:
            return self._zones.get(zone)
        spec = self.catalogue.domains.get(zone)
        if spec is not None:
            return RememberedDomain(spec, self.catalogue.commit)
        return self._zones.get(zone) if zone in self.catalogue.problems else None

    def last_good_domain(self, zone: str) -> RememberedDomain | None:
        """The last good spec, of a vanished zone too."""
        return self._zones.get(zone)

    def specs_in_force(self) -> Mapping[str, SiteSpec]:
        """Every site's spec that counts."""
        if not self.catalogue.commit:
            return {name: item.spec for name, item in self._remembered.items() if name not in self._lost}
        kept = {
            name: self._remembered[name].spec
            for name in self._kept(self.catalogue)
            if name in self._remembered
        }
        return {**kept, **self.catalogue.sites}

    def _kept(self, catalogue: Catalogue) -> frozenset[str]:
        """Sites without a good spec that keep their last one: it is bad, or vanished, or has a tombstone."""
        return frozenset({*catalogue.problems, *catalogue.tombstones, *self._freezer.held})

    def tombstone(self, site: str) -> Tombstone | None:
        """What says that a site is to be taken down, if something does."""
        return self.catalogue.tombstones.get(site)

    def tombstones(self) -> Mapping[str, Tombstone]:
        """All of them, by site."""
        return self.catalogue.tombstones

    def in_force(self, site: str) -> RememberedSpec | None:
        """The spec that counts: the newest, or the last good one while the newest is bad or lost.

        None when no spec wants the site (any more). While the repository was not read yet, the last
        good specs are in force: a remote that is away at start makes nobody an orphan.
        """
        known = self._known(site)
        declared = self.declared(site) if known is not None else ()
        return replace(known, declared=declared) if known is not None and declared else known

    def _known(self, site: str) -> RememberedSpec | None:
        if not self.catalogue.commit:
            return self._remembered.get(site)
        spec = self.catalogue.sites.get(site)
        if spec is not None:
            return RememberedSpec(spec, self.catalogue.commit)
        return self._remembered.get(site) if site in self._kept(self.catalogue) else None

    def last_good(self, site: str) -> RememberedSpec | None:
        """The last good spec, of a vanished site too."""
        return self._remembered.get(site)

    def problems(self, site: str) -> tuple[Problem, ...]:
        """Why the newest spec of a site or zone is not in force."""
        return self.catalogue.problems.get(site, ())

    def dependents(self, site: str) -> tuple[str, ...]:
        """Sites that wait for this one."""
        if self._waiting[0] is not self.catalogue:
            found: dict[str, list[str]] = {}
            for name, spec in self.catalogue.sites.items():
                for needed in spec.depends_on:
                    found.setdefault(needed, []).append(name)
            self._waiting = self.catalogue, found
        return tuple(self._waiting[1].get(site, ()))

    async def refresh(self, commit: str, now: datetime) -> Refreshed:
        """Move to a commit, first seen now; which sites and zones it touches."""
        before = self.catalogue
        after = self.preview(commit)
        changed = self._source.changed(before.commit, commit) if before.commit else frozenset()
        await self._review(after)
        names = (
            touched(before, after, changed) if before.commit else frozenset({*after.sites, *after.domains})
        )
        await self._remember(after, names)
        await self._store.set_value(_COMMIT, commit)
        # Last: whatever fails above is tried again with the next look, and no push is lost.
        self.catalogue = after
        self.seen_at = now if before.commit else None
        return Refreshed(before, after, changed, names)

    async def _review(self, after: Catalogue) -> None:
        """Before anything comes of a commit: whether so much is missing that nobody can have meant it."""
        kept = {name: self._remembered[name].spec for name in after.problems if name in self._remembered}
        await self._freezer.review(dict(self.specs_in_force()), after, kept)

    async def thawed(self) -> frozenset[str]:
        """Sites that were held until now, and that somebody let go in the meantime."""
        return await self._freezer.load()

    def preview(self, commit: str, source: Source | None = None) -> Catalogue:
        """The catalogue of a commit, without moving to it; read from another source if one is given."""
        files = self.files(commit, source)
        last_good = {name: known.spec for name, known in self._remembered.items()}
        zones = {name: known.spec for name, known in self._zones.items()}
        return assemble(commit, files, last_good, zones, self._machines)

    def files(self, commit: str, source: Source | None = None) -> Mapping[str, SpecFile]:
        """What each spec file of a commit says, by path; costs what differs from the last one."""
        source = source or self._source
        entries = source.entries(commit)
        files: dict[str, SpecFile] = {}
        for path, entry in entries.items():
            known = self._files.get(path)
            if known is None or known[0] != entry.blob:
                known = (entry.blob, self._parse(source, entry))
                self._files[path] = known
            files[path] = known[1]
        for path in self._files.keys() - entries.keys():
            del self._files[path]
        return files

    def compared(self, commit: str, source: Source) -> tuple[Catalogue, frozenset[str]]:
        """The catalogue of a commit that is not in force, and where it differs from the one that is.

        Before the first commit is in force all its spec files count as different.
        """
        after, known = self.preview(commit, source), self.catalogue.commit
        return after, source.changed(known, commit) if known else frozenset(source.entries(commit))

    def _parse(self, source: Source, entry: Entry) -> SpecFile:
        return unreadable(entry) or self._specs.parse(entry.path, source.read(entry.blob))

    async def _remember(self, after: Catalogue, names: frozenset[str]) -> None:
        good = [
            RememberedSpec(after.sites[name], after.commit) for name in sorted(names & after.sites.keys())
        ]
        if good:
            await self._store.remember(good)
        self._remembered.update({item.spec.name: item for item in good})
        await self._remember_zones(after, names)
        await self._remember_hosts(after)
        held = self._kept(after) & self._remembered.keys()
        # The newest commit may be one that is not deployed; the one in force has to stay too.
        self._source.retain({after.commit, *(self._remembered[name].commit for name in held)})

    async def _remember_hosts(self, after: Catalogue) -> None:
        kept = {name: spec for name, spec in self._machines.items() if name in after.host_problems}
        found = {**kept, **after.hosts}
        if found != self._machines:
            await self._store.set_value(_HOSTS, json.dumps([to_data(found[name]) for name in sorted(found)]))
        self._machines = found

    async def _remember_zones(self, after: Catalogue, names: frozenset[str]) -> None:
        found = sorted(names & after.domains.keys())
        good = [RememberedDomain(after.domains[name], after.commit) for name in found]
        if good:
            await self._store.remember_domains(good)
        self._zones.update({item.spec.name: item for item in good})

    def forget(self, name: str) -> None:
        """Drop a destroyed site, or a zone given up, that no spec wants."""
        self._remembered.pop(name, None)
        self._zones.pop(name, None)


def _machines(text: str | None) -> dict[str, DeclaredHost]:
    """The declared hosts that the store remembers."""
    found = [read(DeclaredHost, item) for item in json.loads(text)] if text else []
    return {spec.name: spec for spec in found}
