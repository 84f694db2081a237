"""Names that a call's recogniser is told of, and words whose times were not heard but estimated."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("calls", sa.Column("vocabulary", sa.JSON(), nullable=True))
    op.add_column("words", sa.Column("estimated", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column("words", "estimated")
    op.drop_column("calls", "vocabulary")
