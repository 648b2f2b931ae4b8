"""The main job: a folder of files becomes a batch, is decided by its teacher, and gets ready."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import batched
from pathlib import Path
from uuid import UUID

from common_core.status_enums import BatchStatus, CourseCode

from scriptorium import teacher
from scriptorium.client import Client
from scriptorium.errors import NothingToSubmit, WaitedTooLong
from scriptorium.teacher import Choose, Row
from scriptorium.views import Batch, Essays, File, Student, Validation

FILES_PER_REQUEST = 20
LOOK_SECONDS = 0.1


@dataclass(frozen=True)
class Order:
    """What is to be submitted; without a roster it is a GUEST batch."""

    title: str
    files: Sequence[Path]
    course: CourseCode
    roster: Path | None = None
    class_name: str = "My class"
    expected: int | None = None
    """How many slots the batch has. When not given as many as files, and those that stay free are closed."""
    choose: Choose = teacher.none_of_them
    """Who wrote an essay without a suggestion."""
    patience: float = 120.0
    """How many seconds it may take."""


@dataclass
class Progress:
    """A batch as far as it has come."""

    title: str
    status: str = "being registered"
    essays: dict[str, str] = field(default_factory=dict)
    """What becomes of each file, by its name."""


@dataclass(frozen=True)
class Outcome:
    """A batch at its end."""

    title: str
    batch: Batch
    rows: list[Row]
    seconds_to_validation: float
    """From the start of the first upload until the batch was seen to have all its content."""
    seconds_to_ready: float
    """From the teacher's confirmation until the batch was seen ready."""

    @property
    def ready(self) -> bool:
        """Whether the main job is done."""
        return self.batch.status is BatchStatus.READY_FOR_PIPELINE_EXECUTION


class Submission:
    """One batch on its way; `report` hears how far it has come."""

    def __init__(self, client: Client, order: Order, report: Callable[[Progress], None]) -> None:
        self._client = client
        self._order = order
        self._report = report
        self._progress = Progress(order.title, essays={file.name: "to be uploaded" for file in order.files})
        self._waits_for = "the services to answer"
        self._students: list[Student] = []

    async def run(self) -> Outcome:
        """Do the whole job; raises CommandFailed when it cannot be done or takes too long."""
        try:
            async with asyncio.timeout(self._order.patience):
                return await self._whole_job()
        except TimeoutError:
            raise WaitedTooLong(self._order.title, self._order.patience, self._waits_for) from None

    async def _whole_job(self) -> Outcome:
        batch_id = await self._register()
        uploading_at = time.monotonic()
        await self._upload(batch_id)
        batch = await self._until(lambda: self._content(batch_id))
        confirmed_at = complete_at = time.monotonic()
        decided: Validation | None = None
        if batch.status is BatchStatus.AWAITING_STUDENT_VALIDATION:
            suggested = await self._until(lambda: self._suggestions(batch_id))
            decisions = teacher.decide(suggested.associations, self._students, self._order.choose)
            confirmed_at = time.monotonic()
            decided = await self._client.confirm(batch_id, decisions)
            self._tell(batch.status, {each.original_file_name: teacher.how(each) for each in decided.associations})
        batch = await self._until(lambda: self._end(batch_id))
        ready_at = time.monotonic()
        files, essays = await self._until(lambda: self._settled(batch_id))
        rows = teacher.rows(files, essays, decided.associations if decided else [], self._students)
        return Outcome(self._order.title, batch, rows, complete_at - uploading_at, ready_at - confirmed_at)

    async def _register(self) -> UUID:
        order, class_id = self._order, None
        if order.roster:
            self._tell(f"making the class {order.class_name}")
            class_id, self._students = await self._client.make_class(
                order.class_name, order.course, order.roster.read_bytes()
            )
        batch_id = await self._client.register(order.course, order.expected or len(order.files), class_id)
        self._tell(f"registered as {batch_id}")
        return batch_id

    async def _upload(self, batch_id: UUID) -> None:
        for some in batched(self._order.files, FILES_PER_REQUEST):
            self._waits_for = "the file service to hear of the batch"
            await self._until(partial(self._client.upload, batch_id, some))
            self._tell(self._progress.status, {file.name: "uploaded" for file in some})

    async def _content(self, batch_id: UUID) -> Batch | None:
        """The batch once it has all its content; slots that stay free are closed if nobody asked for them."""
        batch, (files, essays) = await asyncio.gather(self._client.batch(batch_id), self._contents(batch_id))
        self._tell(batch.status, {file.original_file_name: teacher.fate(file, essays) for file in files})
        if batch.status is not BatchStatus.AWAITING_CONTENT_VALIDATION:
            return batch
        self._waits_for = "the file service to read the files and the essay lifecycle to give them their slots"
        if essays.free and all(file.file_upload_id in {*essays.taken, *essays.surplus} for file in files):
            self._waits_for = f"{essays.free} more files: upload them, or POST /v1/batches/{batch_id}/close"
            if self._order.expected is None:
                await self._client.close(batch_id)
        return None

    async def _suggestions(self, batch_id: UUID) -> Validation | None:
        """The suggestions once the teacher is asked."""
        self._waits_for = "the student matching to suggest students"
        validation = await self._client.validation(batch_id)
        if validation is None or validation.status == "expected":
            return None
        told = {each.original_file_name: teacher.suggestion(each, self._students) for each in validation.associations}
        self._tell(self._progress.status, told)
        return validation

    async def _end(self, batch_id: UUID) -> Batch | None:
        """The batch once it is ready, or never will be."""
        batch = await self._client.batch(batch_id)
        self._tell(batch.status)
        on_its_way = (BatchStatus.AWAITING_STUDENT_VALIDATION, BatchStatus.STUDENT_VALIDATION_COMPLETED)
        self._waits_for = f"the essay lifecycle to say that its essays are ready (it is in {batch.status})"
        return None if batch.status in on_its_way else batch

    async def _settled(self, batch_id: UUID) -> tuple[list[File], Essays] | None:
        """All files once it is known what became of each, the surplus too."""
        self._waits_for = "the file service to read the surplus files"
        files, essays = await self._contents(batch_id)
        on_their_way = [file for file in files if teacher.fate(file, essays) in ("uploaded", "read")]
        return None if on_their_way else (files, essays)

    async def _contents(self, batch_id: UUID) -> tuple[list[File], Essays]:
        return await asyncio.gather(self._client.files(batch_id), self._client.essays(batch_id))

    async def _until[T](self, step: Callable[[], Awaitable[T | None]]) -> T:
        while True:
            found = await step()
            if found is not None:
                return found
            await asyncio.sleep(LOOK_SECONDS)

    def _tell(self, status: str, essays: dict[str, str] | None = None) -> None:
        self._progress.status = status
        self._progress.essays |= essays or {}
        self._report(self._progress)


def files_in(folder: Path, but: Path | None = None) -> list[Path]:
    """What lies directly in a folder, by name, but no roster, README or hidden files; raises NothingToSubmit."""
    files = sorted(each for each in folder.iterdir() if each.is_file() and not each.name.startswith((".", "README")))
    essays = [each for each in files if but is None or not each.samefile(but)]
    if not essays:
        raise NothingToSubmit(folder)
    return essays
