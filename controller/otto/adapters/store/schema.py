"""The tables, as the newest migration leaves them.

A value of the model is kept as one JSON text, `data`, as `otto.model.canonical` writes it; only what is
looked up or sorted by has a column. Times are microseconds since 1970 in UTC: exact, and the same in
every database.
"""

from datetime import UTC, datetime

from sqlalchemy import BigInteger, Column, Index, MetaData, Table, Text

HEAD = "0001"
"""The revision of the newest migration."""

metadata = MetaData(
    naming_convention={"pk": "pk_%(table_name)s", "ix": "ix_%(table_name)s_%(column_0_N_name)s"}
)

statuses = Table(
    "statuses",
    metadata,
    Column("site", Text, primary_key=True),
    Column("data", Text, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("site", Text, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("data", Text, nullable=False),
)
Index("ix_runs_site_started_at_id", runs.c.site, runs.c.started_at, runs.c.id)
Index("ix_runs_started_at_id", runs.c.started_at, runs.c.id)
Index(
    "ix_runs_open",
    runs.c.id,
    sqlite_where=runs.c.ended_at.is_(None),
    postgresql_where=runs.c.ended_at.is_(None),
)

applied = Table(
    "applied",
    metadata,
    Column("site", Text, primary_key=True),
    Column("data", Text, nullable=False),
)

remembered = Table(
    "remembered",
    metadata,
    Column("site", Text, primary_key=True),
    Column("data", Text, nullable=False),
)

intents = Table(
    "intents",
    metadata,
    Column("site", Text, primary_key=True),
    Column("intent", Text, primary_key=True),
)

approvals = Table(
    "approvals",
    metadata,
    Column("site", Text, primary_key=True),
    Column("plan", Text, primary_key=True),
    Column("approved_by", Text, nullable=False),
    Column("approved_at", BigInteger, nullable=False),
)

notes = Table(
    "notes",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

OF_A_SITE = (statuses, applied, remembered, intents, approvals)
"""What goes with a site that is destroyed; its runs stay."""


def microseconds(at: datetime) -> int:
    """A time as it is kept in a column."""
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
