"""A teacher's requests to the services over HTTP."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
from common_core.status_enums import CourseCode

from scriptorium import environment
from scriptorium.environment import AUDIENCE, ISSUER, SECRET, Variables
from scriptorium.errors import NotOurs, Refused, Unreachable
from scriptorium.views import Batch, Essays, File, Student, Validation

PATIENCE_SECONDS = 5.0
PAUSE_SECONDS = 0.25
HEARD_WITHIN_SECONDS = 30.0
NOT_NOW = {httpx.codes.BAD_GATEWAY, httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.GATEWAY_TIMEOUT}


class Client:
    """Talks to the services as one teacher; raises Unreachable, or Refused with the service's own words."""

    def __init__(self, http: httpx.AsyncClient, variables: Variables, credential: str = SECRET) -> None:
        self._http = http
        self._variables = variables
        self._credential = credential
        """The variable behind the token."""

    async def make_class(self, name: str, course: CourseCode, roster: bytes) -> tuple[UUID, list[Student]]:
        """A new class with the students of a CSV file."""
        made = await self._send("CLASS_MANAGEMENT", "POST", "/v1/classes", json={"name": name, "course_code": course})
        class_id, csv = UUID(made["class_id"]), {"Content-Type": "text/csv"}
        path = f"/v1/classes/{class_id}/roster"
        answer = await self._send("CLASS_MANAGEMENT", "PUT", path, content=roster, headers=csv)
        return class_id, [Student.model_validate(each) for each in answer["students"]]

    async def register(self, course: CourseCode, expected: int, class_id: UUID | None) -> UUID:
        """A new batch."""
        body = {"course_code": course, "expected_essay_count": expected, "class_id": class_id and str(class_id)}
        until = time.monotonic() + HEARD_WITHIN_SECONDS
        while True:
            try:
                return UUID((await self._send("BATCH_ORCHESTRATOR", "POST", "/v1/batches", json=body))["batch_id"])
            except Refused as refused:
                # A class made a moment ago: on a busy machine its event takes longer than the service waits for it.
                unheard_of = class_id is not None and refused.status == httpx.codes.UNPROCESSABLE_ENTITY
                if not unheard_of or time.monotonic() > until:
                    raise

    async def upload(self, batch_id: UUID, files: Sequence[Path]) -> Any:
        """Send files, read from disk on the way; None while the file service has not heard of the batch."""
        with ExitStack() as opened:
            parts = [("files", (file.name, opened.enter_context(file.open("rb")))) for file in files]
            return await self._ask("FILE_SERVICE", "POST", f"/v1/batches/{batch_id}/files", files=parts)

    async def batch(self, batch_id: UUID) -> Batch:
        """How far a batch is."""
        return Batch.model_validate(await self._send("BATCH_ORCHESTRATOR", "GET", f"/v1/batches/{batch_id}"))

    async def files(self, batch_id: UUID) -> list[File]:
        """What became of the uploads."""
        answer = await self._ask("FILE_SERVICE", "GET", f"/v1/batches/{batch_id}/files")
        return [File.model_validate(each) for each in answer or ()]

    async def essays(self, batch_id: UUID) -> Essays:
        """The slots of a batch; none while the essay lifecycle has not heard of it."""
        answer = await self._ask("ESSAY_LIFECYCLE", "GET", f"/v1/batches/{batch_id}/essays")
        return Essays.model_validate(answer or {})

    async def close(self, batch_id: UUID) -> None:
        """Take no more files."""
        await self._send("ESSAY_LIFECYCLE", "POST", f"/v1/batches/{batch_id}/close")

    async def validation(self, batch_id: UUID) -> Validation | None:
        """Who is suggested for each essay; None while nothing is known."""
        answer = await self._ask("CLASS_MANAGEMENT", "GET", f"/v1/batches/{batch_id}/student-associations")
        return Validation.model_validate(answer) if answer else None

    async def confirm(self, batch_id: UUID, decisions: Mapping[UUID, UUID | None]) -> Validation:
        """Decide about these essays, accept the suggestions for the others, and make it final."""
        chosen = [{"essay_id": str(essay), "student_id": who and str(who)} for essay, who in decisions.items()]
        body = {"associations": chosen, "accept_suggestions": True}
        path = f"/v1/batches/{batch_id}/student-associations/confirm"
        return Validation.model_validate(await self._send("CLASS_MANAGEMENT", "POST", path, json=body))

    async def _ask(self, service: str, method: str, path: str, **content: Any) -> Any:
        """What the service answers; None while it has not heard of what this is about."""
        try:
            return await self._send(service, method, path, **content)
        except Refused as refused:
            if refused.status == httpx.codes.NOT_FOUND:
                return None
            raise

    async def _send(self, service: str, method: str, path: str, **content: Any) -> Any:
        """What the service answers; while it is away for a moment it is asked again with the same Idempotency-Key."""
        return await self._read(_document, service, method, path, **content)

    async def _download(self, service: str, path: str) -> bytes:
        """The bytes that the service gives."""
        found: bytes = await self._read(_content, service, "GET", path)
        return found

    async def _read(
        self, read: Callable[[httpx.Response], Any], service: str, method: str, path: str, **content: Any
    ) -> Any:
        variable, name = f"{service}_URL", service.lower().replace("_", " ")
        address = environment.address(self._variables, variable)
        headers = {"Idempotency-Key": str(uuid4()), **content.pop("headers", {})}
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                answer = await self._http.request(method, address + path, headers=headers, **content)
            except httpx.TransportError as error:
                if time.monotonic() > until:
                    reason = str(error) or type(error).__name__
                    raise Unreachable(name, variable, address, reason) from error
            else:
                if answer.status_code not in NOT_NOW or time.monotonic() > until:
                    document = read(answer)
                    if document is None:
                        said = f"{method} {path}: {answer.status_code} {answer.reason_phrase}"
                        raise NotOurs(name, variable, address, said)
                    if answer.is_success:
                        return document
                    detail = self._way_out(answer.status_code, document)
                    raise Refused(name, f"{method} {path}", answer.status_code, detail)
            await asyncio.sleep(PAUSE_SECONDS)

    def _way_out(self, status: int, document: Mapping[str, Any]) -> str:
        """What a problem document says, and of a token what it came from."""
        said = str(document["detail"])
        if status == httpx.codes.UNAUTHORIZED and self._credential == SECRET:
            return f"{said}: {SECRET} and, where set, {AUDIENCE} and {ISSUER} must be the services' own"
        if status == httpx.codes.UNAUTHORIZED:
            return f"{said}, and set {self._credential} to it"
        if status == httpx.codes.FORBIDDEN and self._credential != SECRET:
            return f"{said}: ask for a token with it, and set {self._credential} to it"
        return said


@asynccontextmanager
async def connected(variables: Variables, token: str) -> AsyncIterator[Client]:
    """A client for the services these variables name."""
    # Proxies of the surroundings are for the internet, not for a system that runs here.
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=30, trust_env=False) as http:
        yield Client(http, variables)


def _content(answer: httpx.Response) -> Any:
    """The bytes of an answer, or why there are none, as `_document` says it."""
    return answer.content if answer.is_success else _document(answer)


def _document(answer: httpx.Response) -> Any:
    """The JSON of an answer; None when it is none that the service would give."""
    if answer.status_code in NOT_NOW:
        return {"detail": answer.reason_phrase, **_json_object(answer)}
    if answer.is_success:
        return _json(answer)
    problem = _json_object(answer)
    # A route that is not there: ours say more of what they have not found.
    nowhere = answer.status_code == httpx.codes.NOT_FOUND and problem.get("detail") == answer.reason_phrase
    return problem if "detail" in problem and not nowhere else None


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None


def _json_object(answer: httpx.Response) -> dict[str, Any]:
    found = _json(answer)
    return found if isinstance(found, dict) else {}
