"""A client of Kafka is not left half started or half stopped."""

import asyncio

import pytest
from aiokafka.errors import KafkaConnectionError
from service_runtime import kafka_clients
from service_runtime.testing import wait_until


class Client:
    """One that takes its time to start and to stop."""

    def __init__(self) -> None:
        self.may_go_on = asyncio.Event()
        self.state = "new"

    async def start(self) -> None:
        self.state = "connecting"
        try:
            await self.may_go_on.wait()
        except asyncio.CancelledError:
            self.state = "a connection is forgotten"
            raise
        self.state = "started"

    async def stop(self) -> None:
        self.state = "leaving its group"
        try:
            await self.may_go_on.wait()
        except asyncio.CancelledError:
            self.state = "goes on fetching for ever"
            raise
        self.state = "stopped"


async def test_who_is_cancelled_waits_until_the_client_has_started() -> None:
    client = Client()
    starting = asyncio.create_task(kafka_clients.start(client))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert client.state == "connecting"

    starting.cancel()
    asyncio.get_running_loop().call_soon(client.may_go_on.set)

    with pytest.raises(asyncio.CancelledError):
        await starting
    assert client.state == "started"


async def test_a_client_that_does_not_start_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_clients, "GIVING_UP_SECONDS", 0.0)
    client = Client()
    starting = asyncio.create_task(kafka_clients.start(client))
    await asyncio.sleep(0)

    starting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await starting
    assert client.state != "started"


async def test_a_client_that_the_broker_keeps_waiting_is_stopped_in_the_end() -> None:
    client = Client()

    await kafka_clients.stop(client, 0.0)
    assert client.state == "leaving its group"

    client.may_go_on.set()
    await wait_until(lambda: client.state == "stopped")


@pytest.mark.parametrize("error", [KafkaConnectionError("nobody there"), asyncio.CancelledError()])
async def test_what_goes_wrong_while_a_client_stops_does_not_end_who_stops_it(error: BaseException) -> None:
    class Failing(Client):
        async def stop(self) -> None:
            raise error

    await kafka_clients.stop(Failing(), 1.0)
