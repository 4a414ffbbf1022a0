"""Port `Store` over a database."""

from collections.abc import Mapping, Sequence
from typing import Self

from sqlalchemy import Connection, Select, Table, delete, select

from otto.adapters.store import register, schema, writing
from otto.adapters.store.database import FEW, Database
from otto.adapters.store.images import SqlImages
from otto.adapters.store.ledger import SqlLedger
from otto.adapters.store.pipelines import SqlPipelines
from otto.adapters.store.tokens import SqlTokens
from otto.model.canonical import canonical
from otto.model.catalogue import RememberedDomain, RememberedSpec
from otto.model.domain import is_zone
from otto.model.observed import Applied
from otto.model.register import Place
from otto.model.rollout import RolloutStatus
from otto.model.run import Outcome, Run
from otto.model.status import SiteStatus
from otto.model.zonememory import ZoneMemory
from otto.ports import Clock

KEPT_RUNS = 200


class SqlStore:
    """OttO's memory in a database; `open_store` makes one.

    Every method is one short transaction of `Database`. A value that cannot be read (a damaged row) counts
    as not there, and is logged: what it held is rebuilt, or lost if it was history, of the audit record, or
    what people said.

    All methods raise what `otto.adapters.store.errors.translated` does.

    Attributes:
        ledger: what the guard remembers, in the same database; closed with the store.
        images: the index of golden images, in the same database.
        pipelines: what pipelines did; so are they.
        register: its sites, listed.
        tokens: tokens of the HTTP API; so are they.
    """

    def __init__(self, database: Database, clock: Clock, *, keep_runs: int = KEPT_RUNS) -> None:
        self._database = database
        self._keep_runs = keep_runs
        self.ledger = SqlLedger(database, clock)
        self.images = SqlImages(database)
        self.pipelines = SqlPipelines(database, keep=keep_runs)
        self.register = register.SqlRegister(database, clock)
        self.tokens = SqlTokens(database)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def read_here(self) -> None:
        """From now on, have few rows that the calling thread asks for read by that thread; see `Database`."""
        self._database.read_here()

    async def close(self) -> None:
        """Finish what is under way and let go of the database. May be called twice."""
        await self._database.close()

    async def status(self, site: str) -> SiteStatus | None:
        """A site's status."""
        found = await self._database.few_values(SiteStatus, _of(schema.statuses, site))
        return found[0] if found else None

    async def statuses(self) -> tuple[SiteStatus, ...]:
        """All statuses, by name."""
        found = await self._database.values(
            SiteStatus, select(schema.statuses.c.site, schema.statuses.c.data)
        )
        return tuple(sorted(found, key=lambda status: status.site))

    async def save_status(self, status: SiteStatus) -> None:
        """Keep a status."""
        row = {"site": status.site, "data": canonical(status)}

        def save(connection: Connection) -> None:
            writing.put(connection, schema.statuses, [row])
            register.enter_status(connection, status)

        await self._database.write(save)

    async def save_run(self, run: Run) -> None:
        """Keep a run, replacing what was kept of it; an ended one pushes the oldest of its site out."""
        await self._database.write(lambda connection: writing.put_run(connection, run, keep=self._keep_runs))

    async def run(self, run_id: str) -> Run | None:
        """A run by id."""
        found = await self._database.few_values(Run, _runs().where(schema.runs.c.id == run_id))
        return found[0] if found else None

    async def runs(
        self,
        site: str | None = None,
        limit: int = 20,
        *,
        labels: Mapping[str, str] | None = None,
        outcome: Outcome | None = None,
        before: Place | None = None,
    ) -> tuple[Run, ...]:
        """Runs, newest first; see the port for the arguments."""
        chosen = register.narrowed(_runs(), schema.runs, site=site, labels=labels, before=before)
        if outcome is not None:
            chosen = chosen.where(schema.runs.c.outcome == outcome.value)
        asked = self._database.few_values if limit <= FEW else self._database.values
        return await asked(Run, chosen.limit(limit))

    async def open_runs(self) -> tuple[Run, ...]:
        """Runs that never ended: those a killed controller left; newest first."""
        return await self._database.values(Run, _runs().where(schema.runs.c.ended_at.is_(None)))

    async def applied(self, site: str) -> Applied:
        """What OttO put in place last; empty when nothing."""
        found = await self._database.values(Applied, _of(schema.applied, site))
        return found[0] if found else Applied()

    async def save_applied(self, site: str, applied: Applied) -> None:
        """Keep what was put in place."""
        row = {"site": site, "data": canonical(applied)}
        await self._database.write(lambda connection: writing.put(connection, schema.applied, [row]))

    async def rollout(self, site: str) -> RolloutStatus:
        """The site's last rollout, and its quarantined wishes; an empty one before the first."""
        found = await self._database.values(RolloutStatus, _of(schema.rollouts, site))
        return found[0] if found else RolloutStatus(site)

    async def save_rollout(self, rollout: RolloutStatus) -> None:
        """Keep how a rollout stands."""
        row = {"site": rollout.site, "data": canonical(rollout)}
        await self._database.write(lambda connection: writing.put(connection, schema.rollouts, [row]))

    async def remembered(self) -> Mapping[str, RememberedSpec]:
        """Last good spec of every site."""
        found = await self._database.values(RememberedSpec, _all(schema.remembered, zones=False))
        return {one.spec.name: one for one in sorted(found, key=lambda one: one.spec.name)}

    async def spec(self, site: str) -> RememberedSpec | None:
        """Last good spec of a site."""
        if is_zone(site):
            return None
        found = await self._database.few_values(RememberedSpec, _of(schema.remembered, site))
        return found[0] if found else None

    async def remember(self, specs: Sequence[RememberedSpec]) -> None:
        """Keep last good specs."""

        def keep(connection: Connection) -> None:
            # Written out here, in the store's own thread: there can be thousands.
            rows = [{"site": one.spec.name, "data": canonical(one)} for one in specs]
            writing.put(connection, schema.remembered, rows)
            register.enter_specs(connection, [one.spec for one in specs])

        await self._database.write(keep)

    async def domain(self, zone: str) -> RememberedDomain | None:
        """Last good spec of a zone."""
        if not is_zone(zone):
            return None
        found = await self._database.few_values(RememberedDomain, _of(schema.remembered, zone))
        return found[0] if found else None

    async def remembered_domains(self) -> Mapping[str, RememberedDomain]:
        """Last good spec of every zone."""
        found = await self._database.values(RememberedDomain, _all(schema.remembered, zones=True))
        return {one.spec.name: one for one in sorted(found, key=lambda one: one.spec.name)}

    async def remember_domains(self, specs: Sequence[RememberedDomain]) -> None:
        """Keep last good specs of zones."""
        rows = [{"site": one.spec.name, "data": canonical(one)} for one in specs]

        def keep(connection: Connection) -> None:
            writing.put(connection, schema.remembered, rows)
            register.enter_specs(connection, [one.spec for one in specs])

        await self._database.write(keep)

    async def zones(self) -> Mapping[str, ZoneMemory]:
        """What is remembered of every zone."""
        found = await self._database.values(ZoneMemory, _all(schema.applied, zones=True))
        return {one.zone: one for one in sorted(found, key=lambda one: one.zone)}

    async def save_zone(self, memory: ZoneMemory) -> None:
        """Keep what is to be remembered of a zone."""
        row = {"site": memory.zone, "data": canonical(memory)}
        await self._database.write(lambda connection: writing.put(connection, schema.applied, [row]))

    async def intents(self, site: str) -> frozenset[str]:
        """What people asked for besides the spec: `suspend`, `destroy`."""
        chosen = select(schema.intents.c.intent).where(schema.intents.c.site == site)
        return frozenset(
            await self._database.few(lambda connection: connection.execute(chosen).scalars().all())
        )

    async def set_intent(self, site: str, intent: str, *, on: bool) -> None:
        """Record or take back such a wish."""
        row = {"site": site, "intent": intent}
        change = writing.put if on else writing.drop

        def keep(connection: Connection) -> None:
            change(connection, schema.intents, [row])
            register.renew(connection, site)

        await self._database.write(keep)

    async def value(self, key: str) -> str | None:
        """A small value by key (last commit seen, …)."""
        chosen = select(schema.notes.c.value).where(schema.notes.c.key == key)
        return await self._database.few(lambda connection: connection.execute(chosen).scalar())

    async def set_value(self, key: str, value: str) -> None:
        """Keep a small value."""
        row = {"key": key, "value": value}
        await self._database.write(lambda connection: writing.put(connection, schema.notes, [row]))

    async def forget(self, site: str) -> None:
        """Drop all but the history of a site that is destroyed; what people said of it goes too."""

        def drop(connection: Connection) -> None:
            for table in schema.OF_A_SITE:
                connection.execute(delete(table).where(table.c.site == site))

        await self._database.write(drop)


def _of(table: Table, site: str) -> Select[str, str]:
    return select(table.c.site, table.c.data).where(table.c.site == site)


def _all(table: Table, *, zones: bool) -> Select[str, str]:
    """Rows of sites, or those of zones: the name of a zone holds a dot, a site's never does."""
    named = table.c.site.contains(".", autoescape=True)
    return select(table.c.site, table.c.data).where(named if zones else ~named)


def _runs() -> Select[str, str]:
    columns = schema.runs.c
    return select(columns.id, columns.data).order_by(columns.started_at.desc(), columns.id.desc())
