"""The first tables."""

import sqlalchemy as sa
from alembic import op
from service_runtime.migrations import create_runtime_tables, drop_runtime_tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_runtime_tables()
    op.create_table(
        "contents",
        sa.Column("storage_id", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("storage_id", name=op.f("pk_contents")),
    )
    op.create_table(
        "known_batches",
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("teacher_id", sa.Text(), nullable=False),
        sa.Column("cancelled", sa.Boolean(), nullable=False),
        sa.Column("received_count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("batch_id", name=op.f("pk_known_batches")),
    )
    op.create_table(
        "uploads",
        sa.Column("file_upload_id", sa.Uuid(), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("teacher_id", sa.Text(), nullable=False),
        sa.Column("original_file_name", sa.Text(), nullable=False),
        sa.Column("file_size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("raw_file_storage_id", sa.Text(), nullable=True),
        sa.Column("state", sa.String(60), nullable=False),
        sa.Column("text_storage_id", sa.Text(), nullable=True),
        sa.Column("error_code", sa.String(60), nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["known_batches.batch_id"], name=op.f("fk_uploads_batch_id")),
        sa.PrimaryKeyConstraint("file_upload_id", name=op.f("pk_uploads")),
    )
    op.create_index(op.f("ix_uploads_batch_id_number"), "uploads", ["batch_id", "number"], unique=True)
    op.create_index(
        "ix_uploads_received", "uploads", ["batch_id", "number"], unique=False, postgresql_where="state = 'received'"
    )
    op.create_index(
        op.f("ix_uploads_text_storage_id_teacher_id"), "uploads", ["text_storage_id", "teacher_id"], unique=False
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_uploads_text_storage_id_teacher_id"), table_name="uploads")
    op.drop_index("ix_uploads_received", table_name="uploads", postgresql_where="state = 'received'")
    op.drop_index(op.f("ix_uploads_batch_id_number"), table_name="uploads")
    op.drop_table("uploads")
    op.drop_table("known_batches")
    op.drop_table("contents")
    drop_runtime_tables()
