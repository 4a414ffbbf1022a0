"""The store as somebody sees it who is limited to some sites: the others are not there.

Every question is answered over this one when its caller is limited, so that no question has to think of it.
What a method does not filter is not handed on: reaching for it is an error, not a leak.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from otto.desk.names import require
from otto.model.canonical import canonical
from otto.model.catalogue import RememberedDomain, RememberedSpec
from otto.model.errors import ForbiddenError
from otto.model.history import AuditEntry, AuditRecord, Grant, GrantKind
from otto.model.observed import Applied
from otto.model.pipeline import Pipeline
from otto.model.register import Selection
from otto.model.rollout import RolloutStatus
from otto.model.run import Run
from otto.model.status import SiteStatus
from otto.ports import ImageIndex, Store
from otto.reconcile import told

_STRETCH = 1000


class LimitedStore:
    """The part of the port `Store` that questions read and write, of the sites with certain labels.

    A site's labels are those of its last good spec, and of its status where no spec is remembered.

    Args:
        store: the whole store.
        labels: what sites have to have.
    """

    def __init__(self, store: Store, labels: Mapping[str, str]) -> None:
        self._store = store
        self.labels = labels

    async def names(self) -> frozenset[str]:
        """Sites and zones that are seen."""
        return frozenset([*await self._names(domains=False), *await self._names(domains=True)])

    async def _names(self, *, domains: bool) -> list[str]:
        found: list[str] = []
        selection = Selection(labels=self.labels, domains=domains)
        while page := await self._store.register.page(
            selection, after=found[-1] if found else "", limit=_STRETCH
        ):
            found += [item.site for item in page]
        return found

    async def sees(self, site: str) -> bool:
        """Whether a site is seen."""
        found = await self._store.register.listed(site)
        return found is not None and self.labels.items() <= found.labels.items()

    async def require(self, site: str) -> None:
        """Insist that a site is seen.

        Raises:
            UsageError: it is not, in the words of a site that is not there.
        """
        if not await self.sees(site):
            require(site, await self.names())

    @property
    def ledger(self) -> "LimitedLedger":
        """What the guard remembers of them."""
        return LimitedLedger(self._store, self)

    @property
    def images(self) -> ImageIndex:
        """The index of images, which are nobody's."""
        return self._store.images

    @property
    def pipelines(self) -> "LimitedPipelines":
        """Their pipelines."""
        return LimitedPipelines(self._store, self)

    async def status(self, site: str) -> SiteStatus | None:
        """A site's status."""
        found = await self._store.status(site)
        return found if found is not None and await self.sees(site) else None

    async def statuses(self) -> tuple[SiteStatus, ...]:
        """All of their statuses."""
        names = await self.names()
        return tuple(status for status in await self._store.statuses() if status.site in names)

    async def remembered(self) -> Mapping[str, RememberedSpec]:
        """Last good spec of each of them."""
        names = await self.names()
        return {name: item for name, item in (await self._store.remembered()).items() if name in names}

    async def spec(self, site: str) -> RememberedSpec | None:
        """Last good spec of a site."""
        found = await self._store.spec(site)
        return found if found is not None and await self.sees(site) else None

    async def remembered_domains(self) -> Mapping[str, RememberedDomain]:
        """Last good spec of each zone with the labels."""
        names = await self.names()
        found = await self._store.remembered_domains()
        return {name: item for name, item in found.items() if name in names}

    async def domain(self, zone: str) -> RememberedDomain | None:
        """Last good spec of a zone."""
        found = await self._store.domain(zone)
        return found if found is not None and await self.sees(zone) else None

    async def run(self, run_id: str) -> Run | None:
        """A run by id."""
        found = await self._store.run(run_id)
        return found if found is not None and await self.sees(found.site) else None

    async def runs(self, site: str | None = None, limit: int = 20) -> tuple[Run, ...]:
        """Runs, newest first."""
        return await self._store.runs(site, limit, labels=self.labels)

    async def applied(self, site: str) -> Applied:
        """What was put in place last."""
        await self.require(site)
        return await self._store.applied(site)

    async def rollout(self, site: str) -> RolloutStatus:
        """A site's last rollout."""
        await self.require(site)
        return await self._store.rollout(site)

    async def intents(self, site: str) -> frozenset[str]:
        """What people asked for besides the spec."""
        return await self._store.intents(site) if await self.sees(site) else frozenset()

    async def set_intent(self, site: str, intent: str, *, on: bool) -> None:
        """Record or take back such a wish."""
        await self.require(site)
        await self._store.set_intent(site, intent, on=on)

    async def value(self, key: str) -> str | None:
        """A small value; of lists over all sites, what concerns theirs."""
        if key == told.ORPHANS:
            names = await self.names()
            return canonical([host for host in await told.orphans(self._store) if host.site in names])
        if key == told.PROBLEMS:
            return None  # of files that belong to no known site: nobody's labels
        return await self._store.value(key)


class LimitedLedger:
    """The part of the port `Ledger` that questions read and write, of some sites.

    Args:
        store: the whole store.
        seen: which sites.
    """

    def __init__(self, store: Store, seen: LimitedStore) -> None:
        self._ledger = store.ledger
        self._seen = seen

    async def append(self, entry: AuditEntry) -> AuditRecord:
        """Add to the audit record."""
        await self._require(entry.site)
        return await self._ledger.append(entry)

    async def latest(
        self, *, site: str | None = None, since: datetime | None = None, limit: int = 50
    ) -> tuple[AuditRecord, ...]:
        """The newest records about them, newest first."""
        return await self._ledger.latest(site=site, since=since, limit=limit, labels=self._seen.labels)

    async def grants(self, *, site: str | None = None, kind: GrantKind | None = None) -> tuple[Grant, ...]:
        """What people said of them, and of all sites; what names others of those is left out of it."""
        names = await self._seen.names()
        found = await self._ledger.grants(site=site, kind=kind)
        seen = (grant for grant in found if not grant.site or grant.site in names)
        return tuple(
            replace(grant, held=tuple(name for name in grant.held if name in names)) for grant in seen
        )

    async def grant(self, grant: Grant) -> None:
        """Keep what somebody said."""
        await self._require(grant.site)
        await self._ledger.grant(grant)

    async def revoke(self, grant: Grant) -> bool:
        """Take it back."""
        await self._require(grant.site)
        return await self._ledger.revoke(grant)

    async def _require(self, site: str) -> None:
        if not site:
            raise ForbiddenError(
                "this concerns all sites, and the token is limited to some", mend="use one without labels"
            )
        await self._seen.require(site)


class LimitedPipelines:
    """The part of the port `PipelineRecords` that questions read, of some sites.

    Args:
        store: the whole store.
        seen: which sites.
    """

    def __init__(self, store: Store, seen: LimitedStore) -> None:
        self._records = store.pipelines
        self._seen = seen

    async def pipeline(self, pipeline_id: str) -> Pipeline | None:
        """A pipeline by id."""
        found = await self._records.pipeline(pipeline_id)
        return found if found is not None and await self._seen.sees(found.site) else None

    async def pipelines(self, site: str | None = None, limit: int = 20) -> tuple[Pipeline, ...]:
        """Pipelines, newest first."""
        return await self._records.pipelines(site, limit, labels=self._seen.labels)
