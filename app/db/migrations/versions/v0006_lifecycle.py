"""How long calls are kept: legal holds, and when a recording was missed or deleted and words were deleted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_TIMES = ("audio_missing_at", "audio_deleted_at", "text_deleted_at")
_PARTIAL = (
    ("ix_calls_with_audio", "audio_key IS NOT NULL", "audio_key IS NOT NULL"),
    ("ix_calls_with_text", "text_deleted_at IS NULL", "text_deleted_at IS NULL"),
    ("ix_calls_held", "legal_hold", "legal_hold = 1"),
)


def upgrade() -> None:
    op.add_column("calls", sa.Column("legal_hold", sa.Boolean(), nullable=False, server_default=sa.false()))
    for name in _TIMES:
        op.add_column("calls", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    _collate_audio_key('"C"')
    op.create_index("ix_calls_audio_key", "calls", ["audio_key"])
    for name, on_postgresql, on_sqlite in _PARTIAL:
        op.create_index(
            name,
            "calls",
            ["created_at", "call_id"],
            postgresql_where=sa.text(on_postgresql),
            sqlite_where=sa.text(on_sqlite),
        )


def downgrade() -> None:
    for name in ("ix_calls_audio_key", *(name for name, _, _ in _PARTIAL)):
        op.drop_index(name, "calls")
    _collate_audio_key('"default"')
    for name in ("legal_hold", *_TIMES):
        op.drop_column("calls", name)


def _collate_audio_key(collation: str) -> None:
    """Byte by byte, as storages list their keys; SQLite compares so by itself."""
    if op.get_context().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE calls ALTER COLUMN audio_key TYPE text COLLATE pg_catalog.{collation}")
