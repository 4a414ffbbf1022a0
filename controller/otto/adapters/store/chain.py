"""The audit record's rows: added one after the other, and read back so that any change of them shows."""

from sqlalchemy import Connection, Row, Select, insert, select

from otto.adapters.store.schema import audit as table
from otto.adapters.store.schema import microseconds, time_of
from otto.adapters.store.writing import take_turn
from otto.decide import audit
from otto.model.canonical import Data, canonical, load, to_data
from otto.model.errors import TerminalError
from otto.model.history import AuditEntry, AuditRecord
from otto.model.reading import read

AuditRow = Row[int, int, str, str, str, str]

UNREADABLE = "unreadable"
"""What stands in `AuditEntry.what` of a row that cannot be read; its hash does not fit."""

_COLUMNS = ("at", "site")


def rows() -> Select[int, int, str, str, str, str]:
    """Selects records, in no order yet; a number that no chain has hides nothing, and shows nothing."""
    columns = table.c
    chosen = select(columns.number, columns.at, columns.site, columns.data, columns.before, columns.hash)
    return chosen.where(columns.number > 0)


def append(connection: Connection, entry: AuditEntry) -> AuditRecord:
    """Add an entry behind the newest record; nobody else adds until the transaction has ended.

    Raises:
        TerminalError: the entry would not come back as it is.
    """
    fields = _fields(entry)
    kept = read(AuditEntry, fields)
    take_turn(connection)
    newest = connection.execute(rows().order_by(table.c.number.desc()).limit(1)).first()
    record = audit.record(kept, newest and record_of(newest))
    row = {
        "number": record.number,
        "at": microseconds(entry.at),
        "site": entry.site,
        "data": canonical({name: value for name, value in fields.items() if name not in _COLUMNS}),
        "before": record.before,
        "hash": record.hash,
    }
    connection.execute(insert(table), row)
    return record


def record_of(row: AuditRow) -> AuditRecord:
    """The record that a row holds; what cannot be read keeps its place, and does not fit into the chain."""
    try:
        entry = _entry(row)
    except (TerminalError, ValueError, TypeError, OverflowError) as error:
        entry = AuditEntry(time_of(0), "", UNREADABLE, row.site, reason=str(error))
    return AuditRecord(row.number, entry, row.before, row.hash)


def _entry(row: AuditRow) -> AuditEntry:
    data = load(row.data)
    if not isinstance(data, dict):
        raise TerminalError("an audit record's data is no object")
    return read(AuditEntry, {**data, "at": to_data(time_of(row.at)), "site": row.site})


def _fields(entry: AuditEntry) -> dict[str, Data]:
    fields = to_data(entry)
    if not isinstance(fields, dict):
        raise TypeError("an entry is an object")
    return fields
