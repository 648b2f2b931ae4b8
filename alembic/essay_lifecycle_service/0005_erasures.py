"""The students who were erased here, by id; and which uploads have the same text."""

import sqlalchemy as sa
from alembic import op
from service_runtime.migrations import create_erasures, drop_erasures

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    create_erasures()
    op.add_column("uploads", sa.Column("text_storage_id", sa.Text()))


def downgrade() -> None:
    op.drop_column("uploads", "text_storage_id")
    drop_erasures()
