"""Reviewers' verdicts on moments."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "moment_reviews",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("call_id", _ID, nullable=False),
        *_texts("moment_id", "verdict"),
        *_texts("correct_type", "correct_subtype", "note", nullable=True),
        *_texts("type"),
        *_texts("subtype", nullable=True),
        sa.Column("confidence", sa.Double(), nullable=False),
        *_texts("source", "rule", "playbook", "revision", "role", "evidence"),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("start_char", "end_char")),
        *(sa.Column(name, sa.Double(), nullable=False) for name in ("start_s", "end_s")),
        *_texts("language", "segment_text", "segment_role", nullable=True),
        sa.Column("segment_labels", sa.JSON(), nullable=True),
        *_texts("before_role", "before_text", nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_moment_reviews"),
        sa.UniqueConstraint("call_id", "moment_id", name="uq_moment_reviews_call_id_moment_id"),
        sa.ForeignKeyConstraint(
            ["call_id"], ["calls.call_id"], name="fk_moment_reviews_call_id_calls", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_moment_reviews_playbook", "moment_reviews", ["playbook", "revision"])


def downgrade() -> None:
    op.drop_table("moment_reviews")


def _texts(*names: str, nullable: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=nullable) for name in names]
