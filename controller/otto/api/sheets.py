"""Statuses of sites as JSON, made once for each version of each: a list of thousands costs what changed."""

from collections import OrderedDict
from collections.abc import Sequence

from otto.api.answers import encoded
from otto.decide.documents import site_document_of
from otto.model.register import Listed
from otto.ports import Store

_MOST = 64 * 1024**2


class Sheets:
    """Gives out statuses; belongs to the API's event loop.

    Args:
        store: where from.
        most: bytes that are kept; those that were asked for longest ago go first.
    """

    def __init__(self, store: Store, most: int = _MOST) -> None:
        self._store = store
        self._most = most
        self._kept: OrderedDict[str, tuple[int, bytes]] = OrderedDict()
        self._bytes = 0

    async def of(self, sites: Sequence[Listed]) -> list[bytes]:
        """Statuses, in the order of the sites; one that has gone in the meantime is left out."""
        found = {site.site: self._known(site) for site in sites}
        missing = [site for site, text in found.items() if text is None]
        if missing:
            for site, sheet in (await self._store.register.sheets(missing)).items():
                text = encoded(site_document_of(sheet.data, sheet.intents))
                self._keep(site, sheet.version, text)
                found[site] = text
        return [text for text in found.values() if text is not None]

    def _known(self, site: Listed) -> bytes | None:
        known = self._kept.get(site.site)
        if known is None or known[0] != site.version:
            return None
        self._kept.move_to_end(site.site)
        return known[1]

    def _keep(self, site: str, version: int, text: bytes) -> None:
        before = self._kept.pop(site, None)
        self._bytes += len(text) - (len(before[1]) if before else 0)
        self._kept[site] = (version, text)
        while self._bytes > self._most and len(self._kept) > 1:
            _, (_, gone) = self._kept.popitem(last=False)
            self._bytes -= len(gone)
