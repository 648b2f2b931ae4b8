"""Whether the matching of a batch was asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    # The rows that are there may still be waiting for their matching: none is said to be asked for.
    op.add_column("essay_batches", sa.Column("matching_said", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    op.drop_column("essay_batches", "matching_said")
