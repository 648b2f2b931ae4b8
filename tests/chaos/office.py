"""Messages that cannot be handled, and the operator who replays, mends and discards them."""

import asyncio
from random import Random
from typing import Any

from tests.chaos.journal import AskedBatch, Journal
from tests.chaos.outside import SOURCE, Outside, Said
from tests.chaos.teacher import GaveUp, Teacher

DATABASE, SERVICE = "batch_orchestrator_service", "BATCH_ORCHESTRATOR"
PATH = "/ops/dead-letters"


async def refused_registration(outside: Outside, journal: Journal, rng: Random, batch_id: str) -> None:
    """Another registration of a known batch: a dead letter, also when it is replayed."""
    other = {"batch_id": batch_id, "teacher_id": "somebody else", "course_code": "ENG7", "expected_essay_count": 400}
    await _say_wrong(outside, journal, rng, ("RegisterBatchV1", other))


async def unreadable_registration(outside: Outside, journal: Journal, rng: Random, asked: AskedBatch) -> None:
    """A registration with a course that does not exist; its content waits until the operator has mended it."""
    right = {"batch_id": asked.batch_id, "teacher_id": "outside", "course_code": "SV1", "expected_essay_count": 1}
    upload = str(asked.batch_id)
    content = {"batch_id": asked.batch_id, "file_upload_id": upload, "original_file_name": "w.txt"}
    stored = {"text_storage_id": f"elsewhere/{upload}", "file_size_bytes": 70}
    journal.batches[asked.batch_id] = asked
    asked.registered = True  # Nothing else is promised to anybody, but the operator sees to it.
    asked.uploads.append(upload)
    event_id = await _say_wrong(outside, journal, rng, ("RegisterBatchV1", {**right, "course_code": "LATIN"}))
    journal.mendable[event_id] = right
    await outside.say(rng, [("EssayContentProvisionedV1", {**content, **stored})])


async def _say_wrong(outside: Outside, journal: Journal, rng: Random, message: Said) -> str:
    (event_id,) = await outside.say(rng, [message])
    journal.provoked.append((DATABASE, SOURCE, event_id))
    return event_id


class Operator:
    """Takes a dead letter every now and then; when the day is over, mends all that can be mended."""

    def __init__(self, person: Teacher, journal: Journal) -> None:
        self.actions: dict[str, int] = {"replayed": 0, "mended": 0, "discarded": 0}
        self._person = person
        self._journal = journal

    async def run(self, over: asyncio.Event) -> None:
        """Until told to stop and nothing is left to mend."""
        while not over.is_set() or self._journal.mendable:
            await asyncio.sleep(self._person.rng.uniform(0.2, 1.0))
            found = await self._person.look(SERVICE, f"{PATH}?state=dead&limit=500")
            letters = found["items"] if found else []
            if over.is_set():
                letters = [each for each in letters if each["event_id"] in self._journal.mendable]
            if letters:
                await self._act(self._person.rng.choice(letters))
        await self._person.close()

    async def _act(self, letter: dict[str, Any]) -> None:
        right = self._journal.mendable.get(letter["event_id"])
        chance = self._person.rng.random()
        known = (DATABASE, letter["source"], letter["event_id"]) in self._journal.provoked
        if not known:
            return  # The checker must find it.
        if right is not None and chance < 0.8:
            body: dict[str, object] = {"data": right, "type": "RegisterBatchV1", "why": "there is no such course"}
            await self._ask(letter, f"/{letter['position']}/edit", "mended", body)
        elif right is None and chance < 0.3:
            await self._ask(letter, f"/{letter['position']}/discard", "discarded", {"why": "a mistake"})
        else:
            body = {"positions": [letter["position"]], "why": "once more"}
            await self._ask(letter, "/replay", "replayed", body)

    async def _ask(self, letter: dict[str, Any], path: str, done: str, body: dict[str, object]) -> None:
        try:
            answer = await self._person.ask(SERVICE, "POST", PATH + path, json=body)
        except GaveUp as error:
            self._journal.wrong_answers.append(f"an operator got no answer: {error}")
            return
        if not answer.is_success:
            return  # Somebody has replayed it in between, so it is not dead now.
        self.actions[done] += 1
        if done != "replayed":
            self._journal.provoked.remove((DATABASE, letter["source"], letter["event_id"]))
            self._journal.mendable.pop(letter["event_id"], None)
