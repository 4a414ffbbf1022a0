"""The first schema: statuses, runs, what was applied, last good specs, wishes, approvals, notes."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("statuses", "applied", "remembered"):
        op.create_table(
            name,
            sa.Column("site", sa.Text(), nullable=False),
            sa.Column("data", sa.Text(), nullable=False),
            sa.PrimaryKeyConstraint("site", name=f"pk_{name}"),
        )
    _runs()
    _wishes()
    op.create_table(
        "notes",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_notes"),
    )


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
    )
    op.create_index("ix_runs_site_started_at_id", "runs", ["site", "started_at", "id"])
    op.create_index("ix_runs_started_at_id", "runs", ["started_at", "id"])
    unended = sa.text("ended_at IS NULL")
    op.create_index("ix_runs_open", "runs", ["id"], sqlite_where=unended, postgresql_where=unended)


def _wishes() -> None:
    op.create_table(
        "intents",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("intent", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("site", "intent", name="pk_intents"),
    )
    op.create_table(
        "approvals",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=False),
        sa.Column("approved_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site", "plan", name="pk_approvals"),
    )


def downgrade() -> None:
    for name in ("notes", "approvals", "intents", "runs", "remembered", "applied", "statuses"):
        op.drop_table(name)
