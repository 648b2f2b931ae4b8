"""The students who were erased here, by id; and what is still kept of each batch."""

import sqlalchemy as sa
from alembic import op
from service_runtime.migrations import create_erasures, drop_erasures

revision = "0004"
down_revision = "0003"

COLUMNS = ("keeps_texts", "keeps_associations")


def upgrade() -> None:
    create_erasures()
    for column in COLUMNS:
        op.add_column("batches", sa.Column(column, sa.Boolean(), server_default=sa.true(), nullable=False))


def downgrade() -> None:
    for column in COLUMNS:
        op.drop_column("batches", column)
    drop_erasures()
