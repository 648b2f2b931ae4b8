"""A process whose clock is ten minutes off does what one with a right clock does: only the database's time decides."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from common_core.events import EssaySlotAssignedV1
from local_stack.machine import free_port
from service_runtime.auth import Role, issue
from service_runtime.testing import Heard, wait_until

from tests.integration.notebook import TABLES, line, lines, opening, service
from tests.integration.skew import clock_off_by
from tests.integration.world import SECRET, Database, World

MODULE = "tests.integration.tidy_notebook"
FIVE_MINUTES = timedelta(minutes=5)
"""Half of what the clock is off: too early and too late are told apart."""
A_BUG = 3_000_000_000
SET_TIMER = """
    INSERT INTO timers (name, aggregate_id, due_at, setting_id, correlation_id)
    VALUES ($1, $2, now() + $3, gen_random_uuid(), 'c')
"""


@dataclass(frozen=True)
class Skewed:
    """The one process of the notebook, and its database, whose time is right."""

    world: World
    database: Database
    http: httpx.AsyncClient
    minutes: int

    async def open_page(self) -> UUID:
        """A page that is there."""
        page_id = uuid4()
        event_id = await self.world.outside.publish(opening(page_id))
        await wait_until(lambda: self.database.seen(event_id))
        return page_id

    async def parked(self, page_id: UUID) -> asyncpg.Record | None:
        """The message that is parked for a page."""
        rows = await self.database.fetch("SELECT * FROM parked_messages WHERE key = $1", str(page_id))
        return rows[0] if rows else None

    async def attempted(self, page_id: UUID, state: str, attempts: int) -> bool:
        """Whether the message parked for this page is in this state after so many attempts, or more."""
        row = await self.parked(page_id)
        return row is not None and row["state"] == state and row["attempts"] >= attempts


@pytest.fixture(scope="module", params=[10, -10], ids=["ten minutes ahead", "ten minutes behind"])
async def notebook(shared_world: World, request: pytest.FixtureRequest) -> AsyncIterator[Skewed]:
    database, port = await shared_world.database(service, TABLES), free_port()
    waiting_days = FIVE_MINUTES / timedelta(days=1)
    variables = {"SCRIPTORIUM_PORT": str(port), "SCRIPTORIUM_WAITING_DAYS": str(waiting_days)}
    process = await shared_world.process(
        service, MODULE, TABLES, variables={**variables, **clock_off_by(request.param)}
    )
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
        await wait_until(lambda: is_ready(http), 30)
        yield Skewed(shared_world, database, http, request.param)
    process.kill()


async def is_ready(http: httpx.AsyncClient) -> bool:
    try:
        return (await http.get("/readyz")).is_success
    except httpx.TransportError:
        return False


async def database_time(database: Database) -> datetime:
    at: datetime = (await database.fetch("SELECT now() AS at"))[0]["at"]
    return at


def said_at(heard: Heard) -> datetime:
    """The attribute `time` of an event."""
    return datetime.fromisoformat(dict(heard.record.headers)["ce_time"].decode())


async def test_the_process_really_has_another_clock(notebook: Skewed) -> None:
    its_time = parsedate_to_datetime((await notebook.http.get("/healthz")).headers["Date"])

    assert abs(its_time - datetime.now(UTC) - timedelta(minutes=notebook.minutes)) < timedelta(minutes=1)


@pytest.mark.parametrize("name", ["ring", "print"])
async def test_a_timer_fires_when_it_is_due_and_a_lease_lasts_until_it_ends(notebook: Skewed, name: str) -> None:
    soon, later = await notebook.open_page(), await notebook.open_page()
    await notebook.database.fetch(SET_TIMER, name, later, FIVE_MINUTES)
    await notebook.database.fetch(SET_TIMER, name, soon, timedelta(seconds=0.5))
    (timer,) = await notebook.database.fetch("SELECT due_at FROM timers WHERE aggregate_id = $1", soon)

    await wait_until(lambda: lines(notebook.database, soon))

    (heard,) = await wait_until(lambda: notebook.world.listener.all_of(EssaySlotAssignedV1, soon))
    assert said_at(heard) >= timer["due_at"]
    assert await lines(notebook.database, later) == []


async def test_an_events_time_is_the_databases(notebook: Skewed) -> None:
    page_id = await notebook.open_page()
    before = await database_time(notebook.database)
    await notebook.world.outside.publish(line(page_id, "a line"))

    (heard,) = await wait_until(lambda: notebook.world.listener.all_of(EssaySlotAssignedV1, page_id))

    assert before <= said_at(heard) <= await database_time(notebook.database)


async def test_a_message_that_fails_is_tried_again_when_it_is_due(notebook: Skewed) -> None:
    first, other = await notebook.open_page(), await notebook.open_page()
    await notebook.world.outside.publish(line(first, "fails", A_BUG))
    await wait_until(lambda: notebook.attempted(first, "dead", 3))
    await notebook.database.fetch(
        "UPDATE parked_messages SET state = 'failing', attempts = 1, due_at = now() + $2 WHERE key = $1",
        str(first),
        FIVE_MINUTES,
    )

    await notebook.world.outside.publish(line(other, "fails", A_BUG))
    await wait_until(lambda: notebook.attempted(other, "dead", 3))

    parked = await notebook.parked(first)
    assert parked is not None
    assert (parked["state"], parked["attempts"]) == ("failing", 1)
    await notebook.database.fetch("UPDATE parked_messages SET due_at = now() WHERE key = $1", str(first))
    await wait_until(lambda: notebook.attempted(first, "dead", 3))


async def test_a_message_waits_as_long_as_it_may(notebook: Skewed) -> None:
    unknown = uuid4()
    await notebook.world.outside.publish(line(unknown, "of a page nobody has opened"))
    await wait_until(lambda: notebook.attempted(unknown, "waiting", 3))

    query = "UPDATE parked_messages SET parked_at = now() - $2::interval WHERE key = $1"
    await notebook.database.fetch(query, str(unknown), FIVE_MINUTES + timedelta(minutes=1))

    await wait_until(lambda: notebook.attempted(unknown, "dead", 3))


async def test_what_is_old_is_forgotten_and_nothing_younger(notebook: Skewed) -> None:
    days = {"inbox": 30, "idempotency_keys": 7}
    ages = [("younger", -FIVE_MINUTES), ("older", FIVE_MINUTES)]
    for name, more in ages:
        known = f"{name} {notebook.minutes}"
        seen = "INSERT INTO inbox (source, event_id, received_at) VALUES ('old', $1, now() - $2::interval)"
        await notebook.database.fetch(seen, known, timedelta(days=days["inbox"]) + more)
        answered = """
            INSERT INTO idempotency_keys (caller, route, key, fingerprint, created_at)
            VALUES ('old', '/', $1, '', now() - $2::interval)
        """
        await notebook.database.fetch(answered, known, timedelta(days=days["idempotency_keys"]) + more)

    kept = [f"younger {notebook.minutes}"]
    await wait_until(lambda: only(notebook.database, kept))


async def only(database: Database, kept: list[str]) -> bool:
    """Whether of the old rows of this clock just these are left, in both tables."""
    like = f"%{kept[0].split()[1]}"
    queries = (
        "SELECT event_id AS name FROM inbox WHERE source = 'old' AND event_id LIKE $1",
        "SELECT key AS name FROM idempotency_keys WHERE caller = 'old' AND key LIKE $1",
    )
    left = [[row["name"] for row in await database.fetch(query, like)] for query in queries]
    return left == [kept, kept]


@pytest.mark.parametrize(("seconds", "status"), [(60, 200), (-60, 401)])
async def test_a_token_counts_as_long_as_its_issuer_says(notebook: Skewed, seconds: int, status: int) -> None:
    token = issue(SECRET, "olle", [Role.OPERATOR], seconds)
    headers: dict[str, Any] = {"Authorization": f"Bearer {token}"}

    answer = await notebook.http.get("/ops/keys/some-key", headers=headers)

    assert answer.status_code == status, answer.text
