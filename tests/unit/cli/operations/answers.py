"""What the services answer an operator whose commands are tested."""

from collections.abc import Callable

from scriptorium.environment import SERVICES
from typer.testing import Result

SECRET = "a secret of more than thirty-two characters"
VARIABLES = {f"{each.variable}_URL": f"http://{each.variable.lower()}" for each in SERVICES}
LETTER = {
    "position": 42,
    "state": "dead",
    "reason": "refused",
    "error": "ClassOfAnotherTeacher: class_id: class 0199a1b2-0000-7000-8000-000000000000 does not exist",
    "waits_for": None,
    "behind": None,
    "attempts": 1,
    "parked_at": "2026-03-01T08:00:00Z",
    "due_at": None,
    "source": "/registry",
    "event_id": "e",
    "type": "BatchContentProvisioningCompletedV1",
    "key": "0199a1b2-0000-7000-8000-000000000001",
    "topic": "upstream",
}
PAGE = {"items": [LETTER], "next_cursor": None}
GROUP = {
    "state": "dead",
    "reason": "bug",
    "type": "BatchContentProvisioningCompletedV1",
    "cause": "KeyError: " + "a long cause " * 30,
    "count": 123_456,
    "example": 42,
    "first": "2026-03-01T08:00:00Z",
    "last": "2026-03-02T08:00:00Z",
}

BATCH = {
    "batch_id": "0199a1b2-0000-7000-8000-000000000001",
    "status": "student_validation_completed",
    "since": "2026-03-01T08:00:00Z",
    "seconds_in_state": 100_000.5,
    "registered_at": "2026-02-01T08:00:00Z",
    "expected_essay_count": 500,
    "course_code": "SV1",
    "class_id": None,
}

type Run = Callable[..., Result]
