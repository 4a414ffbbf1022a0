"""The tables, as the newest migration leaves them.

A value of the model is kept as one JSON text, `data`, as `otto.model.canonical` writes it; only what is
looked up or sorted by has a column. Times are microseconds since 1970 in UTC: exact, and the same in
every database.
"""

from datetime import UTC, datetime, timedelta

from sqlalchemy import BigInteger, Boolean, Column, Index, MetaData, Table, Text

HEAD = "0005"
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
    Column("outcome", Text, nullable=False, server_default=""),
    Column("data", Text, nullable=False),
)
Index("ix_runs_outcome_started_at_id", runs.c.outcome, runs.c.started_at, runs.c.id)
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

notes = Table(
    "notes",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

grants = Table(
    "grants",
    metadata,
    Column("key", Text, primary_key=True),
    Column("site", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("ends_at", BigInteger),
    Column("data", Text, nullable=False),
)
Index("ix_grants_site_kind", grants.c.site, grants.c.kind)

removals = Table(
    "removals",
    metadata,
    Column("site", Text, primary_key=True),
    Column("host", Text, primary_key=True),
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    Column("data", Text, nullable=False),
)
Index("ix_removals_at", removals.c.at)

charges = Table(
    "charges",
    metadata,
    Column("site", Text, primary_key=True),
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    Column("data", Text, nullable=False),
)

# What has a column of its own is not in `data` as well: there is one of everything, and all of it is hashed.
audit = Table(
    "audit",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("site", Text, nullable=False),
    Column("data", Text, nullable=False),
    Column("before", Text, nullable=False),
    Column("hash", Text, nullable=False),
)
Index("ix_audit_site_number", audit.c.site, audit.c.number)

images = Table(
    "images",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("built_at", BigInteger, nullable=False),
    Column("data", Text, nullable=False),
)
Index("ix_images_name_built_at", images.c.name, images.c.built_at)

channels = Table(
    "channels",
    metadata,
    Column("image", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("data", Text, nullable=False),
)

rollouts = Table(
    "rollouts",
    metadata,
    Column("site", Text, primary_key=True),
    Column("data", Text, nullable=False),
)

pipelines = Table(
    "pipelines",
    metadata,
    Column("id", Text, primary_key=True),
    Column("site", Text, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("data", Text, nullable=False),
)
Index("ix_pipelines_site_started_at_id", pipelines.c.site, pipelines.c.started_at, pipelines.c.id)
Index("ix_pipelines_started_at_id", pipelines.c.started_at, pipelines.c.id)
Index(
    "ix_pipelines_open",
    pipelines.c.id,
    sqlite_where=pipelines.c.ended_at.is_(None),
    postgresql_where=pipelines.c.ended_at.is_(None),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("data", Text, nullable=False),
)
Index("ix_tokens_digest", tokens.c.digest, unique=True)

# Names are sorted byte by byte in every database, so that pages follow each other the same way in all.
_NAME = Text().with_variant(Text(collation="C"), "postgresql")

# Every site with a status or a remembered spec, for lists: the two are JSON, and large.
sites = Table(
    "sites",
    metadata,
    Column("site", _NAME, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("phase", Text, nullable=False),
    Column("ready", Boolean, nullable=False),
    Column("provider", Text, nullable=False),
    Column("labels", Text, nullable=False),
)
Index("ix_sites_phase_site", sites.c.phase, sites.c.site)

labels = Table(
    "labels",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("site", _NAME, primary_key=True),
)
Index("ix_labels_site", labels.c.site)

OF_A_SITE = (statuses, applied, remembered, intents, grants, rollouts, sites, labels)
"""What goes with a site that is destroyed; its runs, charges and removals stay, and the audit record."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(at: datetime) -> int:
    """A time as it is kept in a column."""
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def time_of(kept: int) -> datetime:
    """A time out of a column.

    Raises:
        OverflowError: no time is that far away.
    """
    return _EPOCH + timedelta(microseconds=kept)
