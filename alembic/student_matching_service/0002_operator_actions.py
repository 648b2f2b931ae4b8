"""What operators did with dead letters, and why."""

from service_runtime.migrations import create_operator_actions, drop_operator_actions

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    create_operator_actions()


def downgrade() -> None:
    drop_operator_actions()
