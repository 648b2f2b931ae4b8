"""One person over HTTP: patient, and exact about what they were promised."""

import asyncio
import time
from random import Random
from typing import Any
from uuid import UUID

import httpx
from service_runtime.auth import Role, issue

from tests.chaos.cluster import JWT_SECRET, Cluster
from tests.chaos.journal import Journal

TRY_SECONDS = 240.0
NOT_NOW = {404, 500, 502, 503, 504}
"""Not heard yet, or broken for a moment: the same request again."""


class GaveUp(Exception):
    """A request was not answered within its time; the batch is left as it is."""


class Teacher:
    """Requests with an Idempotency-Key, repeated until they are answered, and sometimes once more."""

    def __init__(self, name: str, cluster: Cluster, journal: Journal, rng: Random, role: Role = Role.TEACHER) -> None:
        self.name = name
        self.rng = rng
        self._cluster = cluster
        self._journal = journal
        token = issue(JWT_SECRET, name, [role], 86_400)
        self._http = httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=10, trust_env=False)

    async def close(self) -> None:
        """Hang up."""
        await self._http.aclose()

    def new_id(self) -> str:
        """A UUID of the seed's choosing."""
        return str(UUID(int=self.rng.getrandbits(128), version=4))

    async def ask(self, service: str, method: str, path: str, *, seconds: float = TRY_SECONDS, **body: Any) -> Any:
        """The first answer that is final, whatever it says; raises GaveUp."""
        headers = {"Idempotency-Key": self.new_id()}
        answer = await self._answered(service, method, path, headers, seconds, body)
        if method == "POST" and answer.is_success and self.rng.random() < 0.1:
            again = await self._answered(service, method, path, headers, seconds, body)
            if again.content != answer.content:
                said = f"{answer.status_code} {answer.text[:300]} and then {again.status_code} {again.text[:300]}"
                self._journal.wrong_answers.append(f"{method} {path} with the same key: {said}")
        return answer

    async def look(self, service: str, path: str) -> Any:
        """What a GET says now; None when it cannot be had now."""
        try:
            answer = await self._http.get(self._url(service, path))
        except httpx.TransportError:
            return None
        return answer.json() if answer.is_success else None

    async def _answered(
        self, service: str, method: str, path: str, headers: dict[str, str], seconds: float, body: dict[str, Any]
    ) -> httpx.Response:
        until = time.monotonic() + seconds
        last = ""
        while time.monotonic() < until:
            try:
                answer = await self._http.request(method, self._url(service, path), headers=headers, **body)
            except httpx.TransportError as error:
                last = repr(error)
            else:
                if answer.status_code not in NOT_NOW:
                    return answer
                last = f"{answer.status_code} {answer.text[:200]}"
            await asyncio.sleep(self.rng.uniform(0.1, 0.8))
        raise GaveUp(f"{method} {path} of {service}: {last}")

    def _url(self, service: str, path: str) -> str:
        urls = [each.url for each in self._cluster.instances if each.member.variable == service]
        return self.rng.choice(urls) + path
