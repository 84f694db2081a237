"""Reviewers' comments at a time of a call."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "call_comments",
        sa.Column("comment_id", _ID, nullable=False),
        sa.Column("call_id", _ID, nullable=False),
        sa.Column("time_s", sa.Double(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=True),
        *(
            sa.Column(name, sa.DateTime(timezone=True), nullable=False)
            for name in ("created_at", "updated_at")
        ),
        sa.PrimaryKeyConstraint("comment_id", name="pk_call_comments"),
        sa.ForeignKeyConstraint(
            ["call_id"], ["calls.call_id"], name="fk_call_comments_call_id_calls", ondelete="CASCADE"
        ),
    )
    op.create_index(
        "ix_call_comments_call", "call_comments", ["call_id", "time_s", "created_at", "comment_id"]
    )


def downgrade() -> None:
    op.drop_table("call_comments")
