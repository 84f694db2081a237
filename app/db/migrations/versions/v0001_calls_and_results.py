"""Calls, results, transcripts, segments, words and moments."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_RESULT_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)
_CURRENT = "fk_calls_current_result_id_results"


def upgrade() -> None:
    _create_calls()
    _create_results()
    _create_segments()
    _create_words()
    _create_moments()


def downgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint(_CURRENT, "calls", type_="foreignkey")
    for table in ("moments", "words", "segments", "transcripts", "results", "calls"):
        op.drop_table(table)


def _create_calls() -> None:
    constraints: list[sa.Constraint] = [sa.PrimaryKeyConstraint("call_id", name="pk_calls")]
    if op.get_bind().dialect.name == "sqlite":
        # SQLite cannot add a constraint later, but lets this one name a table that is yet to come.
        constraints.append(
            sa.ForeignKeyConstraint(["current_result_id"], ["results.id"], name=_CURRENT, ondelete="SET NULL")
        )
    op.create_table(
        "calls",
        sa.Column("call_id", _ID, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("audio_key", sa.Text(), nullable=True),
        sa.Column("audio_sha256", sa.Text(), nullable=False),
        sa.Column("audio_bytes", sa.BigInteger(), nullable=False),
        sa.Column("agent_id", _ID, nullable=True),
        sa.Column("customer_id", _ID, nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("started_at", _TIME, nullable=True),
        sa.Column("direction", sa.Text(), nullable=True),
        sa.Column("metadata", sa.JSON(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.Column("completed_at", _TIME, nullable=True),
        sa.Column("stage", sa.Text(), nullable=True),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("heartbeat_at", _TIME, nullable=True),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("failure_stage", sa.Text(), nullable=True),
        sa.Column("failure_detail", sa.Text(), nullable=True),
        sa.Column("failure_status", sa.Integer(), nullable=True),
        sa.Column("duration_s", sa.Double(), nullable=True),
        sa.Column("current_result_id", _RESULT_ID, nullable=True),
        *constraints,
    )
    op.create_index("ix_calls_created", "calls", ["created_at", "call_id"])
    op.create_index("ix_calls_agent", "calls", ["agent_id", "created_at", "call_id"])
    op.create_index("ix_calls_customer", "calls", ["customer_id", "created_at", "call_id"])
    op.create_index("ix_calls_status", "calls", ["status", "created_at", "call_id"])
    op.create_index("ix_calls_current_result_id", "calls", ["current_result_id"])


def _create_results() -> None:
    op.create_table(
        "results",
        sa.Column("id", _RESULT_ID, autoincrement=True, nullable=False),
        sa.Column("call_id", _ID, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("engines", sa.JSON(), nullable=False),
        sa.Column("degraded", sa.Boolean(), nullable=False),
        sa.Column("warnings", sa.JSON(), nullable=False),
        sa.Column("failed_stages", sa.JSON(), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("language_confidence", sa.Double(), nullable=True),
        sa.Column("duration_s", sa.Double(), nullable=False),
        sa.Column("playbook", sa.Text(), nullable=False),
        sa.Column("playbook_revision", sa.Text(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_results"),
        sa.UniqueConstraint("call_id", "version", name="uq_results_call_id_version"),
        sa.ForeignKeyConstraint(
            ["call_id"], ["calls.call_id"], name="fk_results_call_id_calls", ondelete="CASCADE"
        ),
    )
    if op.get_bind().dialect.name != "sqlite":
        op.create_foreign_key(
            _CURRENT, "calls", "results", ["current_result_id"], ["id"], ondelete="SET NULL"
        )
    op.create_table(
        "transcripts",
        sa.Column("result_id", _RESULT_ID, autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("result_id", name="pk_transcripts"),
        sa.ForeignKeyConstraint(
            ["result_id"], ["results.id"], name="fk_transcripts_result_id_results", ondelete="CASCADE"
        ),
    )


def _create_segments() -> None:
    op.create_table(
        "segments",
        sa.Column("result_id", _RESULT_ID, autoincrement=False, nullable=False),
        sa.Column("idx", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("speaker", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("start_s", sa.Double(), nullable=False),
        sa.Column("end_s", sa.Double(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sentiment_label", sa.Text(), nullable=True),
        sa.Column("sentiment_score", sa.Double(), nullable=True),
        sa.Column("sentiment_positive", sa.Double(), nullable=True),
        sa.Column("sentiment_neutral", sa.Double(), nullable=True),
        sa.Column("sentiment_negative", sa.Double(), nullable=True),
        sa.Column("is_coachable", sa.Boolean(), nullable=False),
        sa.Column("coachable_type", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("result_id", "idx", name="pk_segments"),
        sa.ForeignKeyConstraint(
            ["result_id"], ["results.id"], name="fk_segments_result_id_results", ondelete="CASCADE"
        ),
    )


def _create_words() -> None:
    op.create_table(
        "words",
        sa.Column("result_id", _RESULT_ID, autoincrement=False, nullable=False),
        sa.Column("segment", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("idx", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("start_s", sa.Double(), nullable=False),
        sa.Column("end_s", sa.Double(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=True),
        sa.Column("space_before", sa.Boolean(), nullable=False),
        sa.Column("ends_segment", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("result_id", "segment", "idx", name="pk_words"),
        sa.ForeignKeyConstraint(
            ["result_id", "segment"],
            ["segments.result_id", "segments.idx"],
            name="fk_words_result_id_segment_segments",
            ondelete="CASCADE",
        ),
        sqlite_with_rowid=False,
    )


def _create_moments() -> None:
    op.create_table(
        "moments",
        sa.Column("result_id", _RESULT_ID, autoincrement=False, nullable=False),
        sa.Column("segment", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("idx", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subtype", sa.Text(), nullable=True),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("tip", sa.Text(), nullable=False),
        sa.Column("speaker", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("evidence_text", sa.Text(), nullable=False),
        sa.Column("evidence_start_char", sa.Integer(), nullable=False),
        sa.Column("evidence_end_char", sa.Integer(), nullable=False),
        sa.Column("evidence_start_s", sa.Double(), nullable=False),
        sa.Column("evidence_end_s", sa.Double(), nullable=False),
        sa.Column("evidence_first_word", sa.Integer(), nullable=False),
        sa.Column("evidence_last_word", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("result_id", "segment", "idx", name="pk_moments"),
        sa.UniqueConstraint("result_id", "public_id", name="uq_moments_result_id_public_id"),
        sa.ForeignKeyConstraint(
            ["result_id", "segment"],
            ["segments.result_id", "segments.idx"],
            name="fk_moments_result_id_segment_segments",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_moments_type", "moments", ["type", "result_id"])
