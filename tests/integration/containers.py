"""Kafka and PostgreSQL in containers that testcontainers starts and removes."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Self

from local_stack import free_port
from local_stack.kafka import answers
from testcontainers.core.container import DockerContainer

from tests.integration.stacks import Stopping

PATIENCE_SECONDS = 180.0
PASSWORD = "of-the-tests"
KAFKA_SETTINGS = {
    "NODE_ID": "1",
    "PROCESS_ROLES": "broker,controller",
    "LISTENERS": "CLIENTS://:9092,CONTROLLER://:9093",
    "LISTENER_SECURITY_PROTOCOL_MAP": "CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "INTER_BROKER_LISTENER_NAME": "CLIENTS",
    "CONTROLLER_LISTENER_NAMES": "CONTROLLER",
    "CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
    "AUTO_CREATE_TOPICS_ENABLE": "false",
    "OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
    "OFFSETS_TOPIC_NUM_PARTITIONS": "4",
    "TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
    "TRANSACTION_STATE_LOG_MIN_ISR": "1",
    "GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
    # As in the local stack, with Kafka's own time for a session.
    "BROKER_HEARTBEAT_INTERVAL_MS": "500",
}


class Server(DockerContainer):
    """A container on a port that stays the same when it is started again."""

    def __init__(self, image: str, port: int) -> None:
        super().__init__(image)
        self.port = free_port()
        self.with_bind_ports(port, self.port)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def await_ready(self, is_ready: Callable[[], bool]) -> None:
        """Until `is_ready()`; TimeoutError with the end of the container's log when that takes too long."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_ready():
            if time.monotonic() > deadline:
                log = b"".join(self.get_logs()).decode(errors="replace")
                raise TimeoutError(f"{self.image} is not ready:\n{log[-3000:]}")
            time.sleep(0.05)


class KafkaContainer:
    """A single node."""

    def __init__(self) -> None:
        self.server = Server("apache/kafka:4.1.1", 9092)
        advertised = {"ADVERTISED_LISTENERS": f"CLIENTS://{self.server.address}"}
        self.server.with_envs(**{f"KAFKA_{name}": value for name, value in (KAFKA_SETTINGS | advertised).items()})

    def start(self) -> None:
        self.server.get_wrapped_container().start()
        self.await_ready()

    def await_ready(self) -> None:
        self.server.await_ready(lambda: answers(self.server.port))

    def kill(self) -> None:
        container = self.server.get_wrapped_container()
        container.kill()
        container.wait()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        container = self.server.get_wrapped_container()
        container.pause()
        try:
            yield
        finally:
            container.unpause()


class PostgresContainer:
    """A server whose superuser the tests are."""

    def __init__(self) -> None:
        self.server = Server("postgres:18", 5432)
        self.server.with_env("POSTGRES_PASSWORD", PASSWORD).with_command("-c max_connections=200")

    def url(self, database: str) -> str:
        return f"postgresql://postgres:{PASSWORD}@{self.server.address}/{database}"

    def start(self) -> None:
        self.server.get_wrapped_container().start()
        self.await_ready()

    def await_ready(self) -> None:
        # By TCP: on the socket a server answers that still prepares the data of the first start.
        question = ["pg_isready", "-q", "-h", "127.0.0.1", "-U", "postgres"]
        self.server.await_ready(lambda: self.server.exec(question).exit_code == 0)

    def stop(self, mode: Stopping = "fast") -> None:
        container = self.server.get_wrapped_container()
        container.kill(signal="SIGINT" if mode == "fast" else "SIGQUIT")
        container.wait()

    def restart(self, mode: Stopping = "fast") -> None:
        self.stop(mode)
        self.start()


class Containers:
    """Both, for as long as the `with` block lasts."""

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            self.kafka, self.postgres = KafkaContainer(), PostgresContainer()
            for each in (self.kafka, self.postgres):
                undo.enter_context(each.server)
            for each in (self.kafka, self.postgres):
                each.await_ready()
            self._undo = undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    @property
    def kafka_bootstrap_servers(self) -> str:
        return self.kafka.server.address

    def postgres_url(self, database: str) -> str:
        return self.postgres.url(database)
