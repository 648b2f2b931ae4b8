"""A service of the tests: its pages note every line they are told, so what is lost, repeated or swapped can be read."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from common_core.events import EssayContentProvisionedV1, EssaySlotAssignedV1, Event, RegisterBatchV1
from common_core.status_enums import CourseCode
from service_runtime import Cause, Handlers, RuntimeSettings, Service, UnitOfWork
from service_runtime.http import router
from service_runtime.tables import NAMING, TYPES, Json, add_runtime_tables
from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, mapped_column

from tests.integration.world import Database


class Base(MappedAsDataclass, DeclarativeBase, kw_only=True):
    """The notebook's tables."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = TYPES


add_runtime_tables(Base.metadata)
TABLES = Base.metadata

trouble: dict[str, Exception] = {}
"""What the handler raises instead of noting this line, in this process."""


class Page(Base):
    """What was noted, in order."""

    __tablename__ = "pages"

    page_id: Mapped[UUID] = mapped_column(primary_key=True)
    lines: Mapped[tuple[str, ...]] = mapped_column(Json(tuple[str, ...]), default=())
    largest: Mapped[int] = mapped_column(default=0)
    """An integer of PostgreSQL: a file of 3 GB is a bug that shows only when the page is written."""

    def note(self, line: str) -> list[Event]:
        """Note a line, and say so."""
        self.lines = (*self.lines, line)
        noted = EssaySlotAssignedV1(
            batch_id=self.page_id,
            essay_id=self.page_id,
            file_upload_id=uuid4(),
            text_storage_id=str(len(self.lines)),
            original_file_name=line,
        )
        return [noted]


def opening(page_id: UUID, text: str = "open") -> RegisterBatchV1:
    """The message that opens a page."""
    return RegisterBatchV1(
        batch_id=page_id, teacher_id="t", course_code=CourseCode.SV1, expected_essay_count=1, assignment=text
    )


def line(page_id: UUID, text: str, size: int = 1) -> EssayContentProvisionedV1:
    """The message with a line for a page; it may stand in two topics."""
    return EssayContentProvisionedV1(
        batch_id=page_id,
        file_upload_id=uuid4(),
        original_file_name=text,
        text_storage_id=text,
        file_size_bytes=size,
    )


async def lines(database: Database, page_id: UUID) -> list[str]:
    """What a page says."""
    query = "SELECT jsonb_array_elements_text(lines) AS line FROM pages WHERE page_id = $1"
    return [row["line"] for row in await database.fetch(query, page_id)]


handlers = Handlers()


@handlers.on(RegisterBatchV1, loads=Page)
async def open_page(work: UnitOfWork, event: RegisterBatchV1) -> list[Event]:
    if event.assignment in trouble:
        raise trouble[event.assignment].with_traceback(None)
    if await work.find(Page, event.batch_id) is None:
        work.add(Page(page_id=event.batch_id))
    return []


@handlers.on(EssayContentProvisionedV1, loads=Page)
def note_line(page: Page, event: EssayContentProvisionedV1) -> list[Event]:
    page.largest = max(page.largest, event.file_size_bytes)
    noted = page.note(event.original_file_name)
    # As bugs do, in the middle of the work.
    if event.original_file_name in trouble:
        raise trouble[event.original_file_name].with_traceback(None)
    return noted


@handlers.on_timer("ring", loads=Page)
def ring(page: Page, cause: Cause) -> list[Event]:
    if "ring" in trouble:
        raise trouble["ring"].with_traceback(None)
    return page.note(f"rang because of {cause.event_id}")


@dataclass
class Press:
    """The tool of one instance: it remembers what it prepared, and can be held."""

    name: str = "the press"
    began: list[UUID] = field(default_factory=list)
    may_go_on: asyncio.Event = field(default_factory=asyncio.Event)


async def prepare_print(page: Page, _cause: Cause, press: Press) -> str:
    press.began.append(page.page_id)
    await press.may_go_on.wait()
    if "print" in trouble:
        raise trouble["print"].with_traceback(None)
    return press.name


@handlers.on_timer("print", loads=Page, prepare=prepare_print)
def printed(page: Page, name: str) -> list[Event]:
    return page.note(f"printed by {name}")


@asynccontextmanager
async def one_press(_: RuntimeSettings) -> AsyncIterator[Press]:
    press = Press()
    press.may_go_on.set()
    yield press


service = Service(name="notebook", handlers=handlers, router=router(), tools=one_press)
