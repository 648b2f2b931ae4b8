"""What a handler did before it failed is undone, and nothing of what the others of its micro-batch did."""

from collections import Counter
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from common_core.errors import DomainError, NotYet
from common_core.events import (
    EssayContentProvisionedV1,
    EssaySlotAssignedV1,
    EssayValidationFailedV1,
    Event,
    RegisterBatchV1,
)
from common_core.events.base import Topic
from service_runtime import Handlers, Service, UnitOfWork
from service_runtime.http import router
from service_runtime.tables import NAMING, TYPES, add_runtime_tables
from service_runtime.testing import wait_until
from sqlalchemy import ForeignKey, MetaData, select
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, mapped_column, relationship

from tests.integration.classroom import failure
from tests.integration.notebook import line, opening, trouble
from tests.integration.world import Database, World


class Base(MappedAsDataclass, DeclarativeBase, kw_only=True):
    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = TYPES


add_runtime_tables(Base.metadata)
TABLES = Base.metadata


class Sheet(Base):
    __tablename__ = "sheets"

    sheet_id: Mapped[UUID] = mapped_column(primary_key=True, default_factory=uuid4)
    folder_id: Mapped[UUID] = mapped_column(ForeignKey("folders.folder_id"), init=False)
    number: Mapped[int]
    text: Mapped[str]


class Folder(Base):
    """An aggregate of several rows."""

    __tablename__ = "folders"

    folder_id: Mapped[UUID] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(default=0)
    sheets: Mapped[list[Sheet]] = relationship(lazy="selectin", order_by=Sheet.number, default_factory=list)

    def add(self, text: str) -> list[Event]:
        self.count += 1
        self.sheets.append(Sheet(number=self.count, text=text))
        self.sheets[0].text += "+"
        about = {"batch_id": self.folder_id, "essay_id": self.folder_id, "file_upload_id": uuid4()}
        return [EssaySlotAssignedV1(**about, text_storage_id=str(self.count), original_file_name=text)]


called: list[UUID] = []
handlers = Handlers()
service = Service(name="archive", handlers=handlers, router=router())


@handlers.on(RegisterBatchV1, loads=Folder)
async def open_folder(work: UnitOfWork, event: RegisterBatchV1) -> list[Event]:
    called.append(event.batch_id)
    work.add(Folder(folder_id=event.batch_id))
    if event.assignment in trouble:
        raise trouble[event.assignment].with_traceback(None)
    return []


@handlers.on(EssayContentProvisionedV1, loads=Folder)
def halfway(folder: Folder, event: EssayContentProvisionedV1) -> list[Event]:
    called.append(folder.folder_id)
    if event.original_file_name == "too early":
        raise NotYet("something", folder.folder_id)
    if event.original_file_name == "says too much":
        return [*Folder(folder_id=folder.folder_id).add("unsaid"), *Folder(folder_id=uuid4()).add("not held")]
    said = folder.add(event.original_file_name)
    if event.original_file_name in trouble:
        raise trouble[event.original_file_name].with_traceback(None)
    return said


@handlers.on(EssayValidationFailedV1, loads=Folder)
async def written_halfway(work: UnitOfWork, event: EssayValidationFailedV1) -> list[Event]:
    match event.original_file_name:
        case "found" | "found halfway" as text:
            query = select(Folder).where(Folder.folder_id == event.batch_id)
            (await work.session.scalars(query)).one().add(text)
        case "written by a query" as text:
            (await work.get(Folder, event.batch_id)).add(text)
            await work.find(Folder, uuid4())
        case text:
            said = (await work.get(Folder, event.batch_id)).add(text)
            work.add(Folder(folder_id=uuid4()))
            work.publish(said)
            await work.session.flush()
    if event.original_file_name in trouble:
        raise trouble[event.original_file_name].with_traceback(None)
    return []


async def opened(world: World, *folders: UUID) -> Database:
    database = await world.database(service, TABLES)
    for folder_id in folders:
        await world.outside.publish(opening(folder_id))
    async with world.running(service, TABLES):
        await wait_until(lambda: world.has_read_everything(service))
    return database


async def sheets(database: Database, folder_id: UUID) -> list[str]:
    query = "SELECT text FROM sheets WHERE folder_id = $1 ORDER BY number"
    return [row["text"] for row in await database.fetch(query, folder_id)]


