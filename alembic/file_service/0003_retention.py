"""Rows that leave by their age are found by it, and their tables vacuumed in time."""

from service_runtime.migrations import prepare_retention, undo_retention

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    prepare_retention()


def downgrade() -> None:
    undo_retention()
