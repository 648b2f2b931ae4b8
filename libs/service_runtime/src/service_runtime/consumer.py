"""Reads Kafka and hands records to delivery in log order; offsets follow in the background.

Kafka takes some milliseconds to commit an offset; awaited per micro-batch that would be most of the time. A late offset
only means that messages come again, and the inbox knows them.
"""

import asyncio
import contextlib
from collections.abc import Collection, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaError

from service_runtime import metrics
from service_runtime.delivery import Delivery
from service_runtime.failpoints import failpoint
from service_runtime.kafka_clients import client_arguments, group_member, start, stop
from service_runtime.logging import log
from service_runtime.messages import decode, micro_batches
from service_runtime.settings import RuntimeSettings
from service_runtime.stalls import Work
from service_runtime.topics import WrongTopics, check_topics, given_out

BROKER_ANSWERS_SECONDS = 2.0
LEAVING_SECONDS = 1.5
"""How long a process that is to end tries to commit its last offsets, and as long again to leave the group."""
BEGINNING_ANEW_SECONDS = 60.0
"""How long the next client waits for the last one, whose requests end after 40 s: two would confuse the listener."""
NOTHING = TopicPartition("", 0)
"""To ask for its messages is a sign of life and takes none."""

type Fetched = Mapping[TopicPartition, Sequence[ConsumerRecord[bytes, bytes]]]


