"""Port `Register` over a database, and how its tables are kept up."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    bindparam,
    delete,
    exists,
    func,
    select,
    tuple_,
    update,
)

from otto.adapters.store import schema, writing
from otto.adapters.store.database import FEW, Database, decoded
from otto.model.canonical import canonical, load, to_data
from otto.model.catalogue import RememberedDomain, RememberedSpec
from otto.model.domain import DomainSpec, is_zone
from otto.model.host import Endpoint, Host
from otto.model.register import Listed, Place, Selection, Sheet
from otto.model.rollout import RolloutStatus
from otto.model.spec import SiteSpec
from otto.model.status import Condition, Phase, SiteStatus, pending
from otto.ports import Clock

_SITES, _LABELS = schema.sites, schema.labels
_CHUNK = 500  # names in one statement: SQLite takes 32,766 values, and others fewer
_DOT = "."
_BITS = 62

Row = dict[str, object]
T = TypeVar("T")
Kept = Mapping[str, Any]


class SqlRegister:
    """Sites, listed, in the store's database.

    All methods raise what `otto.adapters.store.errors.translated` does.

    Args:
        database: the store's.
        clock: tells since when a site that nobody looked at is Pending.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def listed(self, site: str) -> Listed | None:
        """One site, None when there is none of that name."""
        row = await self._database.few(lambda connection: connection.execute(_ONE, {"site": site}).first())
        return None if row is None else Listed(row[0], row[1], load(row[2]))

    async def page(self, selection: Selection, *, after: str = "", limit: int = 100) -> tuple[Listed, ...]:
        """Sites by name, from behind `after` on."""
        return await self._listed(chosen(selection, after).limit(limit))

    async def count(self, selection: Selection) -> int:
        """How many sites are meant."""
        counted = select(func.count()).select_from(chosen(selection, "").order_by(None).subquery())
        return await self._database.read(lambda connection: connection.execute(counted).scalar()) or 0

    async def sheets(self, sites: Sequence[str]) -> Mapping[str, Sheet]:
        """What is kept of sites, by name, as of one moment."""
        now = self._clock.now()

        def found(connection: Connection) -> dict[str, Sheet]:
            sheets: dict[str, Sheet] = {}
            for names in _chunks(sites):
                versions = dict(connection.execute(_versions(names)).all())
                intents = _intents(connection, names)
                kept = dict(_statuses(connection, names))
                unseen = [name for name in names if name in versions and name not in kept]
                kept |= dict(_pending(connection, unseen, now)) if unseen else {}
                for site in versions.keys() & kept.keys():
                    sheets[site] = Sheet(versions[site], kept[site], intents.get(site, frozenset()))
            return sheets

        return await (self._database.few(found) if len(sites) <= FEW else self._database.read(found))

    async def _listed(self, statement: Select[str, int, str]) -> tuple[Listed, ...]:
        rows = await self._database.few(lambda connection: connection.execute(statement).all())
        return tuple(Listed(site, version, load(labels)) for site, version, labels in rows)


def chosen(selection: Selection, after: str) -> Select[str, int, str]:
    """Selects the sites of a selection behind a name, in order."""
    columns, marks = _SITES.c, list(selection.labels.items())
    statement = _listing()
    name = columns.site
    if marks:
        # From the first label's rows, which are in the order of names: what has it not is never looked at.
        name = _LABELS.c.site
        first, value = marks[0]
        statement = statement.join(_LABELS, name == columns.site)
        statement = statement.where(_LABELS.c.name == first, _LABELS.c.value == value)
    statement = statement.where(*_marked(columns.site, dict(marks[1:])))
    if selection.phases:
        statement = statement.where(columns.phase.in_(sorted(phase.value for phase in selection.phases)))
    if selection.ready is not None:
        statement = statement.where(columns.ready.is_(selection.ready))
    if selection.provider:
        statement = statement.where(columns.provider == selection.provider)
    dotted = columns.site.contains(_DOT, autoescape=True)
    statement = statement.where(dotted if selection.domains else ~dotted)
    return statement.where(name > after).order_by(name)


def having(
    column: ColumnElement[str], site: str | None, labels: Mapping[str, str] | None
) -> list[ColumnElement[bool]]:
    """What holds for rows of a site, and of sites with labels.

    Args:
        column: where the row has its site.
        site: of this site alone; None for any.
        labels: of sites that are there and have all of these; None for any.
    """
    of_site = [] if site is None else [column == site]
    if labels is None:
        return of_site
    if not labels:
        return [*of_site, exists().where(_SITES.c.site == column)]
    return [*of_site, *_marked(column, labels)]


def narrowed(
    statement: Select[str, str],
    table: Table,
    *,
    site: str | None,
    labels: Mapping[str, str] | None,
    before: Place | None,
) -> Select[str, str]:
    """A statement over what began at some time, narrowed to sites and to what is behind a place."""
    columns = table.c
    found = statement.where(*having(columns.site, site, labels))
    if before is None:
        return found
    place = (schema.microseconds(before.at), before.id)
    return found.where(tuple_(columns.started_at, columns.id) < tuple_(*place))


def enter_status(connection: Connection, status: SiteStatus) -> None:
    """Have a site listed as its new status says; labels are its spec's where there is one."""
    before = connection.execute(select(_SITES.c.labels).where(_SITES.c.site == status.site)).scalar()
    remembered = exists().where(schema.remembered.c.site == status.site)
    by_spec = before is not None and connection.execute(select(remembered)).scalar()
    marks = str(before) if by_spec else canonical(status.labels)
    row = _row(status.site, marks, phase=status.phase, ready=status.ready, provider=status.provider)
    writing.put(connection, _SITES, [row])
    if marks != before:
        _mark(connection, {status.site: marks})


