"""An operator's requests to all services over HTTP."""

import asyncio
import getpass
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

import httpx
from common_core.status_enums import BatchStatus
from service_runtime.auth import Role

from scriptorium import environment
from scriptorium.client import Client
from scriptorium.environment import SECRET, Variables
from scriptorium.errors import CommandFailed, NoToken, Refused

TOKEN = "SCRIPTORIUM_TOKEN"  # noqa: S105 - the variable's name
TOKEN_SECONDS = 600
PAGE = 200
"""Batches in one answer."""
REQUEST_SECONDS = 180
"""Replaying all of 100,000 dead letters is one request."""


class Service(StrEnum):
    """The five services as an operator names them."""

    BATCH_ORCHESTRATOR = "batch-orchestrator"
    ESSAY_LIFECYCLE = "essay-lifecycle"
    CLASS_MANAGEMENT = "class-management"
    STUDENT_MATCHING = "student-matching"
    FILE_SERVICE = "file-service"


class Action(StrEnum):
    """What is done to many dead letters at once."""

    REPLAY = "replay"
    DISCARD = "discard"


class Letter(NamedTuple):
    """Where a parked message is."""

    service: Service
    position: int

    def __str__(self) -> str:
        return f"{self.service}/{self.position}"


@dataclass(frozen=True, slots=True)
class Found:
    """What the services answered, and which did not."""

    items: list[dict[str, Any]]
    failures: list[CommandFailed]


class Operator(Client):
    """Talks to the services as an operator."""

    async def listed(self, services: Sequence[Service], wanted: Mapping[str, str], limit: int) -> Found:
        """Parked messages, in the order in which they came to each service."""

        async def ask(service: Service) -> list[dict[str, Any]]:
            params = {**wanted, "limit": limit}
            page = await self._send(service.name, "GET", "/ops/dead-letters", params=params)
            return [{"letter": str(Letter(service, each["position"])), **each} for each in page["items"]]

        return await _all(services, ask)

    async def groups(self, services: Sequence[Service], wanted: Mapping[str, str]) -> Found:
        """How many share a cause, the most frequent of each service first."""

        async def ask(service: Service) -> list[dict[str, Any]]:
            answer = await self._send(service.name, "GET", "/ops/dead-letters/groups", params=dict(wanted))
            return [{"service": service, **each} for each in answer]

        return await _all(services, ask)

    async def show(self, letter: Letter, *, reveal: bool) -> dict[str, Any]:
        """One parked message with its data, masked unless revealed."""
        found: dict[str, Any] = await self._send(*_one(letter, "GET"), params={"reveal": reveal})
        return found

    async def act(self, action: Action, services: Sequence[Service], wanted: Mapping[str, object], why: str) -> Found:
        """Handle once more, or give up, what matches."""

        async def ask(service: Service) -> list[dict[str, Any]]:
            answer = await self._send(service.name, "POST", f"/ops/dead-letters/{action}", json={**wanted, "why": why})
            return [{"service": service, **answer}]

        return await _all(services, ask)

    async def replay(self, letters: Sequence[Letter], why: str) -> Found:
        """Handle these once more."""
        found = Found([], [])
        for service, of_service in groupby(sorted(letters), lambda letter: letter.service):
            positions = {"positions": [each.position for each in of_service]}
            answer = await self.act(Action.REPLAY, [service], positions, why)
            found.items.extend(answer.items)
            found.failures.extend(answer.failures)
        return found

    async def edit(self, letter: Letter, data: Mapping[str, Any], why: str, kind: str | None) -> None:
        """Correct its data and handle it once more."""
        await self._send(*_one(letter, "POST", "/edit"), json={"data": data, "why": why, "type": kind})

    async def discard(self, letter: Letter, why: str) -> None:
        """Give it up."""
        await self._send(*_one(letter, "POST", "/discard"), json={"why": why})

    async def lag(self, service: Service) -> dict[str, int]:
        """How many records of each topic a service has not handled yet."""
        found: dict[str, int] = (await self._send(service.name, "GET", "/ops/lag"))["topics"]
        return found

    async def batches(self, states: Sequence[BatchStatus], seconds_in_state: int, limit: int) -> list[dict[str, Any]]:
        """Batches in these states, or all that are open, for at least so long; the longest there first."""
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        while len(found) < limit:
            asked = {
                "status": list(states),
                "seconds_in_state": seconds_in_state,
                "limit": min(limit - len(found), PAGE),
            }
            params = {**asked, **({"cursor": cursor} if cursor else {})}
            page = await self._send("BATCH_ORCHESTRATOR", "GET", "/ops/batches", params=params)
            found += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        return found

    async def why(self, batch_id: UUID) -> dict[str, Any]:
        """What a batch waits for."""
        found: dict[str, Any] = await self._send("BATCH_ORCHESTRATOR", "GET", f"/ops/batches/{batch_id}/why")
        return found

    async def classes(self) -> list[dict[str, Any]]:
        """All classes with their rosters."""
        found: list[dict[str, Any]] = await self._send("CLASS_MANAGEMENT", "GET", "/v1/classes")
        return found

    async def school_class(self, class_id: UUID) -> dict[str, Any]:
        """A class with its roster."""
        found: dict[str, Any] = await self._send("CLASS_MANAGEMENT", "GET", f"/v1/classes/{class_id}")
        return found

    async def student_data(self, class_id: UUID, student_id: UUID) -> dict[str, Any]:
        """A copy of all that is kept about a student of a class."""
        found: dict[str, Any] = await self._send("CLASS_MANAGEMENT", "GET", f"{_student(class_id, student_id)}/data")
        return found

    async def original(self, batch_id: str, file_upload_id: str) -> bytes | None:
        """A file as it was uploaded; None where it is not kept."""
        try:
            return await self._download("FILE_SERVICE", f"/v1/batches/{batch_id}/files/{file_upload_id}/original")
        except Refused as refused:
            if refused.status == httpx.codes.NOT_FOUND:
                return None
            raise

    async def erase_student(self, class_id: UUID, student_id: UUID, why: str) -> dict[str, Any]:
        """Erase a student everywhere, for ever; again the same is fine."""
        path = f"/ops/classes/{class_id}/students/{student_id}/erase"
        found: dict[str, Any] = await self._send("CLASS_MANAGEMENT", "POST", path, json={"why": why})
        return found

    async def erasure(self, class_id: UUID, student_id: UUID) -> dict[str, Any]:
        """How far the erasure of a student is."""
        found: dict[str, Any] = await self._send("CLASS_MANAGEMENT", "GET", f"{_student(class_id, student_id)}/erasure")
        return found


