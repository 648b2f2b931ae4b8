"""The local stack keeps what it was given, and leaves nothing behind."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from local_stack import LocalStack, LocalStackError, machine, stack
from local_stack.errors import DataInUse, PortBusy
from local_stack.guard import descendants, gone
from local_stack.kafka import Kafka, keep_loaded_classes, loaded_classes
from local_stack.kafka_jars import cache_folder, kafka_jars

TOPIC = "kept"
HOLD_A_STACK = """
import json, signal, sys
from pathlib import Path
from local_stack import LocalStack

signal.signal(signal.SIGINT, signal.default_int_handler)  # A shell may have us started with it ignored.
with LocalStack(Path(sys.argv[1]) if sys.argv[1:] else None) as stack:
    print(json.dumps([stack.kafka_bootstrap_servers, stack.postgres_url("postgres"), str(stack.folder)]), flush=True)
    signal.pause()
"""


async def write(kafka: str, postgres: str, text: str) -> None:
    connection = await asyncpg.connect(postgres)
    await connection.execute("CREATE TABLE IF NOT EXISTS kept (text text)")
    await connection.execute("INSERT INTO kept VALUES ($1)", text)
    await connection.close()
    await create_topic(kafka)
    async with AIOKafkaProducer(bootstrap_servers=kafka, acks="all") as producer:
        await producer.send_and_wait(TOPIC, text.encode())


async def create_topic(kafka: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        if TOPIC not in await admin.list_topics():
            await admin.create_topics([NewTopic(TOPIC, num_partitions=1, replication_factor=1)])
    finally:
        await admin.close()


async def texts_in_postgres(url: str) -> list[str]:
    connection = await asyncpg.connect(url)
    rows = await connection.fetch("SELECT text FROM kept")
    await connection.close()
    return [row["text"] for row in rows]


async def texts_in_kafka(servers: str, count: int) -> list[str]:
    async with AIOKafkaConsumer(TOPIC, bootstrap_servers=servers, auto_offset_reset="earliest") as consumer:
        return [(await consumer.getone()).value.decode() for _ in range(count)]


@contextmanager
def other_process_with_a_stack(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    command = [sys.executable, "-c", HOLD_A_STACK, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        try:
            yield holder, json.loads(holder.stdout.readline())
        finally:
            holder.kill()


async def test_what_was_written_is_found_by_the_next_stack_on_other_ports(tmp_path: Path) -> None:
    with LocalStack(tmp_path) as first:
        await write(first.kafka_bootstrap_servers, first.postgres_url("postgres"), "once")

    with LocalStack(tmp_path) as second:
        assert second.kafka_bootstrap_servers != first.kafka_bootstrap_servers
        assert await texts_in_postgres(second.postgres_url("postgres")) == ["once"]
        assert await texts_in_kafka(second.kafka_bootstrap_servers, 1) == ["once"]


async def test_what_was_written_survives_kill_9_of_servers_and_parent(tmp_path: Path) -> None:
    with other_process_with_a_stack(str(tmp_path)) as (holder, (kafka, postgres, _)):
        await write(kafka, postgres, "before the parent was killed")
        holder.kill()

    with LocalStack(tmp_path) as stack:
        kafka, postgres = stack.kafka_bootstrap_servers, stack.postgres_url("postgres")
        await write(kafka, postgres, "before the servers were killed")
        for server in (stack.postgres, stack.kafka):
            server.kill()
            server.start()

        written = ["before the parent was killed", "before the servers were killed"]
        assert await texts_in_postgres(postgres) == written
        assert await texts_in_kafka(kafka, 2) == written


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_is_left_when_the_parent_ends(by: signal.Signals) -> None:
    with other_process_with_a_stack() as (holder, (_, _, folder)):
        handles = [os.pidfd_open(pid) for pid in descendants(holder.pid)]
        assert len(handles) > 5  # The guard, Java, and PostgreSQL's family.

        holder.send_signal(by)

        assert gone(handles, 10)
    assert not Path(folder).exists()
    for handle in handles:
        os.close(handle)


def test_a_busy_port_is_refused_before_anything_is_started() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        with pytest.raises(PortBusy, match=str(port)), LocalStack(postgres_port=port):
            pass


def test_nobody_is_given_a_port_that_somebody_was_given_a_moment_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    port = machine.free_port()
    monkeypatch.setattr(machine, "_FREE_PORTS", [port])

    with pytest.raises(LocalStackError, match="no free port"):
        machine.free_port()
    socket.create_server(("127.0.0.1", port)).close()  # Whoever was given it may bind it.


def test_a_data_folder_serves_one_stack_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack, "PATIENCE_FOR_DATA", 0.1)

    with stack.locked(tmp_path), pytest.raises(DataInUse, match="another local stack"), LocalStack(tmp_path):
        pass


async def test_postgresql_is_durable_and_local_only() -> None:
    with LocalStack() as stack:
        for _ in range(2):
            stack.create_database("school")
        connection = await asyncpg.connect(stack.postgres_url("school"))
        settings = {name: await connection.fetchval(f"SHOW {name}") for name in ("fsync", "listen_addresses")}
        await connection.close()

    assert settings == {"fsync": "on", "listen_addresses": "127.0.0.1"}


# Java's cache


def has_kept_classes(kafka: Kafka) -> bool:
    """Whether a Kafka that runs has them in its memory."""
    return str(loaded_classes()) in Path(f"/proc/{kafka._process.pid}/maps").read_text()


def test_kafka_starts_with_the_classes_that_java_kept_and_also_where_they_are_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jars = kafka_jars()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cache_folder().mkdir(parents=True)
    for jar in jars:
        (cache_folder() / jar.name).symlink_to(jar)

    keep_loaded_classes()
    with LocalStack() as stack:
        assert has_kept_classes(stack.kafka)

    loaded_classes().write_bytes(b"damaged")
    with LocalStack() as stack:
        assert not has_kept_classes(stack.kafka)
