"""Reviewers' verdicts on moments."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0006"
branch_labels = None
depends_on = None

_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "moment_reviews",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("call_id", _ID, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("moment_id", "verdict")),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("correct_type", "correct_subtype", "note")),
        *_moment(),
        *_words(),
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


def _moment() -> list[sa.Column[object]]:
    return [
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subtype", sa.Text(), nullable=True),
        sa.Column("confidence", sa.Double(), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("source", "rule", "playbook", "revision", "role", "evidence")
        ),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("start_char", "end_char")),
        *(sa.Column(name, sa.Double(), nullable=False) for name in ("start_s", "end_s")),
    ]


def _words() -> list[sa.Column[object]]:
    return [
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("language", "segment_text", "segment_role")),
        sa.Column("segment_labels", sa.JSON(), nullable=True),
        *(
            sa.Column(name, sa.Text(), nullable=True)
            for name in ("segment_sentiment", "before_role", "before_text")
        ),
    ]
