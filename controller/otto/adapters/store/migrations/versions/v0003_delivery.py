"""Delivery: golden images and their channels, rollouts, and pipelines."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _images()
    op.create_table(
        "rollouts",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("site", name="pk_rollouts"),
    )
    _pipelines()


def _images() -> None:
    op.create_table(
        "images",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("built_at", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_images"),
    )
    op.create_index("ix_images_name_built_at", "images", ["name", "built_at"])
    op.create_table(
        "channels",
        sa.Column("image", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("image", "name", name="pk_channels"),
    )


def _pipelines() -> None:
    op.create_table(
        "pipelines",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_pipelines"),
    )
    op.create_index("ix_pipelines_site_started_at_id", "pipelines", ["site", "started_at", "id"])
    op.create_index("ix_pipelines_started_at_id", "pipelines", ["started_at", "id"])
    op.create_index(
        "ix_pipelines_open",
        "pipelines",
        ["id"],
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def downgrade() -> None:
    for name in ("pipelines", "rollouts", "channels", "images"):
        op.drop_table(name)
