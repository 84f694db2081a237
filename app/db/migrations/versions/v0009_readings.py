"""What the trained reader made of each segment, so that other rules can be tried without asking it again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("segments", sa.Column("reading", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("segments", "reading")
