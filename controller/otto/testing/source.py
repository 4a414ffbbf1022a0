"""A repository of specs in memory, and specs that need no parser."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from otto.decide.content import reading
from otto.decide.content.together import inspection
from otto.model.canonical import canonical, digest
from otto.model.catalogue import Entry, SpecFile
from otto.model.domain import DomainSpec, is_zone
from otto.model.errors import OttoError, TerminalError
from otto.model.inspection import Inspection
from otto.model.problem import Problem
from otto.model.reading import read
from otto.model.signature import GitObject, TagRef
from otto.model.spec import Content, SiteSpec, Tombstone
from otto.ports import Moved
from otto.testing.failures import Failures

Files = Mapping[str, str | bytes | None]


class MemorySource:
    """Port `Source` over commits made by a test.

    `failures` knows `fetch`, `content`, `inspect` and `archive`.

    Attributes:
        head: the newest commit, None before the first.
        remotes: (url, ref) -> files, for content that lives in another repository.
        links: paths that are symbolic links.
        authors: commit -> who wrote it.
        fetched: every fetch of a content repository, (url, ref).
        away: url -> why it cannot be reached now; what was seen of it last stays.
        signed: commit -> who signed it, for `MemoryVouching`.
    """

    def __init__(self, folder: str = "specs") -> None:
        self.retained: frozenset[str] = frozenset()
        self._folder = folder
        self._commits: dict[str, dict[str, str]] = {}
        self._blobs: dict[str, bytes] = {}
        self._trees: dict[str, dict[str, bytes]] = {}
        self.head: str | None = None
        self._known: dict[tuple[str, str], str] = {}
        self.remotes: dict[tuple[str, str], Mapping[str, bytes]] = {}
        self.links: set[str] = set()
        self.authors: dict[str, str] = {}
        self.signed: dict[str, str] = {}
        self.failures = Failures()
        self.fetched: list[tuple[str, str]] = []
        self.away: dict[str, str] = {}
        self._held: dict[tuple[str, str], Mapping[str, bytes]] = {}
        self._fresh: dict[tuple[str, str], str] = {}
        self._seen: dict[tuple[str, str], str] = {}
        self._listeners: list[Moved] = []

    def commit(self, files: Files) -> str:
        """Commit files over the newest commit; None removes one. Returns the commit's id."""
        self.head = self.propose(files)
        return self.head

    def propose(self, files: Files, base: str | None = None) -> str:
        """Commit files over the newest commit, or another, as a proposal does: the branch stays."""
        base = base or self.head
        tree = dict(self._commits[base]) if base else {}
        for path, data in files.items():
            tree.pop(path, None)
            if data is not None:
                tree[path] = self._keep(data.encode() if isinstance(data, str) else data)
        commit = digest([base, len(self._commits), tree])[:40]
        self._commits[commit] = tree
        return commit

    def rewind(self, commit: str) -> None:
        """Force the branch back to an earlier commit."""
        self.head = commit

    async def fetch(self) -> str | None:
        """The newest commit."""
        await self.failures.meet("fetch")
        return self.head

    def entries(self, commit: str) -> Mapping[str, Entry]:
        """Spec files of a commit by path."""
        return {
            path: Entry(path, blob, len(self._blobs[blob]), path in self.links)
            for path, blob in sorted(self._commits[commit].items())
            if path.startswith(f"{self._folder}/") and path.endswith((".yaml", ".yml"))
        }

    def changed(self, before: str, after: str) -> frozenset[str]:
        """Paths that differ between two commits."""
        old, new = self._commits.get(before, {}), self._commits[after]
        return frozenset(path for path in old.keys() | new.keys() if old.get(path) != new.get(path))

    def read(self, blob: str) -> bytes:
        """Bytes of a blob."""
        return self._blobs[blob]

    async def content(self, commit: str, content: Content) -> str:
        """Id of the tree that a site's content resolves to."""
        await self.failures.meet("content")
        prefix = f"{content.path.strip('/')}/" if content.path.strip("/.") else ""
        if content.git:
            return self._resolved(content, self._remote(content), prefix)
        if (commit, prefix) not in self._known:
            self._known[commit, prefix] = self._resolved(content, self._checkout(commit), prefix)
        return self._known[commit, prefix]

    def _resolved(self, content: Content, whole: Mapping[str, bytes], prefix: str) -> str:
        files = {path.removeprefix(prefix): data for path, data in whole.items() if path.startswith(prefix)}
        if not files:
            raise TerminalError(
                f"there is no folder {content.path!r}", mend="commit it, or correct spec.content"
            )
        tree = digest({path: data.hex() for path, data in files.items()})[:40]
        self._trees[tree] = files
        return tree

    def author(self, commit: str) -> str:
        """Who wrote a commit."""
        return self.authors.get(commit, "")

    def expire(self, git: str) -> None:
        """Have the next `content` out of this repository count as a fetch."""
        for known in [key for key in self._fresh if key[0] == git]:
            del self._fresh[known]

    def on_moved(self, listener: Moved) -> None:
        """Have a listener hear when content of a repository is another than the last time."""
        self._listeners.append(listener)

    def revision(self, content: Content) -> str:
        """A commit made up from what the repository holds now; "" for content in this one."""
        known = self.remotes.get((content.git, content.ref))
        return "" if known is None else digest({path: data.hex() for path, data in known.items()})[:40]

    def object(self, identity: str) -> GitObject:
        """A commit as git would store it; signed with what `signed` holds for it."""
        if identity not in self._commits:
            raise TerminalError(f"the repository holds no object {identity}")
        at = 1_700_000_000 + list(self._commits).index(identity)
        who = f"A Person <person@example.org> {at} +0000"
        text = self.signed.get(identity, "")
        block = f"-----BEGIN SSH SIGNATURE-----\n {text}\n -----END SSH SIGNATURE-----"
        lines = (
            f"tree {identity}",
            f"author {who}",
            f"committer {who}",
            *([f"gpgsig {block}"] if text else []),
        )
        return GitObject(identity, "commit", ("\n".join(lines) + "\n\nchange\n").encode())

    def tags(self) -> tuple[TagRef, ...]:
        """There are none here."""
        return ()

    def reaches(self, commit: str, earlier: str) -> bool:
        """Whether a commit was made after an earlier one; there is one line of them here."""
        order = list(self._commits)
        return order.index(earlier) <= order.index(commit)

    def retain(self, commits: Iterable[str]) -> None:
        """Nothing is ever pruned here; `retained` tells what was asked for."""
        self.retained = frozenset(commits)

    async def inspect(self, content: str, domains: Iterable[str] = ()) -> Inspection:
        """What is wrong with the files of a tree, looked through anew each time."""
        await self.failures.meet("inspect")
        files = self.files(content)
        facts = {path: reading.facts(reading.kind(path), files[path]) for path in files if reading.kind(path)}
        return inspection(content, frozenset(files), facts, frozenset(domains))

    def stale(self, content: Content) -> str:
        """That it is gone, or what the test says: see `away`."""
        if not content.git:
            return ""
        gone = "" if (content.git, content.ref) in self.remotes else _gone(content)
        return self.away.get(content.git, gone)

    async def archive(self, content: str) -> Path:
        """A path that names the archive. No file is there: hosts in memory take content by its id."""
        await self.failures.meet("archive")
        return Path("archives") / f"{content}.tar"

    def files(self, tree: str) -> Mapping[str, bytes]:
        """Files of a tree by path; none when nothing resolved to it."""
        return self._trees.get(tree, {})

    def has(self, path: str) -> bool:
        """Whether the newest commit has a file at that path."""
        return self.head is not None and path in self._commits[self.head]

    def _keep(self, data: bytes) -> str:
        blob = hashlib.sha256(data).hexdigest()[:40]
        self._blobs[blob] = data
        return blob

    def _checkout(self, commit: str) -> dict[str, bytes]:
        return {path: self._blobs[blob] for path, blob in self._commits[commit].items()}

    def _remote(self, content: Content) -> Mapping[str, bytes]:
        key = (content.git, content.ref)
        if content.git in self.away and key in self._held:
            return self._held[key]
        known = self.remotes.get(key)
        if known is None:
            raise TerminalError(_gone(content))
        self._held[key] = known
        self._note(content, digest({path: data.hex() for path, data in known.items()})[:40])
        return known

    def _note(self, content: Content, commit: str) -> None:
        """Take note of a look at a repository: a fetch where it is not known to be fresh, and a move."""
        key = (content.git, content.ref)
        before = self._seen.get(key)
        if key not in self._fresh or before != commit:
            self.fetched.append(key)
        self._fresh[key] = self._seen[key] = commit
        if before not in (None, commit):
            for listener in self._listeners:
                listener(content.git, content.ref, commit)