@pytest.mark.parametrize("event", [line, failure], ids=["plain", "async and written"])
@pytest.mark.parametrize("micro_batch", [1, 500])
async def test_what_a_failed_handler_has_already_changed_is_undone(
    world: World, micro_batch: int, event: Callable[[UUID, str], Event]
) -> None:
    folder, other = uuid4(), uuid4()
    database = await opened(world, folder, other)
    trouble["refused"], trouble["bug"] = DomainError("never"), RuntimeError("our fault")
    for text in ("one", "refused", "two", "bug", "three"):
        await world.outside.publish(event(folder, text))
        await world.outside.publish(event(other, f"other {text}"))

    await world.run(service, TABLES, failing_attempts=2, micro_batch=micro_batch)
    await wait_until(lambda: world.is_done(service))

    assert await sheets(database, folder) == ["one+++", "two", "three"]
    assert await sheets(database, other) == [
        "other one+++++",
        *(f"other {x}" for x in ("refused", "two", "bug", "three")),
    ]
    counts = await database.fetch("SELECT folder_id, count FROM folders WHERE count > 0")
    assert {row["folder_id"]: row["count"] for row in counts} == {folder: 3, other: 5}
    strangers = await database.fetch("SELECT count(*) FROM folders WHERE count = 0")
    assert strangers[0]["count"] == (8 if event is failure else 0)
    said = await world.listener.said(EssaySlotAssignedV1, folder)
    assert [each.original_file_name for each in said] == ["one", "two", "three"]
    assert len(await world.listener.said(EssaySlotAssignedV1, other)) == 5
    assert await database.count("parked_messages") == 2
    ever_parked = await database.fetch("SELECT last_value FROM parked_messages_position_seq")
    assert ever_parked[0]["last_value"] <= 3, "the refused one, the bug and what was behind it"


@pytest.mark.parametrize("fails", [DomainError("never"), RuntimeError("our fault")], ids=["refused", "bug"])
async def test_what_comes_behind_one_that_failed_halfway_finds_nothing_of_it(world: World, fails: Exception) -> None:
    known, new, other = uuid4(), uuid4(), uuid4()
    database = await opened(world, known, other)
    trouble["halfway"] = fails
    await world.outside.publish(line(known, "halfway"), topic=Topic.UPSTREAM)
    await world.outside.publish(opening(new, "halfway"))
    await world.outside.publish(opening(new))
    for folder in (known, new, other):
        await world.outside.publish(line(folder, "sound"), topic=Topic.UPSTREAM)

    await world.run(service, TABLES, failing_attempts=2)
    await wait_until(lambda: world.is_done(service))

    for folder in (known, new, other):
        assert await sheets(database, folder) == ["sound+"]
        assert len(await world.listener.said(EssaySlotAssignedV1, folder)) == 1
    assert await database.count("folders") == 3
    assert await database.count("parked_messages") == 2


@pytest.mark.parametrize(
    ("events", "stays"),
    [
        ([(failure, "found"), (line, "halfway")], ["found+"]),
        ([(failure, "found halfway")], []),
        ([(failure, "written by a query")], []),
    ],
    ids=["found, and a later one fails", "found", "written by a query"],
)
async def test_what_a_handler_changed_that_asked_the_database_itself_stays_unless_it_fails(
    world: World, events: list[tuple[Callable[[UUID, str], Event], str]], stays: list[str]
) -> None:
    folder = uuid4()
    database = await opened(world, folder)
    trouble["halfway"] = trouble["found halfway"] = trouble["written by a query"] = DomainError("never")
    for event, text in events:
        await world.outside.publish(event(folder, text), topic=Topic.UPSTREAM)

    await world.run(service, TABLES)
    await wait_until(lambda: world.is_done(service))

    assert await sheets(database, folder) == stays


async def test_what_one_has_said_before_it_failed_is_never_said(world: World) -> None:
    folder = uuid4()
    database = await opened(world, folder)
    await world.outside.publish(line(folder, "says too much"))

    await world.run(service, TABLES, failing_attempts=1)
    await wait_until(lambda: world.is_done(service))

    assert await database.count("parked_messages") == 1
    assert not await world.listener.said(EssaySlotAssignedV1)


@pytest.mark.parametrize(
    ("event", "text"),
    [(line, "too early"), (line, "halfway"), (opening, "halfway")],
    ids=["before it changed anything", "halfway", "halfway in an async handler"],
)
async def test_one_that_failed_in_memory_costs_the_others_nothing(
    world: World, event: Callable[[UUID, str], Event], text: str
) -> None:
    fails, others = uuid4(), [uuid4() for _ in range(20)]
    database = await opened(world, *others, *([fails] if event is line else []))
    trouble["halfway"] = RuntimeError("our fault")
    for folder in (*others[:10], fails, *others[10:]):
        said = event(folder, text) if folder == fails else line(folder, "sound")
        await world.outside.publish(said, topic=Topic.UPSTREAM)
    called.clear()

    await world.run(service, TABLES, retry_first_seconds=600, retry_most_seconds=600)
    await wait_until(lambda: world.has_read_everything(service))

    assert Counter(called) == Counter([fails, *others]), "each handler was called once"
    assert await database.count("sheets") == 20
    assert await database.count("parked_messages") == 1
