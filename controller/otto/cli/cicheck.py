"""What `otto ci validate` looks at: the specs of a commit, their content, and what would change."""

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from otto.adapters.git.access import Access, Keyring
from otto.adapters.git.checkout import Checkout
from otto.adapters.git.content import ContentLimits
from otto.adapters.specs import YamlSpecs, parse_fleet_policy
from otto.config import Settings
from otto.decide import remarks
from otto.decide.catalogue import assemble, unreadable
from otto.decide.pushed import judge
from otto.model.catalogue import Catalogue, SpecFile
from otto.model.errors import OttoError, UsageError
from otto.model.inspection import Validation
from otto.model.policy import FleetPolicy
from otto.model.remark import Remark, Report
from otto.model.spec import SiteSpec

_MOST_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for.

    Attributes:
        path: a folder of the repository.
        base: branch or commit to compare with, "" for none.
        policy: file of the fleet's policy, None for the default one.
        fetch: whether content in other repositories is fetched and looked at.
        strict: whether broken content fails whatever its spec says.
        cache: folder that keeps what is known of files; None keeps nothing.
    """

    path: Path
    base: str = ""
    policy: Path | None = None
    fetch: bool = False
    strict: bool = False
    cache: Path | None = None


def check(wish: Wish, settings: Settings) -> Report:
    """Look at the commit that is checked out.

    Raises:
        UsageError: there is no such repository or commit, or the policy cannot be read.
    """
    with _cache(wish.cache) as cache:
        return _Check(wish, settings, _checkout(wish.path, cache, settings)).report()


@contextmanager
def _cache(folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        yield folder.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="otto-ci-", ignore_cleanup_errors=True) as made:
        yield Path(made)


def _checkout(path: Path, cache: Path, settings: Settings) -> Checkout:
    source, content = settings.source, settings.content
    host = urlsplit(source.url).hostname
    hosts = {host: Access(token=source.token)} if host and source.token else {}
    return Checkout(
        path,
        cache,
        folder=source.path,
        keyring=Keyring(hosts=hosts),
        limits=ContentLimits(content.maxFiles, content.maxBytes, content.maxFileBytes),
        timeout=content.inspectTimeout,
    )


class _Check:
    """One look at one commit."""

    def __init__(self, wish: Wish, settings: Settings, checkout: Checkout) -> None:
        self._wish = wish
        self._folder = settings.source.path
        self._checkout = checkout
        self._specs = YamlSpecs()
        self._remarks: list[Remark] = []
        self._notes: list[str] = []

    def report(self) -> Report:
        """All that is to say."""
        head = self._checkout.commit("HEAD")
        files = self._files(head)
        if not files:
            self._notes.append(f"there are no specs below {self._folder}/ in this commit")
        if changed := self._checkout.uncommitted():
            self._notes.append(f"{changed} uncommitted files were not looked at")
        policy = self._policy()
        base, before = self._before(head)
        after = assemble(head, files, before.sites, before.domains, before.hosts)
        self._remarks += (*remarks.of_catalogue(after), *remarks.of_names(after))
        changes: tuple[str, ...] = ()
        if base:
            changes = _changes(base, judge(before, after, self._checkout.changed(base, head)).lines)
            self._remarks += remarks.of_change(before, after, policy.collapse)
        asyncio.run(self._look_at_content(head, after))
        found, sites = remarks.ordered(self._remarks), tuple(sorted(after.sites))
        return Report(head, base, tuple(sorted(files)), sites, found, changes, tuple(self._notes))

    def _files(self, commit: str) -> dict[str, SpecFile]:
        return {
            path: unreadable(entry) or self._specs.parse(path, self._checkout.read(entry.blob))
            for path, entry in self._checkout.entries(commit).items()
        }

    def _before(self, head: str) -> tuple[str, Catalogue]:
        """The commit that is compared with, and its specs: what the change would be merged into."""
        if not self._wish.base:
            return "", Catalogue()
        base = self._checkout.fork(self._checkout.commit(self._wish.base), head)
        return base, assemble(base, self._files(base))

    def _policy(self) -> FleetPolicy:
        path = self._wish.policy
        if path is None:
            return FleetPolicy()
        try:
            with path.open("rb") as stream:
                data = stream.read(_MOST_BYTES)
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror}") from error
        policy, problems = parse_fleet_policy(str(path), data)
        self._remarks += map(remarks.of_problem, problems)
        return policy or FleetPolicy()

    async def _look_at_content(self, commit: str, after: Catalogue) -> None:
        for spec in after.sites.values():
            if spec.content.git and not self._wish.fetch:
                place = f"{spec.content.git} at {spec.content.ref}"
                self._notes.append(f"content of {spec.name} was not looked at: {place} (--fetch fetches it)")
                continue
            try:
                await self._look_at(commit, spec)
            except OttoError as error:
                self._remarks.append(remarks.of_refused(spec, error))

    async def _look_at(self, commit: str, spec: SiteSpec) -> None:
        tree = await self._checkout.content(commit, spec.content)
        if spec.content.validate is Validation.IGNORE and not self._wish.strict:
            return
        found = await self._checkout.inspect(tree, spec.domains)
        self._remarks += remarks.of_inspection(spec, found, strict=self._wish.strict)


def _changes(base: str, lines: Sequence[str]) -> tuple[str, ...]:
    """What a merge would change, of what a pusher would be told: problems are remarks already."""
    told = tuple(line for line in lines if line.startswith("  ") and not line.startswith("    "))
    return (f"against {base[:8]}:", *told) if told else (f"against {base[:8]}: no site changes",)
