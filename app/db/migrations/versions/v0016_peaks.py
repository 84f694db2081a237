"""Peaks of recordings, for waveforms; those of older calls are made when they are first looked at."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "peaks",
        sa.Column("call_id", _ID, nullable=False),
        sa.Column("step_s", sa.Double(), nullable=False),
        sa.Column("channel_count", sa.Integer(), nullable=False),
        sa.Column("levels", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("call_id", name="pk_peaks"),
        sa.ForeignKeyConstraint(
            ["call_id"], ["calls.call_id"], name="fk_peaks_call_id_calls", ondelete="CASCADE"
        ),
    )


def downgrade() -> None:
    op.drop_table("peaks")
