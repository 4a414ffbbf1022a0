"""The guard's memory, in memory."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from otto.decide import audit
from otto.model.history import AuditEntry, AuditRecord, Charge, Grant, GrantKind, Removal
from otto.testing.failures import Failures
from otto.testing.register import narrowed


class MemoryLedger:
    """Port `Ledger` without a database. `failures` makes any of its methods raise.

    Attributes:
        log: the audit record.
        labels: tells the labels of a site, None for one that is not there; set by the store.
    """

    def __init__(self) -> None:
        self._grants: dict[str, Grant] = {}
        self._removals: list[Removal] = []
        self._charges: list[Charge] = []
        self.log: list[AuditRecord] = []
        self.failures = Failures()
        self.labels: Callable[[str], Mapping[str, str] | None] = _none

    async def append(self, entry: AuditEntry) -> AuditRecord:
        """Add to the audit record."""
        self.failures.strike("append")
        record = audit.record(entry, self.log[-1] if self.log else None)
        self.log.append(record)
        return record

    async def records(
        self, *, site: str | None = None, after: int = 0, limit: int = 1000
    ) -> tuple[AuditRecord, ...]:
        """The audit record from behind a number on."""
        self.failures.strike("records")
        chosen = (item for item in self.log[after:] if site in (None, item.entry.site))
        return tuple(chosen)[:limit]

    async def latest(
        self,
        *,
        site: str | None = None,
        since: datetime | None = None,
        limit: int = 50,
        labels: Mapping[str, str] | None = None,
        before: int | None = None,
    ) -> tuple[AuditRecord, ...]:
        """The newest of the audit record, newest first."""
        self.failures.strike("latest")
        meant = narrowed(site, labels, self.labels)
        chosen = (
            item
            for item in reversed(self.log)
            if meant(item.entry.site)
            and (since is None or item.entry.at >= since)
            and (before is None or item.number < before)
        )
        return tuple(chosen)[:limit]

    async def grant(self, grant: Grant) -> None:
        """Keep what somebody said."""
        self.failures.strike("grant")
        self._grants[grant.key] = grant

    async def grants(self, *, site: str | None = None, kind: GrantKind | None = None) -> tuple[Grant, ...]:
        """What people said, oldest first."""
        self.failures.strike("grants")
        chosen = (
            grant
            for grant in self._grants.values()
            if (site is None or grant.site in ("", site)) and kind in (None, grant.kind)
        )
        return tuple(sorted(chosen, key=lambda grant: (grant.at, grant.key)))

    async def revoke(self, grant: Grant) -> bool:
        """Take it back."""
        self.failures.strike("revoke")
        return self._grants.pop(grant.key, None) is not None

    async def removed(self, removals: Sequence[Removal]) -> None:
        """Keep what was taken away."""
        self.failures.strike("removed")
        self._removals += removals

    async def removals(self, since: datetime) -> tuple[Removal, ...]:
        """What was taken away since then."""
        self.failures.strike("removals")
        chosen = (removal for removal in self._removals if removal.at >= since)
        return tuple(sorted(chosen, key=lambda one: (one.at, one.site, one.host)))

    async def charge(self, charge: Charge) -> None:
        """Keep what a site costs from now on."""
        self.failures.strike("charge")
        before = max((item for item in self._charges if item.site == charge.site), key=_at, default=None)
        if before is None or before.hourly != charge.hourly:
            self._charges.append(charge)

    async def charges(self, since: datetime, *, site: str | None = None) -> tuple[Charge, ...]:
        """Charges since then, and of each site the last one before; of one site or all."""
        self.failures.strike("charges")
        in_order = sorted((item for item in self._charges if site in (None, item.site)), key=_at)
        earlier = {item.site: item for item in in_order if item.at < since}
        later = (item for item in in_order if item.at >= since)
        return (*sorted(earlier.values(), key=_at), *later)

    def forget(self, site: str) -> None:
        """Drop what people said of a site; called by the store in memory."""
        self._grants = {key: grant for key, grant in self._grants.items() if grant.site != site}


def _at(charge: Charge) -> tuple[datetime, str]:
    return (charge.at, charge.site)


def _none(site: str) -> None:
    del site
