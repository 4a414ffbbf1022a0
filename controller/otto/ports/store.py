"""What OttO remembers."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from otto.model.catalogue import RememberedDomain, RememberedSpec
from otto.model.history import AuditEntry, AuditRecord, Charge, Grant, GrantKind, Removal
from otto.model.observed import Applied
from otto.model.register import Place
from otto.model.rollout import RolloutStatus
from otto.model.run import Outcome, Run
from otto.model.status import SiteStatus
from otto.model.zonememory import ZoneMemory
from otto.ports.images import ImageIndex
from otto.ports.pipelines import PipelineRecords
from otto.ports.register import Register
from otto.ports.tokens import Tokens


class Store(Protocol):
    """OttO's memory. Git, provider and hosts give it anew but for history, audit and what people said."""

    @property
    def ledger(self) -> "Ledger":
        """What the guard remembers, kept in the same place."""

    @property
    def images(self) -> "ImageIndex":
        """The index of golden images, kept in the same place."""

    @property
    def pipelines(self) -> "PipelineRecords":
        """What pipelines did, kept in the same place."""

    @property
    def tokens(self) -> Tokens:
        """Tokens of the HTTP API, kept in the same place."""

    @property
    def register(self) -> "Register":
        """Its sites, listed."""

    async def rollout(self, site: str) -> RolloutStatus:
        """The site's last rollout, and its quarantined wishes; an empty one before the first."""

    async def save_rollout(self, rollout: RolloutStatus) -> None:
        """Keep how a rollout stands."""

    def read_here(self) -> None:
        """Say that the calling thread, with an event loop of its own, asks for few rows at a time, and often.

        What it asks for may be read by that thread itself from now on.
        """

    async def status(self, site: str) -> SiteStatus | None:
        """A site's status."""

    async def statuses(self) -> tuple[SiteStatus, ...]:
        """All statuses, by name."""

    async def save_status(self, status: SiteStatus) -> None:
        """Keep a status."""

    async def save_run(self, run: Run) -> None:
        """Keep a run, replacing what was kept of it."""

    async def run(self, run_id: str) -> Run | None:
        """A run by id."""

    async def runs(
        self,
        site: str | None = None,
        limit: int = 20,
        *,
        labels: Mapping[str, str] | None = None,
        outcome: Outcome | None = None,
        before: Place | None = None,
    ) -> tuple[Run, ...]:
        """Runs, newest first.

        Args:
            site: of this site alone.
            limit: so many at most.
            labels: only of sites that are there and have all of these.
            outcome: only those that ended so.
            before: only those behind this place.
        """

    async def open_runs(self) -> tuple[Run, ...]:
        """Runs that never ended: those a killed controller left."""

    async def applied(self, site: str) -> Applied:
        """What OttO put in place last; empty when nothing."""

    async def save_applied(self, site: str, applied: Applied) -> None:
        """Keep what was put in place."""

    async def remembered(self) -> Mapping[str, RememberedSpec]:
        """Last good spec of every site."""

    async def spec(self, site: str) -> RememberedSpec | None:
        """Last good spec of a site."""

    async def remember(self, specs: Sequence[RememberedSpec]) -> None:
        """Keep last good specs."""

    async def domain(self, zone: str) -> RememberedDomain | None:
        """Last good spec of a zone."""

    async def remembered_domains(self) -> Mapping[str, RememberedDomain]:
        """Last good spec of every zone."""

    async def remember_domains(self, specs: Sequence[RememberedDomain]) -> None:
        """Keep last good specs of zones."""

    async def zones(self) -> Mapping[str, ZoneMemory]:
        """What is remembered of every zone, by name."""

    async def save_zone(self, memory: ZoneMemory) -> None:
        """Keep what is to be remembered of a zone; `forget` of its name drops it."""

    async def intents(self, site: str) -> frozenset[str]:
        """What people asked for besides the spec: `suspend`, `destroy`."""

    async def set_intent(self, site: str, intent: str, *, on: bool) -> None:
        """Record or take back such a wish."""

    async def value(self, key: str) -> str | None:
        """A small value by key (last commit seen, …)."""

    async def set_value(self, key: str, value: str) -> None:
        """Keep a small value."""

    async def forget(self, site: str) -> None:
        """Drop all but the history of a site that is destroyed; what people said of it goes too."""


class Ledger(Protocol):
    """What the guard remembers. Nothing of the audit record is ever changed or dropped."""

    async def append(self, entry: AuditEntry) -> AuditRecord:
        """Add to the audit record; its place in the chain. Safe beside other processes."""

    async def records(
        self, *, site: str | None = None, after: int = 0, limit: int = 1000
    ) -> tuple[AuditRecord, ...]:
        """The audit record from behind number `after` on, oldest first."""

    async def latest(
        self,
        *,
        site: str | None = None,
        since: datetime | None = None,
        limit: int = 50,
        labels: Mapping[str, str] | None = None,
        before: int | None = None,
    ) -> tuple[AuditRecord, ...]:
        """The newest of the audit record, newest first.

        Args:
            site: of this site alone.
            since: no older ones.
            limit: so many at most.
            labels: only of sites that are there and have all of these.
            before: only those of a lower number.
        """

    async def grant(self, grant: Grant) -> None:
        """Keep what somebody said, in place of what has the same key."""

    async def grants(self, *, site: str | None = None, kind: GrantKind | None = None) -> tuple[Grant, ...]:
        """What people said, oldest first; with `site`, what concerns it: its own and that of all sites."""

    async def revoke(self, grant: Grant) -> bool:
        """Take it back; whether it was there."""

    async def removed(self, removals: Sequence[Removal]) -> None:
        """Keep what was taken away."""

    async def removals(self, since: datetime) -> tuple[Removal, ...]:
        """What was taken away since then, of all sites, oldest first."""

    async def charge(self, charge: Charge) -> None:
        """Keep what a site costs from now on; the same as before adds nothing."""

    async def charges(self, since: datetime, *, site: str | None = None) -> tuple[Charge, ...]:
        """Charges since then, and of each site the last one before, oldest first; of one site or all."""
