"""Steady work through all five services: the rate at which it gets done shows how fast they recover."""

import asyncio
from random import Random

import asyncpg

from tests.chaos.journal import AskedBatch, Journal
from tests.chaos.outside import Outside
from tests.chaos.teacher import Teacher
from tests.chaos.workload import FILLER, HASTY, READY, ROSTER, TRUSTING, SchoolClass, make_class

HASTE = {**HASTY, "association_deadline_seconds": 1}
# When no text could be had in time, there is no clear suggestion, and nobody is there to decide.
TRUST = {**TRUSTING, "association_deadline_seconds": 20}


MOST_BEHIND = 30.0
"""Seconds of work that may be unfinished: a machine that is too slow for the rate gets no more."""
FINISHED = "SELECT count(*) FROM batches WHERE teacher_id = $1 AND status = 'ready_for_pipeline_execution'"


class Pulse:
    """A system outside that registers batches of one essay at a constant rate; nobody decides anything about them."""

    def __init__(self, teacher: Teacher, outside: Outside, journal: Journal, database: str, rate: float) -> None:
        self._database = database
        self._teacher = teacher
        self._outside = outside
        self._journal = journal
        self._pause = 1 / rate
        self._most = rate * MOST_BEHIND
        self._begun = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, over: asyncio.Event) -> None:
        """Until told to stop; one batch after the other, and what could not be said meanwhile is said at last."""
        classes = [await make_class(self._teacher, kind) for kind in (TRUST, TRUST, TRUST, HASTE)]
        text = await self._upload(classes[0])
        loop = asyncio.get_running_loop()
        began = loop.time()
        while not over.is_set():
            school_class = classes[self._begun % len(classes)]
            # Its own source of chance: tasks that wait for the broker must not disturb each other's.
            rng = Random(self._teacher.rng.getrandbits(64))  # noqa: S311  # no secret
            task = asyncio.create_task(self._beat(rng, school_class, text))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            self._begun += 1
            if self._begun % 20 == 0:
                while self._begun - await self._finished() > self._most and not over.is_set():
                    await asyncio.sleep(0.5)
                    began += 0.5
            await asyncio.sleep(began + self._begun * self._pause - loop.time())
        await asyncio.gather(*self._tasks)
        await self._teacher.close()

    async def flows(self) -> bool:
        """Whether most of what was begun is done, so that a rate can be taken."""
        return self._begun > 4 and await self._finished() * 2 > self._begun

    async def _finished(self) -> int:
        """How many batches are ready; while PostgreSQL is away all, so that nothing is held back."""
        try:
            connection = await asyncpg.connect(self._database, timeout=5)
        except (OSError, asyncpg.PostgresError, TimeoutError):
            return self._begun
        try:
            count: int = await connection.fetchval(FINISHED, self._teacher.name, timeout=5)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
            return self._begun
        else:
            return count
        finally:
            connection.terminate()

    async def _upload(self, school_class: SchoolClass) -> str:
        """One readable essay, whose text every later batch points at; the batch it came with ends like the others."""
        asked = self._asked(school_class)
        await self._outside.say(self._teacher.rng, [("RegisterBatchV1", self._registration(asked))])
        first, last = ROSTER[0]
        essay = ("files", ("f.txt", f"{first} {last}\n\n{FILLER}".encode()))
        path = f"/v1/batches/{asked.batch_id}/files"
        answer = (await self._teacher.ask("FILE_SERVICE", "POST", path, files=[essay])).raise_for_status()
        asked.uploads += [each["file_upload_id"] for each in answer.json()]
        while not (found := await self._teacher.look("FILE_SERVICE", path)) or not found[0]["text_storage_id"]:
            await asyncio.sleep(0.1)
        return str(found[0]["text_storage_id"])

    async def _beat(self, rng: Random, school_class: SchoolClass, text: str) -> None:
        asked = self._asked(school_class)
        asked.steady = True
        upload = self._teacher.new_id()
        about = {"batch_id": asked.batch_id, "file_upload_id": upload, "original_file_name": "p.txt"}
        content = {**about, "text_storage_id": text, "file_size_bytes": 70}
        asked.uploads.append(upload)
        messages = [("RegisterBatchV1", self._registration(asked)), ("EssayContentProvisionedV1", content)]
        await self._outside.say(rng, messages)

    def _asked(self, school_class: SchoolClass) -> AskedBatch:
        asked = AskedBatch(self._teacher.new_id(), school_class.class_id, 1, registered=True, ends=[READY])
        self._journal.batches[asked.batch_id] = asked
        return asked

    def _registration(self, asked: AskedBatch) -> dict[str, object]:
        about = {"batch_id": asked.batch_id, "teacher_id": self._teacher.name, "class_id": asked.class_id}
        return {**about, "course_code": "SV1", "expected_essay_count": asked.expected}
