"""A teacher's requests to the services over HTTP."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import UUID, uuid4

import httpx
from common_core.status_enums import CourseCode
from pydantic import TypeAdapter

from scriptorium.environment import Addresses
from scriptorium.errors import Refused, Unreachable
from scriptorium.views import Batch, Essays, File, Made, Registered, Roster, Student, Validation

PATIENCE_SECONDS = 5.0
PAUSE_SECONDS = 0.25
NOT_NOW = (httpx.codes.BAD_GATEWAY, httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.GATEWAY_TIMEOUT)
_FILES = TypeAdapter(list[File])


class _Service:
    """One of the services, at its address."""

    def __init__(self, http: httpx.AsyncClient, name: str, address: str) -> None:
        self._http = http
        self._name = name
        self._address = address.rstrip("/")

    async def send(self, method: str, path: str, **content: Any) -> bytes:
        """The answer's body; a service that is away for a moment is asked again with the same Idempotency-Key.

        Raises Unreachable, or Refused with the service's own words.
        """
        headers = {"Idempotency-Key": str(uuid4()), **content.pop("headers", {})}
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                answer = await self._http.request(method, self._address + path, headers=headers, **content)
            except (httpx.TransportError, httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
                if time.monotonic() > until:
                    raise Unreachable(self._name, self._address, str(error) or type(error).__name__) from error
            else:
                if answer.is_success:
                    return answer.content
                if answer.status_code not in NOT_NOW or time.monotonic() > until:
                    raise Refused(self._name, f"{method} {path}", answer.status_code, _detail(answer))
            await asyncio.sleep(PAUSE_SECONDS)

    async def find(self, path: str) -> bytes | None:
        """The answer's body; None while the service has not heard of it."""
        try:
            return await self.send("GET", path)
        except Refused as refused:
            if refused.status == httpx.codes.NOT_FOUND:
                return None
            raise


class Client:
    """Talks to the services as one teacher; raises Unreachable or Refused."""

    def __init__(self, addresses: Addresses, token: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        # Proxies of the surroundings are for the internet, not for a system that runs here.
        self._http = httpx.AsyncClient(headers=headers, timeout=30, trust_env=False, transport=transport)
        self._orchestrator = _Service(self._http, "batch orchestrator", addresses.batch_orchestrator_url)
        self._lifecycle = _Service(self._http, "essay lifecycle", addresses.essay_lifecycle_url)
        self._classes = _Service(self._http, "class management", addresses.class_management_url)
        self._files = _Service(self._http, "file service", addresses.file_service_url)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def make_class(self, name: str, course: CourseCode, roster: bytes) -> tuple[UUID, list[Student]]:
        """A new class with the students of a CSV file."""
        made = Made.model_validate_json(
            await self._classes.send("POST", "/v1/classes", json={"name": name, "course_code": course})
        )
        csv = {"Content-Type": "text/csv"}
        path = f"/v1/classes/{made.class_id}/roster"
        answer = await self._classes.send("PUT", path, content=roster, headers=csv)
        return made.class_id, Roster.model_validate_json(answer).students

    async def register(self, course: CourseCode, expected: int, class_id: UUID | None) -> UUID:
        """A new batch."""
        body = {"course_code": course, "expected_essay_count": expected, "class_id": class_id and str(class_id)}
        return Registered.model_validate_json(await self._orchestrator.send("POST", "/v1/batches", json=body)).batch_id

    async def upload(self, batch_id: UUID, files: Sequence[Path]) -> None:
        """Files in one request, read from disk while they are sent."""
        with ExitStack() as opened:
            parts = [("files", (file.name, opened.enter_context(file.open("rb")))) for file in files]
            await self._files.send("POST", f"/v1/batches/{batch_id}/files", files=parts)

    async def batch(self, batch_id: UUID) -> Batch:
        """How far a batch is."""
        return Batch.model_validate_json(await self._orchestrator.send("GET", f"/v1/batches/{batch_id}"))

    async def files(self, batch_id: UUID) -> list[File]:
        """What became of the uploads."""
        answer = await self._files.find(f"/v1/batches/{batch_id}/files")
        return _FILES.validate_json(answer) if answer else []

    async def essays(self, batch_id: UUID) -> Essays | None:
        """The places of a batch; None while the essay lifecycle has not heard of it."""
        answer = await self._lifecycle.find(f"/v1/batches/{batch_id}/essays")
        return Essays.model_validate_json(answer) if answer else None

    async def close(self, batch_id: UUID) -> None:
        """Take no more files."""
        await self._lifecycle.send("POST", f"/v1/batches/{batch_id}/close")

    async def validation(self, batch_id: UUID) -> Validation | None:
        """Who is suggested for each essay; None while nothing is known."""
        answer = await self._classes.find(f"/v1/batches/{batch_id}/student-associations")
        return Validation.model_validate_json(answer) if answer else None

    async def confirm(self, batch_id: UUID, decisions: Mapping[UUID, UUID | None]) -> Validation:
        """Decide about these essays, accept the suggestions for the others, and make it final."""
        chosen = [
            {"essay_id": str(each), "student_id": student and str(student)} for each, student in decisions.items()
        ]
        body = {"associations": chosen, "accept_suggestions": True}
        path = f"/v1/batches/{batch_id}/student-associations/confirm"
        return Validation.model_validate_json(await self._classes.send("POST", path, json=body))


def _detail(answer: httpx.Response) -> str:
    """What a problem document says, or else the status in words."""
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return answer.reason_phrase