def enter_specs(connection: Connection, specs: Sequence[SiteSpec | DomainSpec]) -> None:
    """Have sites and zones listed as their specs label them; the rest is their status's, if there is one."""
    for some in _chunks(specs):
        names = [spec.name for spec in some]
        rows = connection.execute(select(_SITES).where(_SITES.c.site.in_(names))).mappings()
        before = {row["site"]: dict(row) for row in rows}
        changed: dict[str, str] = {}
        new: list[Row] = []
        for spec in some:
            marks = canonical(spec.labels)
            known = before.get(spec.name)
            if known is None or known["labels"] != marks:
                changed[spec.name] = marks
            fresh = _row(spec.name, marks, phase=Phase.PENDING, ready=False, provider=spec.provider.value)
            new.append({**fresh, **(known or {}), "labels": marks, "version": fresh["version"]})
        writing.put(connection, _SITES, new)
        _mark(connection, changed)


def renew(connection: Connection, site: str) -> None:
    """Give a site another version, should it be listed."""
    connection.execute(update(_SITES).where(_SITES.c.site == site).values(version=_version()))


def _row(site: str, marks: str, *, phase: Phase, ready: bool, provider: str) -> Row:
    return {
        "site": site,
        "version": _version(),
        "phase": phase.value,
        "ready": ready,
        "provider": provider,
        "labels": marks,
    }


def _version() -> int:
    """Chance, so that no two writers ever agree on one, and none comes back with a site that does."""
    return secrets.randbits(_BITS)


def _mark(connection: Connection, marks: Mapping[str, str]) -> None:
    """Replace the labels of sites; `marks` holds them as canonical text."""
    if not marks:
        return
    connection.execute(delete(_LABELS).where(_LABELS.c.site.in_(list(marks))))
    rows = [
        {"name": name, "value": value, "site": site}
        for site, text in marks.items()
        for name, value in load(text).items()
    ]
    writing.put(connection, _LABELS, rows)


def _marked(column: ColumnElement[str], labels: Mapping[str, str]) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for name, value in labels.items():
        mark = _LABELS.alias()
        found.append(exists().where(mark.c.name == name, mark.c.value == value, mark.c.site == column))
    return found


def _listing() -> Select[str, int, str]:
    columns = _SITES.c
    return select(columns.site, columns.version, columns.labels)


# Made once: it is asked for with almost every request to the API.
_ONE = _listing().where(_SITES.c.site == bindparam("site"))


def _versions(names: Sequence[str]) -> Select[str, int]:
    return select(_SITES.c.site, _SITES.c.version).where(_SITES.c.site.in_(names))


def _statuses(connection: Connection, names: Sequence[str]) -> Iterator[tuple[str, Kept]]:
    """Statuses as they are kept; what another version wrote is read, and told as this one would."""
    columns = schema.statuses.c
    rows = connection.execute(select(columns.site, columns.data).where(columns.site.in_(names)))
    for row in rows.all():
        data = _loaded(row[1])
        if _is_whole(data):
            yield row[0], data
        else:
            yield from ((status.site, _plain(status)) for status in decoded(SiteStatus, [row]))


def _loaded(text: str) -> Any:  # noqa: ANN401  (JSON is what it is until a type reads it)
    try:
        return load(text)
    except ValueError:
        return None


def _is_whole(data: Any) -> bool:  # noqa: ANN401
    """Whether what is kept of a status has every field of one, and none besides."""
    try:
        return (
            data.keys() == _STATUS
            and all(item.keys() == _CONDITION for item in data["conditions"].values())
            and all(item.keys() == _HOST for item in data["hosts"])
            and all(item.keys() == _ENDPOINT for item in data["endpoints"])
            and (data["rollout"] is None or data["rollout"].keys() == _ROLLOUT)
        )
    except (AttributeError, TypeError):
        return False


def _names(kind: type) -> frozenset[str]:
    return frozenset(field.name for field in fields(kind))


_STATUS, _CONDITION, _HOST = _names(SiteStatus), _names(Condition), _names(Host)
_ENDPOINT, _ROLLOUT = _names(Endpoint), _names(RolloutStatus)


def _plain(status: SiteStatus) -> Kept:
    data = to_data(status)
    return data if isinstance(data, dict) else {}


def _pending(connection: Connection, names: Sequence[str], now: datetime) -> Iterator[tuple[str, Kept]]:
    """Statuses of sites and zones that nobody has looked at."""
    columns = schema.remembered.c
    unseen = ~exists().where(schema.statuses.c.site == columns.site)
    rows = connection.execute(select(columns.site, columns.data).where(columns.site.in_(names), unseen))
    found = rows.all()
    for known in decoded(RememberedSpec, [row for row in found if not is_zone(row[0])]):
        yield known.spec.name, _plain(pending(known.spec, known.commit, now))
    for zone in decoded(RememberedDomain, [row for row in found if is_zone(row[0])]):
        yield zone.spec.name, _plain(pending(zone.spec, zone.commit, now))


def _intents(connection: Connection, names: Sequence[str]) -> dict[str, frozenset[str]]:
    columns = schema.intents.c
    found: dict[str, set[str]] = {}
    for site, intent in connection.execute(
        select(columns.site, columns.intent).where(columns.site.in_(names))
    ):
        found.setdefault(site, set()).add(intent)
    return {site: frozenset(wanted) for site, wanted in found.items()}


def _chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for at in range(0, len(items), _CHUNK):
        yield items[at : at + _CHUNK]
