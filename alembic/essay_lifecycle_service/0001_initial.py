"""The first tables."""

import sqlalchemy as sa
from alembic import op
from service_runtime.migrations import create_runtime_tables, drop_runtime_tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_runtime_tables()
    op.create_table(
        "essay_batches",
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("teacher_id", sa.Text(), nullable=False),
        sa.Column("course_code", sa.String(60), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(60), nullable=False),
        sa.Column("closed_early", sa.Boolean(), nullable=False),
        sa.Column("ready_said", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("batch_id", name=op.f("pk_essay_batches")),
    )
    op.create_table(
        "slots",
        sa.Column("essay_id", sa.Uuid(), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(60), nullable=False),
        sa.Column("file_upload_id", sa.Uuid(), nullable=True),
        sa.Column("text_storage_id", sa.Text(), nullable=True),
        sa.Column("original_file_name", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["essay_batches.batch_id"], name=op.f("fk_slots_batch_id")),
        sa.PrimaryKeyConstraint("essay_id", name=op.f("pk_slots")),
    )
    op.create_index(op.f("ix_slots_batch_id"), "slots", ["batch_id"], unique=False)
    op.create_table(
        "uploads",
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("file_upload_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.String(60), nullable=False),
        sa.Column("original_file_name", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(60), nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["essay_batches.batch_id"], name=op.f("fk_uploads_batch_id")),
        sa.PrimaryKeyConstraint("batch_id", "file_upload_id", name=op.f("pk_uploads")),
    )


def downgrade() -> None:
    op.drop_table("uploads")
    op.drop_index(op.f("ix_slots_batch_id"), table_name="slots")
    op.drop_table("slots")
    op.drop_table("essay_batches")
    drop_runtime_tables()
