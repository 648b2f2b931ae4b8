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
        "classes",
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("course_code", sa.String(60), nullable=False),
        sa.Column("teacher_id", sa.Text(), nullable=False),
        sa.Column("association_deadline_seconds", sa.Integer(), nullable=False),
        sa.Column("auto_confirm", sa.Boolean(), nullable=False),
        sa.Column("roster_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("class_id", name=op.f("pk_classes")),
    )
    op.create_index(op.f("ix_classes_teacher_id"), "classes", ["teacher_id"], unique=False)
    op.create_table(
        "validations",
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("teacher_id", sa.Text(), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=True),
        sa.Column("course_code", sa.String(60), nullable=True),
        sa.Column("status", sa.String(60), nullable=False),
        sa.Column("deadline", sa.DateTime(timezone=True), nullable=True),
        sa.Column("timeout_triggered", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("batch_id", name=op.f("pk_validations")),
    )
    op.create_table(
        "student_associations",
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("essay_id", sa.Uuid(), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("text_storage_id", sa.Text(), nullable=False),
        sa.Column("original_file_name", sa.Text(), nullable=False),
        sa.Column("suggested_student_id", sa.Uuid(), nullable=True),
        sa.Column("was_suggested", sa.Boolean(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(), nullable=False),
        sa.Column("no_match_reason", sa.String(60), nullable=True),
        sa.Column("student_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["validations.batch_id"], name=op.f("fk_student_associations_batch_id")),
        sa.PrimaryKeyConstraint("batch_id", "essay_id", name=op.f("pk_student_associations")),
    )
    op.create_table(
        "students",
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("last_name", sa.Text(), nullable=False),
        sa.Column("legal_full_name", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["class_id"], ["classes.class_id"], name=op.f("fk_students_class_id")),
        sa.PrimaryKeyConstraint("class_id", "student_id", name=op.f("pk_students")),
    )


def downgrade() -> None:
    op.drop_table("students")
    op.drop_table("student_associations")
    op.drop_table("validations")
    op.drop_index(op.f("ix_classes_teacher_id"), table_name="classes")
    op.drop_table("classes")
    drop_runtime_tables()
