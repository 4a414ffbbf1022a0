"""All sites that a commit touches: one status for the commit, and none for each where they are too many."""

import json
from dataclasses import dataclass, field

from otto.decide import reports
from otto.model.canonical import to_data
from otto.model.forge import CommitState, CommitStatus, Mark
from otto.model.reading import read
from otto.ports import Forge
from otto.reconcile.kit import Kit
from otto.reconcile.reporting.letter import Letter
from otto.reconcile.reporting.outbox import Outbox

_KEY = "forge.commit"
_EXPECTED = "forge.expected"
_COMMITS = 4


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push touches: sites, and so many problems in files that are no site's."""

    commit: str
    sites: frozenset[str]
    loose: int = 0


@dataclass(slots=True)
class _Sites:
    """The sites of one commit; `pushed` when it is known which these are, `loose` files that are nobody's."""

    marks: dict[str, Mark] = field(default_factory=dict)
    expected: frozenset[str] = frozenset()
    pushed: bool = False
    loose: int = 0


class Crowd:
    """Counts, and tells of a commit as a whole under the context's plain name.

    Args:
        kit: the ports.
        forge: who is told.
        repository: the spec repository's name there, "" when it lives elsewhere.
        outbox: what waits to be told.
    """

    def __init__(self, kit: Kit, forge: Forge, repository: str, outbox: Outbox) -> None:
        self._kit = kit
        self._forge = forge
        self._repository = repository
        self._outbox = outbox
        self._commits: dict[str, _Sites] = {}
        self._said: tuple[str, str, str] = ("", "", "")

    async def load(self) -> None:
        """What was said last by an earlier start."""
        text = await self._kit.store.value(_KEY)
        data = json.loads(text) if text else None
        if isinstance(data, list) and [type(item) for item in data] == [str] * 3:
            self._said = (data[0], data[1], data[2])

        text = await self._kit.store.value(_EXPECTED)
        if text:
            pushed = read(Pushed, json.loads(text))
            self._expect(pushed)

    async def expect(self, commit: str, sites: frozenset[str], loose: int = 0) -> None:
        """A commit was pushed that touches these sites, and holds files with problems that are no site's."""
        pushed = Pushed(commit, sites, loose)
        self._expect(pushed)
        # Kept as a whole, once: of thousands of sites none is kept by itself before its end.
        await self._kit.store.set_value(_EXPECTED, json.dumps(to_data(pushed)))

    def _expect(self, pushed: Pushed) -> None:
        known = self._of(pushed.commit)
        known.expected, known.pushed, known.loose = pushed.sites, True, pushed.loose

    def note(self, site: str, mark: Mark) -> None:
        """How a commit fares at a site."""
        self._of(mark.commit).marks[site] = mark

    def mark(self, site: str, commit: str) -> Mark | None:
        """How a commit fares at a site, None when that is not known."""
        known = self._commits.get(commit)
        return known.marks.get(site) if known else None

    def crowded(self, commit: str) -> bool:
        """Whether it touches too many sites to be told of each."""
        known = self._commits.get(commit)
        return known is not None and len(known.marks.keys() | known.expected) > self._kit.forging.sites

    def word(self, commit: str) -> CommitStatus | None:
        """How a commit fares, None while nothing is known of it."""
        known = self._commits.get(commit)
        if known is None or not self._repository or not (known.marks or known.pushed):
            return None
        state, words = reports.together(known.marks, known.loose, known.expected)
        return CommitStatus(self._repository, commit, self._kit.forging.context, CommitState(state), words)

    def tell(self, commit: str) -> None:
        """Have it said how a commit fares, if that is news."""
        word = self.word(commit)
        if word is None:
            return
        news = (commit, word.state.value, word.description)
        if news == self._said:
            return
        self._said = news

        async def done(_: str) -> None:
            await self._kit.store.set_value(_KEY, json.dumps(news))

        self._outbox.put(f"{word.repository} {commit} {word.context}", Letter(self._forge, word, done=done))

    def _of(self, commit: str) -> _Sites:
        if commit not in self._commits:
            self._commits[commit] = _Sites()
            while len(self._commits) > _COMMITS:
                del self._commits[next(iter(self._commits))]
        return self._commits[commit]
