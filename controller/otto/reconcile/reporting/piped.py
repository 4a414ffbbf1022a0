"""Which commits a pipeline speaks for, and when the site itself is believed instead."""

from dataclasses import replace

from otto.model.forge import CommitState, Mark, Told

_MOST = 1000


class Piped:
    """Commits that pipelines are at: of each site and commit, what the site should be without it."""

    def __init__(self) -> None:
        self._wishes: dict[tuple[str, str], str] = {}

    def take(self, site: str, commit: str, wish: str) -> None:
        """A pipeline speaks for a commit from now on.

        Args:
            site: at which site.
            commit: the commit.
            wish: digest of what the site is to be without it.
        """
        self._wishes.setdefault((site, commit), wish)
        while len(self._wishes) > _MOST:
            del self._wishes[next(iter(self._wishes))]

    def leave(self, site: str, commit: str) -> None:
        """The site speaks for the commit from now on."""
        self._wishes.pop((site, commit), None)

    def settled(self, site: str, told: Told, now: Told, taken_back: frozenset[str]) -> Told:
        """What a pipeline says of a commit stands until the site serves by it, or was taken back from it.

        Args:
            site: which site.
            told: what was told until now.
            now: what the site's status says.
            taken_back: digests that the site was taken back from.
        """

        def mark(old: Mark | None, new: Mark | None) -> Mark | None:
            if old is None or new is None or old.commit != new.commit:
                return new
            wish = self._wishes.get((site, old.commit))
            serves = new.state is CommitState.SUCCESS and now.digest != wish
            return old if wish is not None and not serves and not taken_back - {wish} else new

        return replace(now, spec=mark(told.spec, now.spec), content=mark(told.content, now.content))
