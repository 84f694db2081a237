"""Stored playbooks with their revisions, and by which playbook a call asks to be analysed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# A published revision says by what the moments of a call were found: not even a mistake of ours may alter it.
_KEEP_PUBLISHED = {
    "sqlite": (
        """CREATE TRIGGER keep_published_playbooks BEFORE UPDATE ON playbook_revisions
        WHEN OLD.state = 'published'
        BEGIN SELECT RAISE(ABORT, 'a published revision never changes'); END""",
    ),
    "postgresql": (
        """CREATE FUNCTION keep_published_playbooks() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE integrity_constraint_violation USING MESSAGE = 'a published revision never changes'; END
        $$""",
        """CREATE TRIGGER keep_published_playbooks BEFORE UPDATE ON playbook_revisions
        FOR EACH ROW WHEN (OLD.state = 'published') EXECUTE FUNCTION keep_published_playbooks()""",
    ),
}


def upgrade() -> None:
    op.add_column("calls", sa.Column("playbook", sa.Text(), nullable=True))
    op.create_table(
        "playbooks",
        sa.Column("name", _ID, nullable=False),
        sa.Column("current_revision", sa.Text(), nullable=True),
        sa.Column("created_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_playbooks"),
    )
    _create_revisions()
    for statement in _KEEP_PUBLISHED[op.get_context().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("playbook_revisions")
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP FUNCTION keep_published_playbooks()")
    op.drop_table("playbooks")
    op.drop_column("calls", "playbook")


def _create_revisions() -> None:
    op.create_table(
        "playbook_revisions",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("name", _ID, nullable=False),
        sa.Column("revision", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("rules", sa.Integer(), nullable=False),
        sa.Column("languages", sa.JSON(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("yaml", sa.Text(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.Column("published_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_playbook_revisions"),
        sa.ForeignKeyConstraint(
            ["name"], ["playbooks.name"], name="fk_playbook_revisions_name_playbooks", ondelete="CASCADE"
        ),
    )
    for index, columns, state in (
        ("ix_playbook_revisions_published", ["name", "revision"], "published"),
        ("ix_playbook_revisions_draft", ["name"], "draft"),
    ):
        rows = sa.text(f"state = '{state}'")
        op.create_index(
            index, "playbook_revisions", columns, unique=True, sqlite_where=rows, postgresql_where=rows
        )
