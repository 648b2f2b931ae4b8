"""The runtime's tables as the first migration of every service makes them; never changed, later ones alter them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

# Rows come and go here by the million: vacuum early and at full speed, without the exclusive lock to give back pages.
EAGER_VACUUM = """
    ALTER TABLE {} SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000,
                        autovacuum_vacuum_cost_delay = 0, vacuum_truncate = false)
"""
# These keep millions of rows and lose them slowly, by their age: vacuum for each fiftieth that is gone, not the fifth.
STEADY_VACUUM = """
    ALTER TABLE {} SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 10000,
                        vacuum_truncate = false)
"""
NOT_DEAD = "state <> 'dead'"
DUE_SOME_TIME = "state <> 'dead' AND due_at < 'infinity'"
NO_SETTINGS = "ALTER TABLE {} RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold, vacuum_truncate)"


def create_runtime_tables() -> None:
    """Create inbox, outbox, parked messages, timers and idempotency keys."""
    _create_inbox()
    _create_outbox()
    _create_parked_messages()
    _create_timers()
    _create_idempotency_keys()
    for table in ("outbox", "parked_messages", "timers"):
        op.execute(EAGER_VACUUM.format(table))


def drop_runtime_tables() -> None:
    """Undo create_runtime_tables."""
    for table in ("idempotency_keys", "timers", "parked_messages", "outbox", "inbox"):
        op.drop_table(table)


def create_operator_actions() -> None:
    """Create the record of what operators did, and why."""
    op.create_table(
        "operator_actions",
        _position(),
        _time("at", now=True),
        _text("operator"),
        _text("action"),
        _text("reason"),
        sa.Column("about", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("position", name="pk_operator_actions"),
    )


def drop_operator_actions() -> None:
    """Undo create_operator_actions."""
    op.drop_table("operator_actions")


def create_erasures() -> None:
    """Create the table of the students who were erased here; ids only."""
    op.create_table(
        "erasures",
        sa.Column("erasure_id", sa.Uuid(), nullable=False),
        sa.Column("student_id", sa.Uuid(), nullable=False),
        _time("erased_at"),
        sa.PrimaryKeyConstraint("erasure_id", name="pk_erasures"),
    )


def drop_erasures() -> None:
    """Undo create_erasures."""
    op.drop_table("erasures")


def prepare_retention() -> None:
    """Let the inbox be searched by age, and settle how what has a retention is vacuumed."""
    # With a condition that only who asks what is due has: where statistics say that nothing waits, all indexes cost the
    # same, and the head of each queue was looked for in this one.
    op.drop_index("ix_parked_messages_due_at", "parked_messages")
    op.create_index("ix_parked_messages_due_at", "parked_messages", ["due_at"], postgresql_where=sa.text(DUE_SOME_TIME))
    # A block range of BRIN never forgets its oldest row: with pages used again, each search would read the whole table.
    op.drop_index("ix_inbox_received_at", "inbox")
    op.create_index("ix_inbox_received_at", "inbox", ["received_at"])
    for table in ("inbox", "idempotency_keys"):
        op.execute(STEADY_VACUUM.format(table))


def undo_retention() -> None:
    """Undo prepare_retention."""
    for table in ("inbox", "idempotency_keys"):
        op.execute(NO_SETTINGS.format(table))
    op.drop_index("ix_inbox_received_at", "inbox")
    op.create_index("ix_inbox_received_at", "inbox", ["received_at"], postgresql_using="brin")
    op.drop_index("ix_parked_messages_due_at", "parked_messages")
    op.create_index("ix_parked_messages_due_at", "parked_messages", ["due_at"], postgresql_where=sa.text(NOT_DEAD))


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _time(name: str, *, now: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()") if now else None)


def _position() -> sa.Column[int]:
    return sa.Column("position", sa.BigInteger(), sa.Identity(always=True), nullable=False)


def _create_inbox() -> None:
    op.create_table(
        "inbox",
        _text("source"),
        _text("event_id"),
        _time("received_at", now=True),
        sa.PrimaryKeyConstraint("source", "event_id", name="pk_inbox"),
    )
    op.create_index("ix_inbox_received_at", "inbox", ["received_at"], postgresql_using="brin")


def _create_outbox() -> None:
    op.create_table(
        "outbox",
        _position(),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        _text("type"),
        _text("topic"),
        _text("key"),
        _text("correlation_id"),
        _text("causation_id", nullable=True),
        _text("traceparent", nullable=True),
        _time("recorded_at", now=True),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("position", name="pk_outbox"),
    )


def _create_parked_messages() -> None:
    op.create_table(
        "parked_messages",
        _position(),
        _text("state"),
        _text("reason"),
        _text("error"),
        _text("waits_for", nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default=sa.text("1")),
        _time("parked_at", now=True),
        _time("due_at"),
        _text("source"),
        _text("event_id"),
        _text("type"),
        _text("key"),
        _text("topic"),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("record_offset", sa.BigInteger(), nullable=False),
        sa.Column("record_key", sa.LargeBinary()),
        sa.Column("record_headers", JSONB(), nullable=False),
        sa.Column("record_value", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("position", name="pk_parked_messages"),
    )
    for columns, where in (
        (["topic", "key", "position"], "state <> 'dead'"),
        (["due_at"], "state <> 'dead'"),
        (["waits_for"], "state = 'waiting'"),
    ):
        name = "ix_parked_messages_" + "_".join(columns)
        op.create_index(name, "parked_messages", columns, postgresql_where=sa.text(where))


def _create_timers() -> None:
    op.create_table(
        "timers",
        _text("name"),
        sa.Column("aggregate_id", sa.Uuid(), nullable=False),
        _time("due_at"),
        sa.Column("setting_id", sa.Uuid(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default=sa.text("0")),
        _text("last_error", nullable=True),
        _text("event_id", nullable=True),
        _text("correlation_id"),
        _text("traceparent", nullable=True),
        sa.PrimaryKeyConstraint("name", "aggregate_id", name="pk_timers"),
    )
    op.create_index("ix_timers_due_at", "timers", ["due_at"])
    op.create_index("ix_timers_setting_id", "timers", ["setting_id"])


def _create_idempotency_keys() -> None:
    op.create_table(
        "idempotency_keys",
        _text("caller"),
        _text("route"),
        _text("key"),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("body", sa.LargeBinary()),
        _time("created_at", now=True),
        sa.PrimaryKeyConstraint("caller", "route", "key", name="pk_idempotency_keys"),
    )
    op.create_index("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"])
