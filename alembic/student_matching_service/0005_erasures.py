"""The students who were erased here, by id."""

from service_runtime.migrations import create_erasures, drop_erasures

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    create_erasures()


def downgrade() -> None:
    drop_erasures()
