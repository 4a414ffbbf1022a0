"""What a forge was told of each site, kept in the store: nothing is told twice, whoever starts anew."""

import json

from otto.model.canonical import to_data
from otto.model.errors import OttoError
from otto.model.forge import Mark, Told
from otto.model.reading import read
from otto.ports import Store

_KEY = "forge.site."
SPEC, CONTENT = "spec", "content"


class Memory:
    """Remembers.

    Args:
        store: where it is kept.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sent: dict[str, Told] = {}

    async def load(self, site: str) -> Told:
        """What was told of a site, by earlier starts too."""
        if site not in self._sent:
            text = await self._store.value(_KEY + site)
            try:
                self._sent[site] = read(Told, json.loads(text)) if text else Told()
            except (OttoError, ValueError):
                self._sent[site] = Told()  # what another version wrote: told once more
        return self._sent[site]

    def mark(self, site: str, track: str) -> Mark | None:
        """What was told of the commit of one repository."""
        return mark_of(self._sent.get(site, Told()), track)

    def deployment(self, site: str, track: str, commit: str) -> str:
        """The forge's id of the deployment of a commit, "" where there is none yet."""
        last = self.mark(site, track)
        same = last is not None and last.commit == commit
        return self._sent[site].deployments.get(track, "") if same else ""

    async def keep(self, site: str, digest: str, track: str, mark: Mark, deployment: str) -> None:
        """Keep what was told.

        Args:
            site: of which site.
            digest: the site's wish.
            track: of which repository, `SPEC` or `CONTENT`.
            mark: what was told.
            deployment: the forge's id of the deployment, "" for none.
        """
        sent = self._sent.get(site, Told())
        there = deployment or self.deployment(site, track, mark.commit)
        others = {name: known for name, known in sent.deployments.items() if name != track}
        kept = others | ({track: there} if there else {})
        spec, content = (mark, sent.content) if track == SPEC else (sent.spec, mark)
        self._sent[site] = Told(digest, spec, content, kept)
        await self._store.set_value(_KEY + site, json.dumps(to_data(self._sent[site])))

    async def forget(self, site: str) -> None:
        """Drop a site that is gone."""
        self._sent.pop(site, None)
        await self._store.set_value(_KEY + site, "")


def mark_of(told: Told, track: str) -> Mark | None:
    """The mark of one repository."""
    return told.spec if track == SPEC else told.content
