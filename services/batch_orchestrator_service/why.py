"""Why a batch waits: one sentence from its state and from what is parked, timed or missing in all services."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
from common_core.status_enums import BatchStatus
from service_runtime.auth import Role, issue

from services.batch_orchestrator_service.models import Batch
from services.batch_orchestrator_service.settings import Settings

TOKEN_SECONDS = 30
THIS = "batch orchestrator"


@dataclass(frozen=True)
class Facts:
    """What the services say about a batch; None where one did not answer."""

    essays: dict[str, Any] | None
    associations: dict[str, Any] | None
    waiting: dict[str, dict[str, Any] | None]
    """Parked messages and timers by service."""


async def facts_about(batch_id: UUID, own: dict[str, Any], settings: Settings) -> Facts:
    """Ask every service, all at once; one that does not answer is part of the answer."""
    token = issue(settings.jwt_secret.get_secret_value(), "batch-orchestrator", [Role.OPERATOR], TOKEN_SECONDS)
    addresses = {
        "essay lifecycle": settings.essay_lifecycle_url,
        "class management": settings.class_management_url,
        "student matcher": settings.student_matching_url,
        "file service": settings.file_service_url,
    }
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(headers=headers, timeout=settings.why_seconds, trust_env=False) as client:
        essays, associations, *waiting = await asyncio.gather(
            _ask(client, f"{settings.essay_lifecycle_url}/v1/batches/{batch_id}/essays"),
            _ask(client, f"{settings.class_management_url}/v1/batches/{batch_id}/student-associations"),
            *(_ask(client, f"{address}/ops/keys/{batch_id}") for address in addresses.values()),
        )
    return Facts(essays, associations, {THIS: own, **dict(zip(addresses, waiting, strict=True))})


def explain(batch: Batch, facts: Facts) -> str:
    """What the batch waits for and since when, in one sentence."""
    since = batch.history[-1].at if batch.history else batch.registered_at
    reason = _reason(batch, facts)
    trouble = _trouble(facts)
    sentence = f"{reason}, since {since:%Y-%m-%d %H:%M:%S} UTC"
    return f"{sentence}; {'; '.join(trouble)}." if trouble else f"{sentence}."


def _reason(batch: Batch, facts: Facts) -> str:
    match batch.status:
        case BatchStatus.AWAITING_CONTENT_VALIDATION:
            return f"It waits for content: {_open_slots(batch, facts)}"
        case BatchStatus.AWAITING_STUDENT_VALIDATION:
            return f"It waits for who wrote which essay: {_open_associations(facts)}"
        case BatchStatus.STUDENT_VALIDATION_COMPLETED:
            return "It waits for the essay lifecycle to say that the essays are ready"
        case final:
            return f"It waits for nothing: it is {final}"


def _open_slots(batch: Batch, facts: Facts) -> str:
    if facts.essays is None:
        return "the essay lifecycle does not know the batch or does not answer"
    free = sum(slot["state"] == "free" for slot in facts.essays["slots"])
    if not free:
        return "all slots are decided, so the message that says so is on its way"
    return f"{free} of {batch.expected_essay_count} slots are free"


def _open_associations(facts: Facts) -> str:
    if facts.associations is None:
        return "no suggestions have come yet, so the teacher has not been asked"
    if facts.associations["status"] == "confirmed":
        return "the teacher has confirmed, so the message that says so is on its way"
    undecided = [each for each in facts.associations["associations"] if each["validation_method"] is None]
    deadline = datetime.fromisoformat(facts.associations["deadline"])
    asked = f"the teacher decides until {deadline:%Y-%m-%d %H:%M} UTC"
    if not undecided:
        return f"every essay is decided, but not confirmed; {asked}"
    return f"{len(undecided)} of {len(facts.associations['associations'])} essays are not decided; {asked}"


def _trouble(facts: Facts) -> list[str]:
    found = []
    for service, waiting in facts.waiting.items():
        if waiting is None:
            found.append(f"the {service} does not answer")
            continue
        heads = [each for each in waiting["parked"] if each["reason"] != "behind"]
        found += [f"the {service} has parked {each['type']} ({each['state']}: {each['error']})" for each in heads[:3]]
        found += _failing_timers(service, waiting["timers"])
    return found


def _failing_timers(service: str, timers: Sequence[dict[str, Any]]) -> list[str]:
    failing = [timer for timer in timers if timer["last_error"]]
    return [f"the {service}'s {timer['name']} is tried again ({timer['last_error']})" for timer in failing]


async def _ask(client: httpx.AsyncClient, url: str) -> dict[str, Any] | None:
    try:
        response = await client.get(url)
    except httpx.HTTPError:
        return None
    answer: dict[str, Any] | None = response.json() if response.is_success else None
    return answer
