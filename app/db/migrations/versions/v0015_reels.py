"""Rendered reels, and the calls that they show."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "reels",
        sa.Column("reel_id", _ID, nullable=False),
        sa.Column("audio_key", _ID, nullable=False),
        sa.Column("audio_bytes", sa.BigInteger(), nullable=False),
        sa.Column("duration_s", sa.Double(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("cues", sa.JSON(), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("reel_id", name="pk_reels"),
    )
    op.create_index("ix_reels_audio_key", "reels", ["audio_key"])
    op.create_index("ix_reels_created", "reels", ["created_at"])
    op.create_table(
        "reel_calls",
        sa.Column("reel_id", _ID, nullable=False),
        sa.Column("call_id", _ID, nullable=False),
        sa.PrimaryKeyConstraint("reel_id", "call_id", name="pk_reel_calls"),
        sa.ForeignKeyConstraint(
            ["reel_id"], ["reels.reel_id"], name="fk_reel_calls_reel_id_reels", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["call_id"], ["calls.call_id"], name="fk_reel_calls_call_id_calls", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_reel_calls_call_id", "reel_calls", ["call_id"])


def downgrade() -> None:
    op.drop_table("reel_calls")
    op.drop_table("reels")