@asynccontextmanager
async def acting(variables: Variables) -> AsyncIterator[Operator]:
    """An operator for the services these variables name, with SCRIPTORIUM_TOKEN or a token of their own."""
    given = variables.get(TOKEN)
    if not given and not variables.get(SECRET):
        raise NoToken
    token = given or environment.issue(variables, _who(), [Role.OPERATOR], TOKEN_SECONDS)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(headers=headers, timeout=REQUEST_SECONDS, trust_env=False) as http:
        yield Operator(http, variables, TOKEN if given else SECRET)


async def _all(services: Sequence[Service], ask: Callable[[Service], Awaitable[list[dict[str, Any]]]]) -> Found:
    """Ask these services at the same time; what one cannot say does not hide what the others say."""
    answers = await asyncio.gather(*(ask(service) for service in services), return_exceptions=True)
    items: list[dict[str, Any]] = []
    failures: list[CommandFailed] = []
    for answer in answers:
        if isinstance(answer, CommandFailed):
            failures.append(answer)
        elif isinstance(answer, BaseException):
            raise answer
        else:
            items += answer
    return Found(items, failures)


def _one(letter: Letter, method: str, action: str = "") -> tuple[str, str, str]:
    return letter.service.name, method, f"/ops/dead-letters/{letter.position}{action}"


def _student(class_id: UUID, student_id: UUID) -> str:
    return f"/v1/classes/{class_id}/students/{student_id}"


def _who() -> str:
    """Who is at the keyboard: this is recorded."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # No name for the user's number: usual in containers.
        return "operator"
