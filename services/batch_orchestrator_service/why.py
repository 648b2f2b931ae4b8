"""Why a batch waits: one sentence from its state and from what is parked, timed or missing in all services."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
from common_core.events import RegisterBatchV1
from common_core.status_enums import BatchStatus
from service_runtime.auth import Role, issue

from services.batch_orchestrator_service.models import Batch
from services.batch_orchestrator_service.settings import Settings

TOKEN_SECONDS = 30
THIS = "batch orchestrator"
LIFECYCLE = "essay lifecycle"
CLASSES = "class management"
MATCHER = "student matcher"
FILES = "file service"
LETTERS_OF = {
    THIS: "batch-orchestrator",
    LIFECYCLE: "essay-lifecycle",
    CLASSES: "class-management",
    MATCHER: "student-matching",
    FILES: "file-service",
}
"""How dead letters are named, for `scriptorium dead-letters show`."""


@dataclass(frozen=True)
class Facts:
    """What the services say about a batch; None where one did not answer."""

    essays: dict[str, Any] | None
    associations: dict[str, Any] | None
    waiting: dict[str, dict[str, Any] | None]
    """Parked messages and timers by service."""
    class_id: str | None = None
    """The batch's class, or the one its registration waits for."""
    school_class: dict[str, Any] | None = None

    @property
    def parked(self) -> list[dict[str, Any]]:
        """All messages that are parked for this batch, in whatever service."""
        return [message for at_service in self.waiting.values() if at_service for message in at_service["parked"]]

    def answers(self, service: str) -> bool:
        """Whether this service said what waits there."""
        return self.waiting.get(service) is not None

    def timer(self, service: str) -> dict[str, Any] | None:
        """The first timer that this service has set for the batch."""
        timers: list[dict[str, Any]] = (self.waiting.get(service) or {}).get("timers", [])
        return timers[0] if timers else None


async def facts_about(
    batch_id: UUID, class_id: UUID | None, own: dict[str, Any], settings: Settings, at: datetime
) -> Facts:
    """Ask every service, all at once; one that does not answer is part of the answer."""
    secret, name = settings.jwt_secret.get_secret_value(), "batch-orchestrator"
    token = issue(secret, name, [Role.OPERATOR], TOKEN_SECONDS, at, **settings.token_scope)
    addresses = {
        LIFECYCLE: settings.essay_lifecycle_url,
        CLASSES: settings.class_management_url,
        MATCHER: settings.student_matching_url,
        FILES: settings.file_service_url,
    }
    headers = {"Authorization": f"Bearer {token}"}
    whose = str(class_id) if class_id else awaited_class(own)
    async with httpx.AsyncClient(headers=headers, timeout=settings.why_seconds, trust_env=False) as client:
        essays, associations, school_class, *waiting = await asyncio.gather(
            _ask(client, f"{settings.essay_lifecycle_url}/v1/batches/{batch_id}/essays"),
            _ask(client, f"{settings.class_management_url}/v1/batches/{batch_id}/student-associations"),
            _ask(client, whose and f"{settings.class_management_url}/v1/classes/{whose}"),
            *(_ask(client, f"{address}/ops/keys/{batch_id}") for address in addresses.values()),
        )
    at_services = {THIS: own, **dict(zip(addresses, waiting, strict=True))}
    return Facts(essays, associations, at_services, whose, school_class)


def explain(batch: Batch | None, facts: Facts) -> str:
    """What the batch waits for and since when, in one sentence; a batch that is not registered yet may wait, too."""
    if batch is None:
        since, reason = _first_parked(facts), f"It waits to be registered{_class_trouble(facts)}"
    else:
        since, reason = batch.since, _reason(batch, facts)
    deferred = batch.deferred if batch else ()
    known = [f"{', '.join(deferred)} came early and {'is' if len(deferred) == 1 else 'are'} kept"] if deferred else []
    begins = [f"{reason}, since {_at(since)}"] if since else [reason]
    return f"{'; '.join([*begins, *known, *_trouble(facts)])}."


def awaited_class(own: dict[str, Any]) -> str | None:
    """The class that the registration parked here waits for, if one is."""
    waits = [each["waits_for"] for each in own["parked"] if each["type"] == RegisterBatchV1.__name__]
    return waits[0] if waits else None


