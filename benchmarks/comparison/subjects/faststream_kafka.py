"""FastStream on Kafka: with its default acknowledgement, and with NACK_ON_ERROR."""

from typing import Any

from faststream import AckPolicy, FastStream
from faststream.kafka import KafkaBroker

from benchmarks.comparison.place import Place, run


class FastStreamKafka:
    """The commands of the comparison."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.broker = KafkaBroker(place.brokers)

    async def prepare(self) -> None:
        """Nothing of its own is in the database."""

    async def work(self) -> None:
        policy: dict[str, Any] = {} if self.place.is_default else {"ack_policy": AckPolicy.NACK_ON_ERROR}

        @self.broker.subscriber(self.place.topic, group_id=self.place.topic, auto_offset_reset="earliest", **policy)
        async def handle(body: dict[str, str]) -> None:
            await self.place.handle(body["message"])

        await FastStream(self.broker).run()

    async def send(self) -> None:
        async def publish(message: str) -> None:
            key = message.partition(":")[0].encode()
            await self.broker.publish({"message": message}, self.place.topic, key=key)

        async with self.broker:
            await self.place.hand_over(publish)


if __name__ == "__main__":
    run(FastStreamKafka)
