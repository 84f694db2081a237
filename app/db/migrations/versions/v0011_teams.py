"""The team whose agent spoke in a call."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("calls", sa.Column("team_id", _ID, nullable=True))
    op.create_index("ix_calls_team", "calls", ["team_id", "created_at", "call_id"])


def downgrade() -> None:
    op.drop_index("ix_calls_team", "calls")
    op.drop_column("calls", "team_id")
