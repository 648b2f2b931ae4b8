"""A batch may be over before its request is heard; then nothing else is known of it."""

from alembic import op

revision = "0003"
down_revision = "0002"

TABLE = "match_requests"
COLUMNS = ("class_id", "course_code", "teacher_id", "requested_at")


def upgrade() -> None:
    for column in COLUMNS:
        op.alter_column(TABLE, column, nullable=True)


def downgrade() -> None:
    op.execute(f"DELETE FROM {TABLE} WHERE class_id IS NULL")  # noqa: S608  # constants
    for column in COLUMNS:
        op.alter_column(TABLE, column, nullable=False)
