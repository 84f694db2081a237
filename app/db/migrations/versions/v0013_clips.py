"""Clips of calls, with a copy of the sound each."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "clips",
        sa.Column("clip_id", _ID, nullable=False),
        sa.Column("call_id", _ID, nullable=False),
        sa.Column("moment_id", sa.Text(), nullable=True),
        sa.Column("folder", _ID, nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("start_s", sa.Double(), nullable=False),
        sa.Column("end_s", sa.Double(), nullable=False),
        sa.Column("type", sa.Text(), nullable=True),
        sa.Column("subtype", sa.Text(), nullable=True),
        sa.Column("excerpt", sa.JSON(), nullable=False),
        sa.Column("consent", sa.Text(), nullable=False),
        sa.Column("consent_by", sa.Text(), nullable=True),
        sa.Column("consent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("audio_key", _ID, nullable=False),
        sa.Column("audio_bytes", sa.BigInteger(), nullable=False),
        sa.Column("audio_sha256", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("clip_id", name="pk_clips"),
        sa.ForeignKeyConstraint(
            ["call_id"], ["calls.call_id"], name="fk_clips_call_id_calls", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_clips_created", "clips", ["created_at", "clip_id"])
    op.create_index("ix_clips_folder", "clips", ["folder", "created_at", "clip_id"])
    op.create_index("ix_clips_call_id", "clips", ["call_id"])
    op.create_index("ix_clips_audio_key", "clips", ["audio_key"])


def downgrade() -> None:
    op.drop_table("clips")
