"""A teacher at work: what the end-to-end tests do to the system, over HTTP and Kafka only."""

import contextlib
import json
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import httpx
from aiokafka import AIOKafkaProducer
from service_runtime.auth import Role, issue
from service_runtime.testing import wait_until

ROSTER = [("Åsa", "Öström"), ("Bo", "Lindqvist"), ("Carla", "Reyes")]
FILLER = "A good essay says one thing well, and then it stops before the reader does. "


def read_env(path: Path) -> dict[str, str]:
    """The variables in an env file."""
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)


def essay(first_line: str, number: int = 0) -> bytes:
    """A text long enough to be an essay, with this first line."""
    return f"{first_line}\n\nEssay {number}. {FILLER}".encode()


class School:
    """One teacher, and requests on their behalf."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = variables
        self.teacher_id = f"teacher-{uuid4()}"
        token = issue(variables["SCRIPTORIUM_JWT_SECRET"], self.teacher_id, [Role.TEACHER], 600)
        self.http = httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=30, trust_env=False)
        self.class_id = ""
        self.students: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        self._producer = AIOKafkaProducer(bootstrap_servers=self.variables["KAFKA_BOOTSTRAP_SERVERS"])
        await self._producer.start()
        made = await self.post("CLASS_MANAGEMENT", "/v1/classes", {"name": "9A", "course_code": "SV1"})
        self.class_id = made["class_id"]
        await self.change_roster(ROSTER)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._producer.stop()
        await self.http.aclose()

    def url(self, service: str, path: str) -> str:
        """Where a service's route is."""
        return self.variables[f"{service}_URL"] + path

    async def request(
        self, method: str, service: str, path: str, *, key: str | None = None, **content: Any
    ) -> httpx.Response:
        """An answer of a service, asked again while it is being restarted; `key` is an idempotency key."""
        headers = {"Idempotency-Key": key or str(uuid4())}

        async def answered() -> httpx.Response | None:
            with contextlib.suppress(httpx.TransportError):
                response = await self.http.request(method, self.url(service, path), headers=headers, **content)
                return None if response.status_code == httpx.codes.SERVICE_UNAVAILABLE else response
            return None

        return await wait_until(answered)

    async def get(self, service: str, path: str) -> Any:
        """What a GET answers; an error fails the test."""
        return (await self.request("GET", service, path)).raise_for_status().json()

    async def post(self, service: str, path: str, body: object = None) -> Any:
        """What a POST answers; an error fails the test."""
        return (await self.request("POST", service, path, json=body)).raise_for_status().json()

    async def change_roster(self, names: Sequence[tuple[str, str]]) -> None:
        """Put these students into the class."""
        students = [{"first_name": first, "last_name": last} for first, last in names]
        path = f"/v1/classes/{self.class_id}/roster"
        answer = (await self.request("PUT", "CLASS_MANAGEMENT", path, json={"students": students})).json()
        self.students = {f"{each['first_name']} {each['last_name']}": each["student_id"] for each in answer["students"]}

    async def register(self, expected: int, *, guest: bool = False) -> str:
        """A new batch."""
        body = {"course_code": "SV1", "expected_essay_count": expected}
        class_id = {} if guest else {"class_id": self.class_id}
        registered = await self._accepted("BATCH_ORCHESTRATOR", "/v1/batches", json={**body, **class_id})
        return str(registered.json()["batch_id"])

    async def upload(self, batch_id: str, *files: bytes) -> None:
        """Upload files in one request."""
        parts = [("files", (f"file-{number}.txt", data)) for number, data in enumerate(files)]
        await self._accepted("FILE_SERVICE", f"/v1/batches/{batch_id}/files", files=parts)

    async def _accepted(self, service: str, path: str, **content: Any) -> httpx.Response:
        """What a POST answers once the service has heard what another one said; an error fails the test."""

        async def known() -> httpx.Response | None:
            response = await self.request("POST", service, path, **content)
            return None if "not known here yet" in response.text else response.raise_for_status()

        return await wait_until(known)

    async def batch(self, batch_id: str) -> Any:
        """The batch as the orchestrator shows it."""
        return await self.get("BATCH_ORCHESTRATOR", f"/v1/batches/{batch_id}")

    async def until(self, batch_id: str, status: str) -> Any:
        """The batch once it is in this state."""

        async def arrived() -> Any:
            batch = await self.batch(batch_id)
            return batch if batch["status"] == status else None

        return await wait_until(arrived, 60)

    async def until_asked(self, batch_id: str) -> dict[str, Any]:
        """The associations once the teacher is asked, by the files' names."""

        async def asked() -> Any:
            path = f"/v1/batches/{batch_id}/student-associations"
            response = await self.request("GET", "CLASS_MANAGEMENT", path)
            return response.json() if response.is_success else None

        return {each["original_file_name"]: each for each in (await wait_until(asked, 60))["associations"]}

    async def confirm(self, batch_id: str, decisions: Mapping[str, str | None] | None = None) -> Any:
        """Confirm, taking the suggestions where nothing else is said."""
        chosen = [{"essay_id": essay_id, "student_id": student} for essay_id, student in (decisions or {}).items()]
        body = {"associations": chosen, "accept_suggestions": True}
        return await self.post("CLASS_MANAGEMENT", f"/v1/batches/{batch_id}/student-associations/confirm", body)

    async def publish(self, topic: str, kind: str, data: dict[str, Any]) -> None:
        """Say something as a system outside would, in CloudEvents' structured mode."""
        event = {"specversion": "1.0", "id": str(uuid4()), "source": "/registry", "type": kind, "data": data}
        headers = [("content-type", b"application/cloudevents+json; charset=utf-8")]
        value = json.dumps(event).encode()
        await self._producer.send_and_wait(topic, value, key=data["batch_id"].encode(), headers=headers)

    async def kill(self, module: str) -> None:
        """Kill -9 the service's process; the system starts it again."""
        for pid in self._processes(module):
            os.kill(pid, signal.SIGKILL)

    async def restart(self, module: str) -> None:
        """Ask the service's process to stop, see that it does in time, and wait for the next one."""
        (pid,) = self._processes(module)
        os.kill(pid, signal.SIGTERM)
        await wait_until(lambda: pid not in self._processes(module), 25)
        await wait_until(lambda: self._processes(module))

    def _processes(self, module: str) -> list[int]:
        return _processes(self.variables["KAFKA_BOOTSTRAP_SERVERS"], module)


def moves(batch: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """The way a batch came."""
    return [(move["from"], move["to"], move["trigger"]) for move in batch["history"]]


def _processes(kafka: str, module: str) -> list[int]:
    """The processes of this module that belong to this system."""
    found = []
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            arguments = (folder / "cmdline").read_bytes().split(b"\0")
            environment = (folder / "environ").read_bytes().split(b"\0")
            if module.encode() in arguments and f"KAFKA_BOOTSTRAP_SERVERS={kafka}".encode() in environment:
                found.append(int(folder.name))
    return found
