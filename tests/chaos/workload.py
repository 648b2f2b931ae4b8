"""What the school wants meanwhile: batches of every kind, one after the other."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.chaos.journal import AskedBatch, Journal
from tests.chaos.office import refused_registration, unreadable_registration
from tests.chaos.outside import Outside, Said
from tests.chaos.teacher import GaveUp, Teacher

READY, FAILED, CANCELLED = "ready_for_pipeline_execution", "content_ingestion_failed", "cancelled"
ENDS = {READY, FAILED, CANCELLED}
ROSTER = [("Åsa", "Öström"), ("Bo", "Lindqvist"), ("Carla", "Reyes"), ("David", "Ek"), ("Eva", "Holm")]
FILLER = "A good essay says one thing well, and then it stops before the reader does."
PATIENT: dict[str, int] = {}
HASTY = {"association_deadline_seconds": 4}
TRUSTING = {"auto_confirm": True}


@dataclass
class SchoolClass:
    """A class and who is in it."""

    class_id: str
    hasty: bool
    students: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Wish:
    """What shall happen to one batch, chosen before it begins."""

    school_class: SchoolClass | None
    by_http: bool
    files: int
    """Good files over HTTP."""
    outside: int
    """Good contents from a system outside."""
    bad: int
    surplus: int
    early: bool
    """Whether contents come before the batch is registered."""
    ending: str
    """normal, cancel or close."""

    @classmethod
    def of(cls, rng: Random, classes: list[SchoolClass]) -> "Wish":
        """Something that can happen in a school."""
        good = rng.choice([1, 2, 3, 4, 5, 12])
        source = rng.choice(["files", "outside", "both"])
        outside = {"files": 0, "outside": good, "both": good // 2}[source]
        return cls(
            school_class=rng.choice(classes) if rng.random() < 0.55 else None,
            by_http=rng.random() < 0.6,
            files=good - outside,
            outside=outside,
            bad=rng.choice([0, 0, 0, 1, 2]) if rng.random() < 0.9 else 0,
            surplus=rng.choice([0, 0, 1, 2]),
            early=rng.random() < 0.4,
            ending=rng.choices(["normal", "cancel", "close", "all bad"], [74, 12, 8, 6])[0],
        )


async def make_class(teacher: Teacher, kind: dict[str, Any]) -> SchoolClass:
    """A class with a roster."""
    body = {"name": "9A", "course_code": "SV1", **kind}
    made = (await teacher.ask("CLASS_MANAGEMENT", "POST", "/v1/classes", json=body)).raise_for_status().json()
    roster = {"students": [{"first_name": first, "last_name": last} for first, last in ROSTER]}
    path = f"/v1/classes/{made['class_id']}/roster"
    answer = (await teacher.ask("CLASS_MANAGEMENT", "PUT", path, json=roster)).raise_for_status().json()
    return SchoolClass(made["class_id"], kind is HASTY, [each["student_id"] for each in answer["students"]])


class School:
    """One teacher with classes of three kinds, who works on one batch after the other."""

    def __init__(self, teacher: Teacher, outside: Outside, journal: Journal) -> None:
        self._teacher = teacher
        self._outside = outside
        self._journal = journal
        self._rng = teacher.rng
        self._classes: list[SchoolClass] = []
        self._side: list[asyncio.Task[None]] = []

    async def run(self, over: asyncio.Event) -> None:
        """Until told to stop; the batch at hand is brought to its end."""
        for kind in (PATIENT, HASTY, TRUSTING):
            self._classes.append(await make_class(self._teacher, kind))
        while not over.is_set():
            await self._one_batch(Wish.of(self._rng, self._classes))
            self._side = [task for task in self._side if not task.done()]
        await asyncio.gather(*self._side)
        await self._teacher.close()

    async def _one_batch(self, wish: Wish) -> None:
        expected = wish.files + wish.outside + wish.bad
        which = wish.school_class.class_id if wish.school_class else None
        asked = AskedBatch(self._teacher.new_id(), which, expected, ends=[READY])
        self._journal.batches[asked.batch_id] = asked
        try:
            await self._play(wish, asked)
        except GaveUp as error:
            asked.gave_up = str(error)
        if self._rng.random() < 0.25:
            await self._provoke(asked)

    async def _play(self, wish: Wish, asked: AskedBatch) -> None:
        contents = asyncio.create_task(self._contents_from_outside(wish, asked, None)) if wish.early else None
        await self._register(wish, asked)
        if contents is None:
            contents = asyncio.create_task(self._contents_from_outside(wish, asked, self._rng.uniform(0, 0.5)))
        cancelling = asyncio.create_task(self._cancel(asked)) if wish.ending == "cancel" else None
        await asyncio.gather(contents, self._upload(wish, asked))
        if wish.ending == "close":
            await self._close(asked)
        if cancelling:
            await cancelling
        following = self._follow(wish, asked)
        if wish.ending == "normal" and self._rng.random() < 0.6:
            await following
        else:  # The next batch begins before this one has ended.
            self._side.append(asyncio.create_task(following))

    async def _register(self, wish: Wish, asked: AskedBatch) -> None:
        body = {
            "batch_id": asked.batch_id,
            "course_code": "SV1",
            "expected_essay_count": asked.expected,
            **({"class_id": asked.class_id} if asked.class_id else {}),
        }
        if not wish.by_http:
            command: Said = ("RegisterBatchV1", {**body, "teacher_id": self._teacher.name})
            await self._outside.say(self._rng, [command])
            asked.registered = True
            return
        for _ in range(40):  # 422 means: the class has not been heard of yet.
            answer = await self._teacher.ask("BATCH_ORCHESTRATOR", "POST", "/v1/batches", json=body)
            if answer.is_success:
                asked.registered = True
                return
            await asyncio.sleep(0.5)
        raise GaveUp(f"registering: {answer.status_code} {answer.text[:200]}")

    async def _upload(self, wish: Wish, asked: AskedBatch) -> None:
        """Files in one to three requests: good ones, bad ones, the same text twice, and too many."""
        good = wish.files + (wish.surplus if wish.ending != "close" else 0)
        missing = 1 if wish.ending == "close" and good > 1 else 0
        texts = [self._essay(number) for number in range(good - missing)]
        bad = wish.bad + (len(texts) if wish.ending == "all bad" else 0)
        if wish.ending == "all bad":
            texts = []
            asked.ends = [FAILED] if wish.outside == 0 else [READY, FAILED]
        files = [*texts, *(b"" for _ in range(bad))]
        if texts and self._rng.random() < 0.2:
            files.append(texts[0])
        self._rng.shuffle(files)
        while files:
            count = self._rng.randint(1, len(files))
            parts = [("files", (f"f{number}.txt", data)) for number, data in enumerate(files[:count])]
            files = files[count:]
            path = f"/v1/batches/{asked.batch_id}/files"
            answer = await self._teacher.ask("FILE_SERVICE", "POST", path, files=parts)
            if answer.status_code == 202:
                asked.uploads += [each["file_upload_id"] for each in answer.json()]
            elif answer.status_code != 409:
                self._journal.wrong_answers.append(f"upload: {answer.status_code} {answer.text[:200]}")

    def _essay(self, number: int) -> bytes:
        first, last = self._rng.choice([*ROSTER, ("Nobody", "Special")])
        return f"{first} {last}\n\nEssay {number} {self._teacher.new_id()}. {FILLER}".encode()

    async def _contents_from_outside(self, wish: Wish, asked: AskedBatch, pause: float | None) -> None:
        if not wish.outside:
            return
        await asyncio.sleep(pause or 0)
        messages: list[Said] = []
        for number in range(wish.outside):
            upload = self._teacher.new_id()
            about = {"batch_id": asked.batch_id, "file_upload_id": upload, "original_file_name": f"o{number}.txt"}
            stored = {"text_storage_id": f"elsewhere/{upload}", "file_size_bytes": 70}
            messages.append(("EssayContentProvisionedV1", {**about, **stored}))
        self._rng.shuffle(messages)
        await self._outside.say(self._rng, messages)
        asked.uploads += [str(data["file_upload_id"]) for _, data in messages]

    async def _cancel(self, asked: AskedBatch) -> None:
        await asyncio.sleep(self._rng.uniform(0, 4))
        asked.ends = [READY, FAILED, CANCELLED]
        answer = await self._teacher.ask("BATCH_ORCHESTRATOR", "POST", f"/v1/batches/{asked.batch_id}/cancel")
        asked.cancelled = answer.is_success
        asked.ends = [CANCELLED] if answer.is_success else [READY, FAILED]

    async def _close(self, asked: AskedBatch) -> None:
        asked.ends = [READY, FAILED]
        await self._teacher.ask("ESSAY_LIFECYCLE", "POST", f"/v1/batches/{asked.batch_id}/close")

    async def _follow(self, wish: Wish, asked: AskedBatch) -> None:
        """Until the batch has ended; who wrote what is decided on the way."""
        until = time.monotonic() + 240
        while time.monotonic() < until:
            batch = await self._teacher.look("BATCH_ORCHESTRATOR", f"/v1/batches/{asked.batch_id}")
            if batch and batch["status"] in ENDS:
                return
            if batch and batch["status"] == "awaiting_student_validation" and wish.school_class:
                with suppress(GaveUp):
                    await self._decide(asked, wish.school_class)
            await asyncio.sleep(self._rng.uniform(0.3, 1))
        asked.gave_up = "it did not end within 240 s"

    async def _decide(self, asked: AskedBatch, school_class: SchoolClass) -> None:
        path = f"/v1/batches/{asked.batch_id}/student-associations"
        found = await self._teacher.look("CLASS_MANAGEMENT", path)
        if not found or found["status"] != "open" or (school_class.hasty and self._rng.random() < 0.7):
            return
        essays = [each["essay_id"] for each in found["associations"]]
        chosen = {essay: self._rng.choice([None, *school_class.students]) for essay in essays}
        for essay in self._rng.sample(essays, self._rng.randint(0, len(essays))):
            choice = {"student_id": chosen[essay]}
            asked.decisions.pop(essay, None)  # Until it is answered, both may be so.
            if (await self._teacher.ask("CLASS_MANAGEMENT", "PUT", f"{path}/{essay}", json=choice)).is_success:
                asked.decisions[essay] = chosen.pop(essay)
        asked.decisions = {essay: student for essay, student in asked.decisions.items() if essay not in chosen}
        rest = [{"essay_id": essay, "student_id": student} for essay, student in chosen.items()]
        body = {"associations": rest, "accept_suggestions": True}
        if (await self._teacher.ask("CLASS_MANAGEMENT", "POST", f"{path}/confirm", json=body)).is_success:
            asked.decisions |= chosen

    async def _provoke(self, asked: AskedBatch) -> None:
        """What must become a dead letter: another registration of the same batch, and one that nobody can read."""
        if asked.registered:
            await refused_registration(self._outside, self._journal, self._rng, asked.batch_id)
        wrong = AskedBatch(self._teacher.new_id(), None, 1, ends=[READY])
        await unreadable_registration(self._outside, self._journal, self._rng, wrong)
