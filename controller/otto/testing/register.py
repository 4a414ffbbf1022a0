"""Sites, listed, in memory."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from otto.model.canonical import to_data
from otto.model.catalogue import RememberedDomain, RememberedSpec
from otto.model.register import Listed, Selection, Sheet
from otto.model.status import SiteStatus, pending
from otto.testing.clock import START
from otto.testing.failures import Failures


class MemoryRegister:
    """Port `Register` without a database. `failures` makes any of its methods raise.

    Args:
        statuses: the store's, by site.
        remembered: the store's last good specs, by site.
        domains: those of zones.
        intents: what people want of a site.
    """

    def __init__(
        self,
        statuses: Mapping[str, SiteStatus],
        remembered: Mapping[str, RememberedSpec],
        domains: Mapping[str, RememberedDomain],
        intents: Callable[[str], frozenset[str]],
    ) -> None:
        self._statuses = statuses
        self._remembered = remembered
        self._domains = domains
        self._intents = intents
        self._versions: dict[str, int] = {}
        self._count = 0
        self.failures = Failures()
        self.since: datetime = START

    def renew(self, site: str) -> None:
        """Give a site another version."""
        self._count += 1
        self._versions[site] = self._count

    def labels(self, site: str) -> Mapping[str, str] | None:
        """Labels of a site, None when there is none of that name."""
        known, status = self._spec(site), self._statuses.get(site)
        if known is not None:
            return known.spec.labels
        return status.labels if status else None

    async def listed(self, site: str) -> Listed | None:
        """One site, None when there is none of that name."""
        self.failures.strike("listed")
        labels = self.labels(site)
        return None if labels is None else Listed(site, self._versions.get(site, 0), labels)

    async def page(self, selection: Selection, *, after: str = "", limit: int = 100) -> tuple[Listed, ...]:
        """Sites by name, from behind `after` on."""
        self.failures.strike("page")
        names = sorted({*self._statuses, *self._remembered, *self._domains})
        fitting = [name for name in names if name > after and self._fits(name, selection)]
        return tuple(
            Listed(name, self._versions.get(name, 0), self.labels(name) or {}) for name in fitting[:limit]
        )

    async def count(self, selection: Selection) -> int:
        """How many sites are meant."""
        self.failures.strike("count")
        return len(await self.page(selection, limit=len(self._statuses) + len(self._remembered)))

    async def sheets(self, sites: Sequence[str]) -> Mapping[str, Sheet]:
        """What is kept of sites, by name."""
        self.failures.strike("sheets")
        found = {name: self._status(name) for name in sites}
        return {
            name: Sheet(self._versions.get(name, 0), _plain(status), self._intents(name))
            for name, status in found.items()
            if status is not None
        }

    def _spec(self, site: str) -> RememberedSpec | RememberedDomain | None:
        return self._remembered.get(site) or self._domains.get(site)

    def _status(self, site: str) -> SiteStatus | None:
        known, status = self._spec(site), self._statuses.get(site)
        if status is None and known is not None:
            return pending(known.spec, known.commit, self.since)
        return status

    def _fits(self, site: str, selection: Selection) -> bool:
        status, labels = self._status(site), self.labels(site) or {}
        return (
            status is not None
            and selection.labels.items() <= labels.items()
            and (not selection.phases or status.phase in selection.phases)
            and selection.ready in (None, status.ready)
            and selection.provider in ("", status.provider)
            and ("." in site) is selection.domains
        )


def _plain(status: SiteStatus) -> Mapping[str, Any]:
    data = to_data(status)
    return data if isinstance(data, dict) else {}


def narrowed(
    site: str | None, labels: Mapping[str, str] | None, own: Callable[[str], Mapping[str, str] | None]
) -> Callable[[str], bool]:
    """Whether something of a site is meant by who asks for a site, or for sites with labels."""

    def meant(of: str) -> bool:
        if site not in (None, of):
            return False
        marks = own(of)
        return labels is None or (marks is not None and labels.items() <= marks.items())

    return meant