def _gone(content: Content) -> str:
    return f"there is no repository {content.git} with {content.ref or 'a default branch'}"


def spec_text(*documents: SiteSpec | DomainSpec | Tombstone) -> str:
    """Specs of sites and zones, and tombstones, as `MemorySpecs` reads them."""
    return canonical([replace(document, file="", line=0) for document in documents])


class MemorySpecs:
    """Port `Specs` for files written by `spec_text`; anything else is a problem of its file.

    A document with a `site` is a tombstone, one whose `name` holds a dot a zone; one that is no spec but has
    a `name` is a bad spec of that.
    """

    def parse(self, path: str, data: bytes) -> SpecFile:
        """Read one file."""
        try:
            documents = json.loads(data)
        except ValueError as error:
            return SpecFile(path, problems=(Problem(path, 1, 1, "", f"cannot be read: {error}"),))
        sites: list[SiteSpec] = []
        stones: list[Tombstone] = []
        zones: list[DomainSpec] = []
        problems: list[Problem] = []
        names: list[str] = []
        for number, document in enumerate(documents if isinstance(documents, list) else [documents]):
            fields = document if isinstance(document, dict) else {}
            name = fields.get("name") or fields.get("site") or ""
            names += [name] if name else []
            try:
                if is_zone(name):
                    zones.append(_placed(replace(read(DomainSpec, document), file=path, line=1)))
                elif "site" in fields:
                    stones.append(replace(read(Tombstone, document), file=path, line=1))
                else:
                    sites.append(replace(read(SiteSpec, document), file=path, line=1))
            except OttoError as error:
                problems.append(Problem(path, 1, 1, f"/{number}", error.message, site=name))
        return SpecFile(path, tuple(sites), tuple(problems), tuple(names), tuple(stones), tuple(zones))


def _placed(spec: DomainSpec) -> DomainSpec:
    """With the records in their order."""
    return replace(spec, records=tuple(sorted(spec.records, key=lambda record: record.key)))
