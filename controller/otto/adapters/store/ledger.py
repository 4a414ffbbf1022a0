"""Port `Ledger` over a database."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, Select, delete, func, or_, select

from otto.adapters.store import chain, register, schema, writing
from otto.adapters.store.database import Database, decoded
from otto.adapters.store.schema import microseconds
from otto.model.canonical import canonical
from otto.model.history import AuditEntry, AuditRecord, Charge, Grant, GrantKind, Removal
from otto.ports import Clock

# Longer than any window counts back, and than anybody asks why an approval no longer holds.
_KEPT = timedelta(days=40)

# From the beginning of the month before this one.
_CHARGES_KEPT = timedelta(days=62)


class SqlLedger:
    """What the guard remembers, in a database; `open_store` makes one, as `ledger` of its store.

    Every method is one short transaction of `Database`. Grants that ended, removals and charges are dropped
    when nothing counts them any more, by the next write of their kind; the audit record is only added to,
    which the database itself sees to.

    All methods raise what `otto.adapters.store.errors.translated` does.

    Args:
        database: where.
        clock: tells what is old.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def append(self, entry: AuditEntry) -> AuditRecord:
        """Add to the audit record; its place in the chain. Safe beside other processes.

        Raises:
            TerminalError: the entry holds what an entry may not.
        """
        return await self._database.write(lambda connection: chain.append(connection, entry))

    async def records(
        self, *, site: str | None = None, after: int = 0, limit: int = 1000
    ) -> tuple[AuditRecord, ...]:
        """The audit record from behind number `after` on, oldest first."""
        number = schema.audit.c.number
        return await self._records(_about(site).where(number > after).order_by(number).limit(limit))

    async def latest(
        self,
        *,
        site: str | None = None,
        since: datetime | None = None,
        limit: int = 50,
        labels: Mapping[str, str] | None = None,
        before: int | None = None,
    ) -> tuple[AuditRecord, ...]:
        """The newest of the audit record, newest first; see the port for the arguments."""
        columns = schema.audit.c
        about = chain.rows().where(*register.having(columns.site, site, labels))
        chosen = about.order_by(columns.number.desc()).limit(limit)
        if before is not None:
            chosen = chosen.where(columns.number < before)
        if since is not None:
            chosen = chosen.where(columns.at >= microseconds(since))
        return await self._records(chosen)

    async def grant(self, grant: Grant) -> None:
        """Keep what somebody said, in place of what has the same key."""
        columns = schema.grants.c
        row = {
            "key": grant.key,
            "site": grant.site,
            "kind": grant.kind.value,
            "ends_at": None if grant.until is None else microseconds(grant.until),
            "data": canonical(grant),
        }
        old = delete(schema.grants).where(columns.ends_at < self._ago(_KEPT), columns.key != grant.key)

        def keep(connection: Connection) -> None:
            writing.put(connection, schema.grants, [row])
            connection.execute(old)

        await self._database.write(keep)

    async def grants(self, *, site: str | None = None, kind: GrantKind | None = None) -> tuple[Grant, ...]:
        """What people said, oldest first; with `site`, what concerns it: its own and that of all sites."""
        columns = schema.grants.c
        chosen = select(columns.key, columns.data)
        if site is not None:
            chosen = chosen.where(columns.site.in_(("", site)))
        if kind is not None:
            chosen = chosen.where(columns.kind == kind.value)
        asked = self._database.values if site is None else self._database.few_values
        found = await asked(Grant, chosen)
        return tuple(sorted(found, key=lambda grant: (grant.at, grant.key)))

    async def revoke(self, grant: Grant) -> bool:
        """Take it back; whether it was there."""
        gone = delete(schema.grants).where(schema.grants.c.key == grant.key)
        return await self._database.write(lambda connection: connection.execute(gone).rowcount > 0)

    async def removed(self, removals: Sequence[Removal]) -> None:
        """Keep what was taken away."""
        rows = [
            {"site": one.site, "host": one.host, "at": microseconds(one.at), "data": canonical(one)}
            for one in removals
        ]
        old = delete(schema.removals).where(schema.removals.c.at < self._ago(_KEPT))

        def keep(connection: Connection) -> None:
            writing.put(connection, schema.removals, rows)
            connection.execute(old)

        await self._database.write(keep)

    async def removals(self, since: datetime) -> tuple[Removal, ...]:
        """What was taken away since then, of all sites, oldest first."""
        columns = schema.removals.c
        chosen = select(columns.host, columns.data).where(columns.at >= microseconds(since))
        return await self._database.values(Removal, chosen.order_by(columns.at, columns.site, columns.host))

    async def charge(self, charge: Charge) -> None:
        """Keep what a site costs from now on; the same as before adds nothing."""
        row = {"site": charge.site, "at": microseconds(charge.at), "data": canonical(charge)}

        def keep(connection: Connection) -> None:
            last = decoded(Charge, connection.execute(_last_charge(charge.site)).all())
            if not last or last[0].hourly != charge.hourly:
                writing.put(connection, schema.charges, [row])
                writing.prune_charges(connection, self._ago(_CHARGES_KEPT))

        await self._database.write(keep)

    async def charges(self, since: datetime, *, site: str | None = None) -> tuple[Charge, ...]:
        """Charges since then, and of each site the last one before, oldest first; of one site or all."""
        columns = schema.charges.c
        earlier = schema.charges.alias()
        last = select(func.max(earlier.c.at)).where(
            earlier.c.site == columns.site, earlier.c.at < microseconds(since)
        )
        counted = or_(columns.at >= microseconds(since), columns.at == last.scalar_subquery())
        chosen = select(columns.site, columns.data).where(counted)
        if site is not None:
            chosen = chosen.where(columns.site == site)
        return await self._database.values(Charge, chosen.order_by(columns.at, columns.site))

    async def _records(self, chosen: Select[int, int, str, str, str, str]) -> tuple[AuditRecord, ...]:
        def found(connection: Connection) -> tuple[AuditRecord, ...]:
            return tuple(chain.record_of(row) for row in connection.execute(chosen))

        return await self._database.read(found)

    def _ago(self, length: timedelta) -> int:
        return microseconds(self._clock.now() - length)


def _about(site: str | None) -> Select[int, int, str, str, str, str]:
    return chain.rows() if site is None else chain.rows().where(schema.audit.c.site == site)


def _last_charge(site: str) -> Select[str, str]:
    columns = schema.charges.c
    return select(columns.site, columns.data).where(columns.site == site).order_by(columns.at.desc()).limit(1)
