"""What was decided about an association, by whom and how sure the suggestion was."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

TABLE = "student_associations"
INDEXES = (["class_id", "validation_status"], ["batch_id", "validation_status"])


def upgrade() -> None:
    # Defaults for the rows that are there: nobody has decided about them.
    op.add_column(TABLE, sa.Column("confidence_score", sa.Double()))
    op.add_column(TABLE, sa.Column("match_reasons", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False))
    op.add_column(
        TABLE, sa.Column("validation_status", sa.String(60), server_default="pending_validation", nullable=False)
    )
    op.add_column(TABLE, sa.Column("validated_by", sa.Text()))
    op.add_column(TABLE, sa.Column("validated_at", sa.DateTime(timezone=True)))
    op.add_column(TABLE, sa.Column("validation_method", sa.String(60)))
    for columns in INDEXES:
        op.create_index(f"ix_{TABLE}_{'_'.join(columns)}", TABLE, columns)


def downgrade() -> None:
    for columns in INDEXES:
        op.drop_index(f"ix_{TABLE}_{'_'.join(columns)}", TABLE)
    for column in (
        "validation_method",
        "validated_at",
        "validated_by",
        "validation_status",
        "match_reasons",
        "confidence_score",
    ):
        op.drop_column(TABLE, column)
