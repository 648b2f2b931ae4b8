"""Who left a class, by a hash of name and e-mail, so that they are the same when they come back."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    former = sa.Column("former_students", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False)
    op.add_column("classes", former)


def downgrade() -> None:
    op.drop_column("classes", "former_students")
