"""The students of a class who were erased, by id, and which services have done so."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "erasures",
        sa.Column("erasure_id", sa.Uuid(), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("student_id", sa.Uuid(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("erased", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("erasure_id", name="pk_erasures"),
    )
    erased = sa.Column("erased_students", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False)
    op.add_column("classes", erased)
    op.create_index("ix_erasures_class_id_student_id", "erasures", ["class_id", "student_id"], unique=True)


def downgrade() -> None:
    op.drop_column("classes", "erased_students")
    op.drop_table("erasures")
