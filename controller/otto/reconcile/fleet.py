"""Every site there is a spec for, and which spec is in force."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from otto.decide.catalogue import assemble, touched, unreadable
from otto.model.catalogue import Catalogue, Entry, RememberedSpec, SpecFile
from otto.model.problem import Problem
from otto.model.spec import SiteSpec, Tombstone
from otto.model.status import Phase
from otto.ports import Source, Specs, Store
from otto.reconcile.freezing import Freezer

_COMMIT = "source.commit"
# A site that no spec wants, or that a person took down, is not lost once more by the next commit.
_GONE = frozenset({Phase.ORPHANED, Phase.DESTROYED, Phase.DESTROYING})


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a new commit made of the fleet: the catalogues around it and the sites it touches."""

    before: Catalogue
    after: Catalogue
    changed: frozenset[str]
    touched: frozenset[str]


class Fleet:
    """Keeps the catalogue of the newest commit, and of each site the last good spec.

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
        self.catalogue = Catalogue()
        self.seen_at: datetime | None = None

    async def load(self) -> None:
        """Read the last good specs from the store, so that a bad spec at start holds nobody up."""
        self._remembered = dict(await self._store.remembered())
        gone = {status.site for status in await self._store.statuses() if status.phase in _GONE}
        self._lost = frozenset(gone & self._remembered.keys())
        await self._freezer.load()

    def names(self) -> frozenset[str]:
        """Every site that has, or had, a spec, good or bad."""
        return frozenset({*self.catalogue.sites, *self.catalogue.problems, *self._remembered})

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
        """Why the newest spec of a site is not in force."""
        return self.catalogue.problems.get(site, ())

    def dependents(self, site: str) -> tuple[str, ...]:
        """Sites that wait for this one."""
        return tuple(name for name, spec in self.catalogue.sites.items() if site in spec.depends_on)

    async def refresh(self, commit: str, now: datetime) -> Refreshed:
        """Move to a commit, first seen now; which sites it touches."""
        before = self.catalogue
        after = self.preview(commit)
        changed = self._source.changed(before.commit, commit) if before.commit else frozenset()
        await self._review(after)
        names = touched(before, after, changed) if before.commit else frozenset(after.sites)
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
        last_good = {name: known.spec for name, known in self._remembered.items()}
        return assemble(commit, files, last_good)

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
        held = self._kept(after) & self._remembered.keys()
        # The newest commit may be one that is not deployed; the one in force has to stay too.
        self._source.retain({after.commit, *(self._remembered[name].commit for name in held)})

    def forget(self, site: str) -> None:
        """Drop a destroyed site that no spec wants."""
        self._remembered.pop(site, None)
