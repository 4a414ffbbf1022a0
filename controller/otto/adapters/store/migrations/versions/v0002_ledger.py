"""The guard's ledger: grants in place of approvals, removals, charges, and the audit record."""

import json
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# An approval had no end. This long it goes on to hold from when it was given, as new ones do.
_HOLDS = timedelta(hours=24)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# SQLite: a row that REPLACE drops fires no trigger, so an insertion looks at the number as well.
_SQLITE = (
    """
    CREATE TRIGGER audit_update BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit record is only added to'); END
    """,
    """
    CREATE TRIGGER audit_delete BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit record is only added to'); END
    """,
    """
    CREATE TRIGGER audit_insert BEFORE INSERT ON audit
    WHEN NEW.number <> (SELECT COALESCE(MAX(number), 0) + 1 FROM audit)
    BEGIN SELECT RAISE(ABORT, 'an audit record has the number behind the newest'); END
    """,
)
_POSTGRESQL = (
    """
    CREATE FUNCTION audit_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'the audit record is only added to'; END $$
    """,
    """
    CREATE TRIGGER audit_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_kept()
    """,
    """
    CREATE FUNCTION audit_is_in_order() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.number <> (SELECT COALESCE(MAX(number), 0) + 1 FROM audit) THEN
            RAISE EXCEPTION 'an audit record has the number behind the newest';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER audit_in_order BEFORE INSERT ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_is_in_order()
    """,
)


def upgrade() -> None:
    _grants()
    _counted()
    _audit()
    _approvals_become_grants()
    op.drop_table("approvals")


def _grants() -> None:
    op.create_table(
        "grants",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=True),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_grants"),
    )
    op.create_index("ix_grants_site_kind", "grants", ["site", "kind"])


def _counted() -> None:
    op.create_table(
        "removals",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("site", "host", "at", name="pk_removals"),
    )
    op.create_index("ix_removals_at", "removals", ["at"])
    op.create_table(
        "charges",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("site", "at", name="pk_charges"),
    )


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit"),
    )
    op.create_index("ix_audit_site_number", "audit", ["site", "number"])
    for statement in _POSTGRESQL if op.get_bind().dialect.name == "postgresql" else _SQLITE:
        op.execute(statement)


def _approvals_become_grants() -> None:
    found = op.get_bind().execute(sa.text("SELECT site, plan, approved_by, approved_at FROM approvals"))
    rows = [_grant(row.site, row.plan, row.approved_by, row.approved_at) for row in found]
    names = ("key", "site", "kind", "ends_at", "data")
    table = sa.table("grants", *(sa.column(name) for name in names))
    if rows:
        op.bulk_insert(table, rows)


def _grant(site: str, plan: str, by: str, approved_at: int) -> dict[str, object]:
    """A row as OttO wrote it when this migration was made."""
    at = _EPOCH + timedelta(microseconds=approved_at)
    data = {
        "at": at.isoformat(),
        "by": by,
        "held": [],
        "kind": "approve",
        "plan": plan,
        "reason": "",
        "site": site,
        "until": (at + _HOLDS).isoformat(),
    }
    return {
        "key": f"approve/{site}/{plan}/{by}/",
        "site": site,
        "kind": "approve",
        "ends_at": approved_at + _HOLDS // _MICROSECOND,
        "data": json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False),
    }


def downgrade() -> None:
    """The grants go: an older OttO would take each for an approval without end, by enough people."""
    for name in ("audit", "charges", "removals", "grants"):
        op.drop_table(name)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_is_kept()")
        op.execute("DROP FUNCTION audit_is_in_order()")
    op.create_table(
        "approvals",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=False),
        sa.Column("approved_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site", "plan", name="pk_approvals"),
    )
