"""Calls that outlive their workers: queues, claims, what was heard so far, request keys, who is at work."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    for column in (
        sa.Column("queue", sa.Text(), nullable=True),
        sa.Column("queued_at", _TIME, nullable=True),
        sa.Column("rung_at", _TIME, nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("token", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("percent", sa.Double(), nullable=False, server_default="0"),
        sa.Column("duplicate_of", _ID, nullable=True),
    ):
        op.add_column("calls", column)
    op.execute(
        "UPDATE calls SET queue = 'transcribe', queued_at = created_at, owner = NULL, heartbeat_at = NULL, "
        "status = 'queued' WHERE status IN ('queued', 'processing')"
    )
    op.execute("UPDATE calls SET percent = 100 WHERE status IN ('completed', 'completed_with_warnings')")
    op.create_index("ix_calls_queue", "calls", ["queue", "priority", "queued_at", "call_id"])
    unfinished = sa.text("queue IS NOT NULL")
    op.create_index(
        "ix_calls_rung", "calls", ["queue", "rung_at"], sqlite_where=unfinished, postgresql_where=unfinished
    )
    op.create_index("ix_calls_audio_sha256", "calls", ["audio_sha256", "created_at"])
    _create_checkpoints()
    _create_idempotency_keys()
    _create_workers()


def downgrade() -> None:
    for table in ("workers", "idempotency_keys", "checkpoints"):
        op.drop_table(table)
    for index in ("ix_calls_audio_sha256", "ix_calls_rung", "ix_calls_queue"):
        op.drop_index(index, "calls")
    for column in (
        "duplicate_of", "percent", "attempts", "token", "priority", "rung_at", "queued_at", "queue",
    ):  # fmt: skip
        op.drop_column("calls", column)


def _create_checkpoints() -> None:
    op.create_table(
        "checkpoints",
        sa.Column("call_id", _ID, nullable=False),
        sa.Column("heard", sa.Text(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("call_id", name="pk_checkpoints"),
        sa.ForeignKeyConstraint(
            ["call_id"], ["calls.call_id"], name="fk_checkpoints_call_id_calls", ondelete="CASCADE"
        ),
    )


def _create_idempotency_keys() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("key", _ID, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("call_id", _ID, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_idempotency_keys"),
        sa.ForeignKeyConstraint(
            ["call_id"], ["calls.call_id"], name="fk_idempotency_keys_call_id_calls", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_idempotency_keys_call_id", "idempotency_keys", ["call_id"])
    op.create_index("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"])


def _create_workers() -> None:
    op.create_table(
        "workers",
        sa.Column("owner", _ID, nullable=False),
        sa.Column("queues", sa.JSON(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("started_at", _TIME, nullable=False),
        sa.Column("heartbeat_at", _TIME, nullable=False),
        sa.Column("claimed_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("owner", name="pk_workers"),
    )
