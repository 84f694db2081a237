"""Speakers with roles, metrics, channels, moments that belong to the call, and a reviewer's corrections."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_RESULT_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_EDITED_FROM = "fk_results_edited_from_results"
_MOMENT_COLUMNS = (
    "public_id", "type", "subtype", "confidence", "source", "rule", "why", "tip", "speaker", "role",
    "evidence_text", "evidence_start_char", "evidence_end_char", "evidence_start_s", "evidence_end_s",
    "evidence_first_word", "evidence_last_word",
)  # fmt: skip


def upgrade() -> None:
    op.add_column("calls", sa.Column("agent_channel", sa.Integer(), nullable=True))
    op.add_column("calls", sa.Column("num_speakers", sa.Integer(), nullable=True))
    op.add_column("words", sa.Column("channel", sa.Integer(), nullable=True))
    _widen_results()
    _create_speakers()
    _number_moments_by_result()


def downgrade() -> None:
    _drop_corrected_versions()
    _number_moments_by_segment()
    op.drop_table("speakers")
    op.drop_index("ix_results_edited_from", "results")
    with op.batch_alter_table("results") as results:
        results.drop_constraint(_EDITED_FROM, type_="foreignkey")
        for column in ("edited_from", "edits", "separate_channels", "loudness", "metrics"):
            results.drop_column(column)
    op.drop_column("words", "channel")
    op.drop_column("calls", "num_speakers")
    op.drop_column("calls", "agent_channel")


def _drop_corrected_versions() -> None:
    """The older schema does not know them: the analyses that they started from are shown again."""
    op.execute(
        "UPDATE calls SET current_result_id = (SELECT coalesce(edited_from, id) FROM results "
        "WHERE results.id = calls.current_result_id)"
    )
    results = sa.table("results", sa.column("id"), sa.column("edited_from"))
    corrected = sa.select(results.c.id).where(results.c.edited_from.is_not(None))
    # One by one: nothing cascades while SQLite migrates.
    for name in ("moments", "words", "segments", "transcripts", "speakers"):
        part = sa.table(name, sa.column("result_id"))
        op.execute(sa.delete(part).where(part.c.result_id.in_(corrected)))
    op.execute(sa.delete(results).where(results.c.edited_from.is_not(None)))


def _widen_results() -> None:
    with op.batch_alter_table("results") as results:
        results.add_column(sa.Column("metrics", sa.JSON(), nullable=True))
        results.add_column(sa.Column("loudness", sa.JSON(), nullable=False, server_default="[]"))
        results.add_column(
            sa.Column("separate_channels", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        results.add_column(sa.Column("edits", sa.JSON(), nullable=False, server_default="[]"))
        results.add_column(sa.Column("edited_from", _RESULT_ID, nullable=True))
        results.create_foreign_key(_EDITED_FROM, "results", ["edited_from"], ["id"], ondelete="CASCADE")
    with op.batch_alter_table("results") as results:
        for column in ("loudness", "separate_channels", "edits"):
            results.alter_column(column, server_default=None)
    op.create_index("ix_results_edited_from", "results", ["edited_from"])


def _create_speakers() -> None:
    op.create_table(
        "speakers",
        sa.Column("result_id", _RESULT_ID, autoincrement=False, nullable=False),
        sa.Column("idx", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("speaker", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("role_confidence", sa.Double(), nullable=False),
        sa.Column("role_source", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("channel", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("result_id", "idx", name="pk_speakers"),
        sa.ForeignKeyConstraint(
            ["result_id"], ["results.id"], name="fk_speakers_result_id_results", ondelete="CASCADE"
        ),
    )
    op.execute(
        "INSERT INTO speakers (result_id, idx, speaker, role, role_confidence, role_source) "
        "SELECT result_id, ROW_NUMBER() OVER (PARTITION BY result_id ORDER BY MIN(idx)) - 1, speaker, "
        "'unknown', 0, 'none' FROM segments GROUP BY result_id, speaker"
    )


def _number_moments_by_result() -> None:
    op.rename_table("moments", "moments_before")
    _drop_moments_names()
    _create_moments(
        sa.Column("idx", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("segment", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("result_id", "idx", name="pk_moments"),
        sa.ForeignKeyConstraint(
            ["result_id"], ["results.id"], name="fk_moments_result_id_results", ondelete="CASCADE"
        ),
        speaker_nullable=True,
    )
    before = _moments_before()
    place = sa.func.row_number().over(
        partition_by=before.c.result_id, order_by=[before.c.segment, before.c.idx]
    )
    _copy_moments(before, place, sa.true())
    _replace_moments()


def _number_moments_by_segment() -> None:
    op.rename_table("moments", "moments_before")
    _drop_moments_names()
    _create_moments(
        sa.Column("segment", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("idx", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("result_id", "segment", "idx", name="pk_moments"),
        speaker_nullable=False,
    )
    before = _moments_before()
    place = sa.func.row_number().over(
        partition_by=[before.c.result_id, before.c.segment], order_by=before.c.idx
    )
    _copy_moments(before, place, before.c.segment.is_not(None))
    _replace_moments()


def _moments_before() -> sa.TableClause:
    return sa.table("moments_before", *map(sa.column, ("result_id", "segment", "idx", *_MOMENT_COLUMNS)))


def _copy_moments(before: sa.TableClause, place: sa.Over[int], kept: sa.ColumnElement[bool]) -> None:
    copied = ("result_id", "segment", *_MOMENT_COLUMNS)
    moments = sa.table("moments", *map(sa.column, (*copied, "idx")))
    rows = sa.select(*(before.c[name] for name in copied), place - 1).where(kept)
    op.execute(sa.insert(moments).from_select([*copied, "idx"], rows))


def _drop_moments_names() -> None:
    """Names of indexes and constraints go with a renamed table, and PostgreSQL lets no other have them."""
    op.drop_index("ix_moments_type", "moments_before")
    if op.get_bind().dialect.name != "sqlite":
        for name in ("uq_moments_result_id_public_id", "pk_moments"):
            op.drop_constraint(name, "moments_before")


def _replace_moments() -> None:
    op.drop_table("moments_before")
    op.create_index("ix_moments_type", "moments", ["type", "result_id"])


def _create_moments(*places: sa.Column[object] | sa.Constraint, speaker_nullable: bool) -> None:
    op.create_table(
        "moments",
        sa.Column("result_id", _RESULT_ID, autoincrement=False, nullable=False),
        *places,
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subtype", sa.Text(), nullable=True),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("tip", sa.Text(), nullable=False),
        sa.Column("speaker", sa.Text(), nullable=speaker_nullable),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("evidence_text", sa.Text(), nullable=False),
        sa.Column("evidence_start_char", sa.Integer(), nullable=False),
        sa.Column("evidence_end_char", sa.Integer(), nullable=False),
        sa.Column("evidence_start_s", sa.Double(), nullable=False),
        sa.Column("evidence_end_s", sa.Double(), nullable=False),
        sa.Column("evidence_first_word", sa.Integer(), nullable=False),
        sa.Column("evidence_last_word", sa.Integer(), nullable=False),
        sa.UniqueConstraint("result_id", "public_id", name="uq_moments_result_id_public_id"),
        sa.ForeignKeyConstraint(
            ["result_id", "segment"],
            ["segments.result_id", "segments.idx"],
            name="fk_moments_result_id_segment_segments",
            ondelete="CASCADE",
        ),
    )
