"""A system outside: publishes CloudEvents, each as often as it takes, and some more often than needed."""

import asyncio
import contextlib
import json
from collections.abc import Mapping, Sequence
from random import Random
from typing import Self
from uuid import UUID

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

SOURCE = "https://chaos.example/registry"

type Said = tuple[str, Mapping[str, object]]
"""A type and its data."""


class Outside:
    """Publishes on `upstream`; a send that failed is repeated with the same id until it is acknowledged."""

    def __init__(self, brokers: str) -> None:
        self._brokers = brokers
        self._producer: AIOKafkaProducer | None = None
        self._opening = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._close()

    async def say(self, rng: Random, messages: Sequence[Said]) -> list[str]:
        """Publish these in this order, some of them again later; their ids."""
        ids = [str(UUID(int=rng.getrandbits(128), version=4)) for _ in messages]
        sent: list[tuple[str, Said]] = []
        for event_id, message in zip(ids, messages, strict=True):
            await self._send(event_id, message, rng)
            sent.append((event_id, message))
            while rng.random() < 0.3:
                await self._send(*rng.choice(sent), rng)
        return ids

    async def _send(self, event_id: str, message: Said, rng: Random) -> None:
        kind, data = message
        key = str(data["batch_id"]).encode()
        attributes = {"specversion": "1.0", "id": event_id, "source": SOURCE, "type": kind}
        if int(event_id[-1], 16) % 2:
            headers = [("content-type", b"application/cloudevents+json; charset=utf-8")]
            value = json.dumps({**attributes, "data": data}).encode()
        else:
            headers = [(f"ce_{name}", each.encode()) for name, each in attributes.items()]
            value = json.dumps(data).encode()
        while True:
            try:
                producer = await self._open()
                await asyncio.wait_for(producer.send_and_wait("upstream", value, key=key, headers=headers), 10)
            except (KafkaError, OSError, TimeoutError):
                await asyncio.sleep(rng.uniform(0.2, 1))
            else:
                return

    async def _open(self) -> AIOKafkaProducer:
        async with self._opening:
            if self._producer is None:
                producer = AIOKafkaProducer(bootstrap_servers=self._brokers, acks="all", request_timeout_ms=5_000)
                try:
                    await producer.start()
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
            return self._producer

    async def _close(self) -> None:
        if self._producer is not None:
            with contextlib.suppress(KafkaError, TimeoutError):
                await asyncio.wait_for(self._producer.stop(), 5)
