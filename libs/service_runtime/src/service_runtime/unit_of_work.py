"""One database transaction: what was seen, what changed and what is said, or nothing of it."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from common_core.errors import NotYet
from common_core.events.base import Event
from sqlalchemy import ARRAY, Uuid, any_, bindparam, func, inspect, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from service_runtime import metrics, timers
from service_runtime.failpoints import failpoint
from service_runtime.handlers import CancelTimer, Cause, Effects, SetTimer
from service_runtime.outbox import Outbox
from service_runtime.signals import Signals

type Identity = tuple[type[Any], UUID]
"""The class of an aggregate and its id."""


@dataclass(slots=True)
class Step:
    """What one message did in its unit of work, as far as it matters for taking it back."""

    given: set[Identity] = field(default_factory=set)
    """The aggregates it had in its hands."""
    in_memory_only: bool = True
    own_queries: bool = False


class NotHeld(Exception):
    """An event about something this unit of work does not hold could overtake an earlier one about the same."""

    def __init__(self, event: Event) -> None:
        super().__init__(f"{type(event).__name__} about {event.key} is said without its lock; find or add it first")


class UnitOfWork:
    """What one transaction does. Handlers and routes load, decide and publish through it; only the runtime commits."""

    def __init__(self, session: AsyncSession, topic_prefix: str) -> None:
        self._session = session
        self.cause: Cause
        self.outbox = Outbox(topic_prefix)
        self.timers = timers.Changes()
        self.touched: set[str] = set()
        self.handled: list[str] = []
        """The types of the messages that were handled."""
        self.duplicates = 0
        """How many messages were seen before."""
        self.said = self.timers_changed = False
        self.replays = False
        """Whether parked messages were made due."""
        self._held: set[UUID] = set()
        self._loaded: dict[Identity, Any] = {}
        self._seen: dict[Identity, Any] = {}
        self._step, self._before = Step(), Step()
        """What is being done, and all that was done before it and stands."""

    @property
    def session(self) -> AsyncSession:
        """For queries of one's own."""
        self._step.own_queries = True
        return self._session

    async def load(self, model: type[Any], ids: Iterable[UUID]) -> None:
        """Load and lock aggregates in one query in id order, so that two transactions cannot deadlock."""
        wanted = sorted({each for each in ids if (model, each) not in self._loaded})
        if not wanted:
            return
        self._step.in_memory_only = False
        key = inspect(model).primary_key[0]
        identity = inspect(model).get_property_by_column(key).key
        query = (
            select(model)
            .where(key == any_(bindparam("ids", wanted, type_=ARRAY(Uuid))))
            .order_by(key)
            .with_for_update(key_share=True, of=model)
        )
        found = {getattr(each, identity): each for each in await self._session.scalars(query)}
        self._loaded |= {(model, each): found.get(each) for each in wanted}
        self._held.update(wanted)

    def loaded[A](self, model: type[A], which: UUID) -> A | None:
        """An aggregate that was loaded or added in this unit of work."""
        found: A | None = self._loaded.get((model, which))
        return found

    async def find[A](self, model: type[A], which: UUID) -> A | None:
        """The aggregate, loaded and locked, or None."""
        if (model, which) not in self._loaded:
            await self.load(model, [which])
        self._step.given.add((model, which))
        return self.loaded(model, which)

    async def get[A](self, model: type[A], which: UUID) -> A:
        """The aggregate, loaded and locked; raises NotYet when it does not exist."""
        found = await self.find(model, which)
        if found is None:
            raise NotYet(model.__name__, which)
        return found

    async def read[A](self, model: type[A], which: UUID) -> A | None:
        """The aggregate without a lock, to look at only."""
        self._step.given.add((model, which))
        found = self.loaded(model, which) or self._seen.get((model, which))
        if found is None:
            self._step.in_memory_only = False
            # Kept, since the session holds what it has loaded only weakly: a micro-batch asks for the same many times.
            found = self._seen[model, which] = await self._session.get(model, which)
        return found

    def add[A](self, aggregate: A) -> A:
        """Store a new aggregate; messages later in the same micro-batch find it."""
        (which,) = inspect(type(aggregate)).primary_key_from_instance(aggregate)
        self._session.add(aggregate)
        self._loaded[type(aggregate), which] = aggregate
        self._step.given.add((type(aggregate), which))
        self._held.add(which)
        self.touched.add(str(which))
        return aggregate

    def publish(self, effects: Effects) -> None:
        """Say events and set or cancel timers, all with this transaction. Raises NotHeld."""
        for effect in effects:
            match effect:
                case Event():
                    if effect.key not in self._held:
                        raise NotHeld(effect)
                    self.outbox.add(effect, self.cause)
                    self.touched.add(str(effect.key))
                case SetTimer() | CancelTimer():
                    self.timers.add(effect, self.cause)
            self._step.in_memory_only = False

    def begin_step(self) -> None:
        """What follows is one step: the next call is `keep_step`, or `take_back` to undo it."""
        self._step = Step()

    def keep_step(self) -> None:
        """The step stands; what it was given may have changes that no later one can take back."""
        self._before.given |= self._step.given
        self._before.own_queries |= self._step.own_queries

    def take_back(self) -> bool:
        """Undo a step that did nothing but change or add aggregates which no step before it had; else False.

        These are forgotten, and loaded anew when they are needed.
        """
        if self._step.own_queries or not self._step.in_memory_only:
            return False
        changed = {each for each in self._step.given if self._is_changed(each)}
        if changed and (self._before.own_queries or changed & self._before.given):
            return False
        for each in changed:
            for row in self._rows(each):
                self._session.expunge(row)
            self._loaded.pop(each, None)
            self._seen.pop(each, None)
        return True

    def _is_changed(self, which: Identity) -> bool:
        """Whether an aggregate, or a row that belongs to it, has changes that are not written yet."""
        return any(not inspect(row).persistent or inspect(row).modified for row in self._rows(which))

    def _rows(self, which: Identity) -> list[Any]:
        """The rows of an aggregate in this session."""
        aggregate = self._loaded.get(which) or self._seen.get(which)
        if aggregate is None:
            return []
        state = inspect(aggregate)
        parts = (part for part, *_ in state.mapper.cascade_iterator("save-update", state))
        return [row for row in (aggregate, *parts) if row in self._session]

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """What is done in it is written at its end; if it raises, all that came before stands as it was."""
        await self.save()
        try:
            async with self._session.begin_nested():
                yield
                await self.save()
        except Exception:
            self.outbox.rows.clear()
            self.timers.changed.clear()
            self._forget()
            raise

    def _forget(self) -> None:
        """Everything is loaded anew when it is needed: what memory holds is not what the database holds."""
        self._session.expunge_all()
        self._held.clear()
        self._loaded.clear()
        self._seen.clear()
        self._before.given.clear()

    async def release(self) -> None:
        """End what was only read so far, so that nothing is held while a slow client sends."""
        self._forget()
        await self._session.rollback()

    async def save(self) -> None:
        """Write everything that is still in memory."""
        await self._session.flush()
        self.said |= await self.outbox.write(self._session)
        self.timers_changed |= await self.timers.write(self._session)


class UnitsOfWork:
    """Begins units of work; the only place that commits."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession], signals: Signals, topic_prefix: str) -> None:
        self.sessions = sessions
        self._signals = signals
        self._topic_prefix = topic_prefix

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[UnitOfWork]:
        """One transaction: committed at the end, rolled back on any error; whoever waits is woken after it."""
        async with self.sessions() as session:
            work = UnitOfWork(session, self._topic_prefix)
            yield work
            await work.save()
            failpoint("unit_of_work.before_commit")
            await session.commit()
        failpoint("unit_of_work.after_commit")
        for kind, number in Counter(work.handled).items():
            metrics.HANDLED.labels(kind).inc(number)
        metrics.DUPLICATES.inc(work.duplicates)
        self._signals.committed(
            keys=work.touched,
            said=work.said,
            timers_changed=work.timers_changed,
            replays=work.replays,
        )

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A session to look at things; nothing it changes is kept."""
        async with self.sessions() as session:
            yield session


async def database_time(session: AsyncSession) -> Any:
    """The database's time of this transaction; the only clock that decides anything."""
    return await session.scalar(select(func.now()))
