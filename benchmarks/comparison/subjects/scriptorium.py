"""Scriptorium's own runtime, with its default settings: a service of one aggregate."""

import asyncio
from typing import Any
from uuid import UUID, uuid4, uuid5

from common_core.events import EssaySlotAssignedV1, Event, RegisterBatchV1
from common_core.status_enums import CourseCode
from service_runtime import Handlers, RuntimeSettings, Service, UnitOfWork, logging
from service_runtime.database import create_engine
from service_runtime.handlers import Cause
from service_runtime.http import router
from service_runtime.service import Runtime
from service_runtime.signals import Signals
from service_runtime.tables import NAMING, TYPES, Json, add_runtime_tables
from service_runtime.testing import Outside
from service_runtime.topics import create_topics
from service_runtime.unit_of_work import UnitsOfWork, database_time
from sqlalchemy import MetaData, text
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, mapped_column

from benchmarks.comparison.place import Place, run

NAMES = UUID("018f3b1c-0000-7000-8000-000000000000")
handlers = Handlers()
service = Service(name="comparison", handlers=handlers, router=router())


class Base(MappedAsDataclass, DeclarativeBase, kw_only=True):
    """The tables of the comparison's service."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = TYPES


add_runtime_tables(Base.metadata)


class Account(Base):
    """What changes, and remembers which messages changed it."""

    __tablename__ = "our_accounts"

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str]
    version: Mapped[int] = mapped_column(default=0)
    seen: Mapped[tuple[str, ...]] = mapped_column(Json(tuple[str, ...]), default=())

    def change(self) -> list[Event]:
        """The next version, and the event that says so."""
        self.version += 1
        changed = EssaySlotAssignedV1(
            batch_id=self.account_id,
            essay_id=self.account_id,
            file_upload_id=uuid4(),
            text_storage_id=str(self.version),
            original_file_name=self.key,
        )
        return [changed]


@handlers.on(RegisterBatchV1, loads=Account)
async def handle(work: UnitOfWork, event: RegisterBatchV1) -> list[Event]:
    place, message = Place.from_environment(), event.assignment or ""
    place.meet_trouble(message)
    account = await work.find(Account, event.batch_id) or work.add(Account(account_id=event.batch_id, key=message))
    if place.settings == "by state" and message in account.seen:
        return []
    account.seen = (*account.seen, message)
    await work.session.execute(text("INSERT INTO effects (message) VALUES (:message)"), {"message": message})
    return account.change()


class Scriptorium:
    """The commands of the comparison."""

    def __init__(self, place: Place) -> None:
        self.place = place
        logging.configure("comparison", "WARNING")
        settings: dict[str, Any] = {
            "database_url": place.database_url,
            "kafka_bootstrap_servers": place.brokers,
            "topic_prefix": f"{place.topic}.",
            "partitions": 1,
            "jwt_secret": "a secret of the comparison, long enough",
        }
        self.settings = RuntimeSettings(**settings)

    async def prepare(self) -> None:
        await create_topics(self.settings)
        engine = create_engine(self.settings.database_url, "comparison", self.settings.transaction_seconds)
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        await engine.dispose()

    async def work(self) -> None:
        async with Runtime(service, self.settings, None):
            await asyncio.Event().wait()

    relay = work

    async def send(self) -> None:
        async with Outside(self.settings) as outside:

            async def publish(message: str) -> None:
                event = RegisterBatchV1(
                    batch_id=uuid5(NAMES, message.partition(":")[0]),
                    teacher_id="t",
                    course_code=CourseCode.SV1,
                    expected_essay_count=1,
                    assignment=message,
                )
                await outside.publish(event, event_id=str(uuid5(NAMES, message)))

            await self.place.hand_over(publish)

    async def change(self, times: str, pause: str, *keys: str) -> None:
        engine = create_engine(self.settings.database_url, "comparison", self.settings.transaction_seconds)
        sessions = async_sessionmaker(engine, expire_on_commit=False)
        units = UnitsOfWork(sessions, Signals(engine), self.settings.topic_prefix)
        for number in range(int(times)):
            key = keys[number % len(keys)]
            async with units.begin() as work:
                work.cause = Cause(None, str(uuid4()), None, await database_time(work.session))
                account_id = uuid5(NAMES, key)
                insert = text("INSERT INTO our_accounts VALUES (:id, :key, 0, '[]') ON CONFLICT DO NOTHING")
                await work.session.execute(insert, {"id": account_id, "key": key})
                work.publish((await work.get(Account, account_id)).change())
            await asyncio.sleep(float(pause))


if __name__ == "__main__":
    run(Scriptorium)
