"""The first tables."""

import sqlalchemy as sa
from alembic import op
from service_runtime.migrations import create_runtime_tables, drop_runtime_tables
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_runtime_tables()
    op.create_table(
        "known_rosters",
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("roster_version", sa.Integer(), nullable=False),
        sa.Column("students", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("class_id", name=op.f("pk_known_rosters")),
    )
    op.create_table(
        "match_requests",
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("course_code", sa.String(60), nullable=False),
        sa.Column("teacher_id", sa.Text(), nullable=False),
        sa.Column("essays", postgresql.JSONB(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("batch_id", name=op.f("pk_match_requests")),
    )
    op.create_index(op.f("ix_match_requests_class_id"), "match_requests", ["class_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_match_requests_class_id"), table_name="match_requests")
    op.drop_table("match_requests")
    op.drop_table("known_rosters")
    drop_runtime_tables()
