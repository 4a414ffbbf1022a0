"""Sites, listed: their names, phases and labels by themselves, so that a page costs what it shows."""

import json
import secrets
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_BATCH = 1000


def upgrade() -> None:
    sites = op.create_table(
        "sites",
        sa.Column("site", _NAME, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("ready", sa.Boolean(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("site", name="pk_sites"),
    )
    labels = op.create_table(
        "labels",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("site", _NAME, nullable=False),
        sa.PrimaryKeyConstraint("name", "value", "site", name="pk_labels"),
    )
    _fill(sites, labels)
    op.create_index("ix_sites_phase_site", "sites", ["phase", "site"])
    op.create_index("ix_labels_site", "labels", ["site"])
    op.add_column("runs", sa.Column("outcome", sa.Text(), nullable=False, server_default=""))
    _outcomes()
    op.create_index("ix_runs_outcome_started_at_id", "runs", ["outcome", "started_at", "id"])


def _fill(sites: sa.Table, labels: sa.Table) -> None:
    connection = op.get_bind()
    found: dict[str, dict[str, Any]] = {}
    for site, data in _rows("statuses"):
        conditions = data.get("conditions") or {}
        ready = (conditions.get("Ready") or {}).get("status") == "True"
        found[site] = _row(site, data.get("phase"), data.get("provider"), data.get("labels"), ready=ready)
    for site, data in _rows("remembered"):
        spec = data.get("spec") or {}
        known = found.get(site) or _row(site, "Pending", spec.get("provider"), None, ready=False)
        found[site] = {**known, "labels": _text(spec.get("labels"))}
    if found:
        connection.execute(sa.insert(sites), list(found.values()))
    marks = [
        {"name": name, "value": value, "site": row["site"]}
        for row in found.values()
        for name, value in json.loads(row["labels"]).items()
    ]
    if marks:
        connection.execute(sa.insert(labels), marks)


def _rows(table: str) -> Iterator[tuple[str, dict[str, Any]]]:
    rows = op.get_bind().execute(sa.text(f"SELECT site, data FROM {table}"))  # noqa: S608  (ours)
    for site, text in rows:
        try:
            data = json.loads(text)
        except ValueError:  # counts as not there, as it does in the store
            continue
        if isinstance(data, dict):
            yield site, data


def _row(site: str, phase: object, provider: object, labels: object, *, ready: bool) -> dict[str, Any]:
    return {
        "site": site,
        "version": secrets.randbits(62),
        "phase": str(phase or "Pending"),
        "ready": ready,
        "provider": str(provider or ""),
        "labels": _text(labels),
    }


def _text(labels: object) -> str:
    known = {str(name): str(value) for name, value in labels.items()} if isinstance(labels, dict) else {}
    return json.dumps(known, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _outcomes() -> None:
    connection = op.get_bind()
    last = ""
    while rows := connection.execute(
        sa.text("SELECT id, data FROM runs WHERE id > :last ORDER BY id LIMIT :batch"),
        {"last": last, "batch": _BATCH},
    ).all():
        told = [{"key": key, "outcome": _outcome(data)} for key, data in rows]
        connection.execute(sa.text("UPDATE runs SET outcome = :outcome WHERE id = :key"), told)
        last = rows[-1][0]


def _outcome(data: str) -> str:
    try:
        return str(json.loads(data).get("outcome") or "")
    except (ValueError, AttributeError):
        return ""


def downgrade() -> None:
    op.drop_index("ix_runs_outcome_started_at_id", "runs")
    op.drop_column("runs", "outcome")
    op.drop_table("labels")
    op.drop_table("sites")
