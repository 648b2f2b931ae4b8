"""Who takes part, with which settings, and in which trials."""

import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
THEIRS = ROOT / ".cache" / "comparison" / "bin" / "python"


@dataclass(frozen=True)
class Contestant:
    """A library with one choice of settings."""

    library: str
    subject: str
    """The module in `subjects` that uses it."""
    settings: str = "default"
    python: str = str(THEIRS)
    on_kafka: bool = False
    """Whether its messages come from Kafka, rather than from a table."""
    relays: int = 0
    """How many processes publish its outbox; none if it has no outbox."""
    kill_after: dict[str, str] = field(default_factory=dict, hash=False)
    """How it is made to die after its effect, where that is not in its handler: variables of its environment."""

    @property
    def name(self) -> str:
        return f"{self.library}, {self.settings}"

    @property
    def slug(self) -> str:
        return f"{self.subject}_{self.settings}".lower().replace(" ", "_").replace(",", "")

    @property
    def module(self) -> str:
        return f"benchmarks.comparison.subjects.{self.subject}"


def _ours(settings: str = "default", relays: int = 0) -> Contestant:
    # Effect and inbox are one commit, so the handler cannot die in between; the failpoint is after that commit.
    dies = {"SCRIPTORIUM_FAILPOINTS": "consumer.before_offsets=kill"}
    return Contestant("Scriptorium", "scriptorium", settings, sys.executable, True, relays, dies)


SCRIPTORIUM = _ours(relays=2)
"""With a handler whose effect does not look at the aggregate's state, so that only the inbox protects it."""
BY_STATE = _ours("by state")

CONTESTANTS = [
    SCRIPTORIUM,
    Contestant("FastStream", "faststream_kafka", on_kafka=True),
    Contestant("FastStream", "faststream_kafka", "NACK_ON_ERROR", on_kafka=True),
    Contestant("faststream-outbox", "faststream_outbox", relays=1),
    Contestant("faststream-outbox", "faststream_outbox", "4 workers", relays=1),
    Contestant("procrastinate", "procrastinate"),
    Contestant("procrastinate", "procrastinate", "locks, retries"),
    Contestant("PgQueuer", "pgqueuer"),
    Contestant("PgQueuer", "pgqueuer", "pool, retries"),
]
OUTBOXES = [each for each in CONTESTANTS if each.relays]
