"""What the driver asked the system for and what it was promised: the checker's third witness."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class AskedBatch:
    """One batch as its teacher meant it."""

    batch_id: str
    class_id: str | None
    expected: int
    registered: bool = False
    """Whether somebody was promised that the batch is there."""
    ends: list[str] = field(default_factory=list)
    """The states it may end in."""
    uploads: list[str] = field(default_factory=list)
    """Every file_upload_id that was accepted (202) or published by a system outside."""
    cancelled: bool = False
    """Whether the cancelling was answered with 200."""
    decisions: dict[str, str | None] = field(default_factory=dict)
    """The student of each essay, where a decision was answered with 200 before the confirmation was tried."""
    steady: bool = False
    """Whether it is a beat of the steady work (pulse.py)."""
    gave_up: str | None = None
    """Why its script ended early: no violation by itself, but said."""


@dataclass
class Journal:
    """All batches, and all that was provoked on purpose."""

    batches: dict[str, AskedBatch] = field(default_factory=dict)
    provoked: list[tuple[str, str, str]] = field(default_factory=list)
    """Messages that must become dead letters: database, source, id."""
    mendable: dict[str, dict[str, object]] = field(default_factory=dict)
    """What an operator shall put in the place of a provoked message, by its id."""
    wrong_answers: list[str] = field(default_factory=list)
    """Answers over HTTP that break a promise by themselves."""

    def write(self, path: Path) -> None:
        """Keep it for a look afterwards."""
        path.write_text(json.dumps(self.as_json(), indent=1))

    def as_json(self) -> dict[str, Any]:
        """All of it as plain data."""
        return asdict(self)