def _class_trouble(facts: Facts) -> str:
    """What is wrong with the batch's class, as the end of a clause; empty when nothing is, or nobody knows."""
    if facts.class_id is None or not facts.answers(CLASSES):
        return ""
    if facts.school_class is None:
        return f", and class {facts.class_id} does not exist"
    return "" if facts.school_class["students"] else f", and class {facts.class_id} has no students yet"


def _first_parked(facts: Facts) -> datetime | None:
    return min((_time(each, "parked_at") for each in facts.parked), default=None)


def _at(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _reason(batch: Batch, facts: Facts) -> str:
    match batch.status:
        case BatchStatus.AWAITING_CONTENT_VALIDATION:
            return f"It waits for content: {_open_slots(batch, facts)}"
        case BatchStatus.AWAITING_STUDENT_VALIDATION:
            return f"It waits to know who wrote which essay: {_open_associations(facts)}"
        case BatchStatus.STUDENT_VALIDATION_COMPLETED:
            return "It waits for the essay lifecycle to say that the essays are ready"
        case final:
            return f"It waits for nothing: it is {final}"


def _open_slots(batch: Batch, facts: Facts) -> str:
    if facts.essays is None:
        known = facts.answers(LIFECYCLE)
        return "the essay lifecycle does not know the batch yet" if known else "how many slots are free is unknown"
    free = sum(slot["state"] == "free" for slot in facts.essays["slots"])
    if not free:
        return "all slots are decided, so the message that says so is on its way"
    reading = ", and the file service is reading files" if facts.timer(FILES) else ""
    return f"{free} of {batch.expected_essay_count} slots are free{reading}"


def _open_associations(facts: Facts) -> str:
    if facts.associations is None:
        return _not_asked(facts)
    if facts.associations["status"] == "confirmed":
        return "the teacher has confirmed, so the message that says so is on its way"
    undecided = [each for each in facts.associations["associations"] if each["validation_method"] is None]
    deadline = _time(facts.associations, "deadline")
    asked = f"the teacher decides until {_at(deadline)}"
    if not undecided:
        return f"every essay is decided, but not confirmed; {asked}"
    open_ones = f"{len(undecided)} of {len(facts.associations['associations'])} essays are not decided"
    return f"{open_ones}{_class_trouble(facts)}; {asked}"


def _not_asked(facts: Facts) -> str:
    if not facts.answers(CLASSES):
        return "whether the teacher was asked is unknown"
    looking = facts.timer(MATCHER)
    at_work = f"; the student matcher looks for names, next at {_at(_time(looking, 'due_at'))}" if looking else ""
    return f"no suggestions have come yet, so the teacher has not been asked{_class_trouble(facts)}{at_work}"


def _time(found: dict[str, Any], name: str) -> datetime:
    return datetime.fromisoformat(found[name])


def _trouble(facts: Facts) -> list[str]:
    found = []
    for service, waiting in facts.waiting.items():
        if waiting is None:
            found.append(f"the {service} does not answer")
            continue
        heads = [each for each in waiting["parked"] if each["behind"] is None]
        found += [_parked(service, each) for each in heads[:3]]
        if more := len(waiting["parked"]) - len(heads[:3]):
            found.append(f"{more} more {'is' if more == 1 else 'are'} parked there")
        found += _failing_timers(service, waiting["timers"])
    return found


def _parked(service: str, message: dict[str, Any]) -> str:
    letter = f"dead letter {LETTERS_OF[service]}/{message['position']}"
    state = letter if message["state"] == "dead" else f"{message['state']} after attempt {message['attempts']}"
    since = _at(_time(message, "parked_at"))
    return f"the {service} has parked {message['type']} since {since} ({state}: {message['error']})"


def _failing_timers(service: str, timers: Sequence[dict[str, Any]]) -> list[str]:
    failing = [timer for timer in timers if timer["last_error"]]
    return [f"the {service}'s {timer['name']} is tried again ({timer['last_error']})" for timer in failing]


async def _ask(client: httpx.AsyncClient, url: str | None) -> dict[str, Any] | None:
    if url is None:
        return None
    try:
        response = await client.get(url)
    except httpx.HTTPError:
        return None
    answer: dict[str, Any] | None = response.json() if response.is_success else None
    return answer