class Consumer(ConsumerRebalanceListener):
    """One member of the service's consumer group."""

    def __init__(self, group: str, topics: Collection[str], delivery: Delivery, settings: RuntimeSettings) -> None:
        self._group = group
        self._topics = topics
        self._delivery = delivery
        self._settings = settings
        self._client: AIOKafkaConsumer | None = None
        self._questions: AIOKafkaConsumer | None = None
        """Another connection: on the client's own, answers wait behind the fetch that waits for records."""
        self._fetching: asyncio.Task[Fetched] | None = None
        self._offsets: asyncio.Task[None] | None = None
        self._uncommitted: dict[TopicPartition, int] = {}
        self._given_out: set[TopicPartition] = set()  # Or we have joined again for them.
        self._handled: dict[TopicPartition, int] = {}
        """Where to go on in each partition that had messages, since they were assigned."""
        self._stopping = self._is_paused = False
        self._is_revoked = False  # Others may have been given the partitions of what was fetched last.
        self._look_around_ms = int(settings.partitions_known_seconds * 100)
        """How long nothing need come until we look whether the topics have new partitions."""
        self._problem: str | None = "the consumer has not joined its group yet"
        self._work = Work("one micro-batch", settings.stalled_seconds)

    @property
    def problem(self) -> str | None:
        """What keeps it from handling messages, or None."""
        return self._problem or self._work.problem

    async def run(self) -> None:
        """Until stopped; begins anew when the broker was out of reach for too long."""
        while not self._stopping:
            self._client, self._given_out = group_member(self._group, self._settings, self._look_around_ms), set()
            self._is_paused = False
            self._questions = AIOKafkaConsumer(**client_arguments(self._settings))
            try:
                await start(self._client)
                await start(self._questions)
                await check_topics(self._settings)
                self._client.subscribe(list(self._topics), listener=self)
                await self._consume(self._client)
            except Exception as error:
                expected = isinstance(error, KafkaError | OSError | WrongTopics)
                self._problem = f"the consumer begins anew after {error!r}"
                said, where = (repr(error), None) if expected else (type(error).__name__, error)
                log.warning("consumer_interrupted", error=said, exc_info=where)
                await asyncio.sleep(0.5)
            finally:
                await self._leave(self._client, self._questions)

    async def broker_problem(self) -> str | None:
        """Why the broker does not answer, or None; the client itself would only try again, for ever and in silence."""
        try:
            async with asyncio.timeout(BROKER_ANSWERS_SECONDS):
                if self._questions is not None:
                    await self._questions.topics()
        except (KafkaError, OSError) as error:
            return f"the broker cannot be reached: {error!r}"
        return None

    async def lag(self) -> dict[str, int]:
        """How many records of each topic are not handled yet in the partitions of this process; raises KafkaError."""
        client, questions = self._client, self._questions
        if client is None or questions is None or self._problem is not None:
            return {}
        behind: dict[str, int] = {}
        for partition, end in (await questions.end_offsets(client.assignment())).items():
            handled = self._handled.get(partition)
            at = await client.position(partition) if handled is None else handled
            behind[partition.topic] = behind.get(partition.topic, 0) + end - at
        return behind

    async def group_lag(self) -> dict[str, int]:
        """The same for all processes of the group together, by the offsets it has committed; raises KafkaError."""
        client, questions = self._client, self._questions
        if client is None or questions is None or self._problem is not None:
            raise KafkaConnectionError(self._problem)
        partitions = list(self._every_partition())
        begins, ends = await questions.beginning_offsets(partitions), await questions.end_offsets(partitions)
        behind = dict.fromkeys(self._topics, 0)
        for partition, end in ends.items():
            at = max(await client.committed(partition) or 0, begins[partition])
            behind[partition.topic] += max(end - at, 0)
        return behind

    def stop(self) -> None:
        """Finish the micro-batch at hand, commit its offsets and leave the group."""
        self._stopping = True
        if self._fetching is not None:
            self._fetching.cancel()

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:  # noqa: ARG002  # all are
        """The last offsets are committed before another member takes over."""
        self._problem, self._is_revoked = "the consumer is waiting for its partitions", True
        await self._commit_last()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """From here on messages come; not before those at hand are delivered."""
        if self._is_paused and self._client is not None:
            self._client.pause(*assigned)
        self._problem = None
        self._handled.clear()
        metrics.ASSIGNMENTS.inc()
        log.info("partitions_assigned", count=len(assigned))

    async def _leave(self, client: AIOKafkaConsumer, questions: AIOKafkaConsumer) -> None:
        """Commit and leave the group; a member that did not leave would keep its partitions from everyone."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEAVING_SECONDS):
                await self._commit_last()
        patience = LEAVING_SECONDS if self._stopping else BEGINNING_ANEW_SECONDS
        await asyncio.gather(stop(client, patience), stop(questions, patience))
        if self._offsets is not None:
            self._offsets.cancel()
            self._offsets = None
        self._uncommitted.clear()

    async def _consume(self, client: AIOKafkaConsumer) -> None:
        while not self._stopping:
            if self._settings.instance_id and self._problem is None:
                await self._join_for_new_partitions(client)
            if fetched := await self._fetch(client):
                await self._deliver_all(client, fetched)
                self._is_paused = False
                client.resume(*client.assignment())

    async def _fetch(self, client: AIOKafkaConsumer) -> Fetched:
        """All that has come; nothing after a while, and at once when asked to stop."""
        self._fetching = asyncio.create_task(self._fetch_and_pause(client))
        try:
            await asyncio.wait([self._fetching])
            return {} if self._fetching.cancelled() else self._fetching.result()
        finally:
            self._fetching.cancel()

    async def _fetch_and_pause(self, client: AIOKafkaConsumer) -> Fetched:
        """Wait for records, and let nothing more be fetched until they are delivered.

        aiokafka would fetch again after 0.1 s, but not from the partitions whose records wait for us: these would have
        to wait for the end of that fetch, which comes when there is nothing on the others only after its whole time.
        """
        fetched: Fetched = await client.getmany(timeout_ms=self._look_around_ms)
        if fetched:
            client.pause(*client.assignment())
            self._is_paused, self._is_revoked = True, False
        return fetched

    async def _deliver_all(self, client: AIOKafkaConsumer, fetched: Fetched) -> None:
        """In micro-batches; what is left when we are to stop, or others get our partitions, comes again."""
        self._handled |= {each: self._handled.get(each, records[0].offset) for each, records in fetched.items()}
        for records in micro_batches(fetched, self._settings.micro_batch):
            if self._stopping or self._is_revoked:
                break
            with self._work.going_on():
                await self._deliver_and_stay(client, records)
            after = {partition: of_it[-1].offset + 1 for partition, of_it in records.items()}
            self._handled |= after
            failpoint("consumer.before_offsets")
            self._commit_soon(client, after)

    async def _join_for_new_partitions(self, client: AIOKafkaConsumer) -> None:
        """Join again when topics have partitions that nobody in the group was given.

        A group's leader does so by itself, but a restarted static member is not told that it leads (KAFKA-13435), so
        nobody would ever be given new partitions. Of the others the broker takes it as a repetition.
        """
        every = self._every_partition()
        if every != self._given_out and (given := await given_out(self._group, self._settings)):
            self._given_out = every
            if every - given:
                await self._commit_last()
                client.subscribe(list(self._topics), listener=self)

    def _every_partition(self) -> set[TopicPartition]:
        known = {topic: self._client.partitions_for_topic(topic) if self._client else () for topic in self._topics}
        return {TopicPartition(topic, each) for topic, partitions in known.items() for each in partitions or ()}

    async def _deliver_and_stay(self, client: AIOKafkaConsumer, fetched: Fetched) -> None:
        """Deliver, however long it takes, and stay in the group: others would wait for our claims."""
        delivery = asyncio.create_task(self._deliver(fetched))
        try:
            while not (await asyncio.wait([delivery], timeout=self._settings.poll_interval_seconds / 3))[0]:
                await client.getmany(NOTHING, timeout_ms=0)
        finally:
            delivery.cancel()
            await asyncio.wait([delivery])
        delivery.result()

    async def _deliver(self, fetched: Fetched) -> None:
        messages = []
        for partition, records in fetched.items():
            decoded = [decode(record, self._delivery.types) for record in records]
            ours = [message for message in decoded if message is not None]
            metrics.CONSUMED.labels(partition.topic).inc(len(ours))
            messages += ours
        if messages:
            await self._delivery.deliver(messages)

    def _commit_soon(self, client: AIOKafkaConsumer, offsets: Mapping[TopicPartition, int]) -> None:
        """Commit in the background, one commit at a time; what is handled meanwhile goes with the next one."""
        self._uncommitted |= offsets
        if self._offsets is None or self._offsets.done():
            self._offsets = asyncio.create_task(self._commit(client))

    async def _commit(self, client: AIOKafkaConsumer) -> None:
        while self._uncommitted:
            offsets, self._uncommitted = self._uncommitted, {}
            try:
                await client.commit(offsets)
            except KafkaError as error:
                log.warning("offset_commit_failed", error=repr(error))

    async def _commit_last(self) -> None:
        """Wait for the offsets on their way."""
        if self._offsets is not None:
            await asyncio.wait([self._offsets])
