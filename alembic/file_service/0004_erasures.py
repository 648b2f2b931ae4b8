"""The students who were erased here, by id; and the files that were."""

import sqlalchemy as sa
from alembic import op
from service_runtime.migrations import create_erasures, drop_erasures

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    create_erasures()
    op.add_column("uploads", sa.Column("erased", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("known_batches", sa.Column("keeps_texts", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.create_index("ix_uploads_raw_file_storage_id", "uploads", ["raw_file_storage_id"])


def downgrade() -> None:
    op.drop_index("ix_uploads_raw_file_storage_id", "uploads")
    op.drop_column("known_batches", "keeps_texts")
    op.drop_column("uploads", "erased")
    drop_erasures()
