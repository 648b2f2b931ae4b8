"""What tests may do to Kafka and PostgreSQL, wherever those come from: `LocalStack`, or containers."""

from contextlib import AbstractContextManager
from typing import Literal, Protocol

type Stopping = Literal["fast", "immediate"]


class Kafka(Protocol):
    """A broker on a fixed address; what it has acknowledged survives all of this."""

    def start(self) -> None:
        """Until it answers."""

    def kill(self) -> None: ...

    def frozen(self) -> AbstractContextManager[None]:
        """It answers nobody and loses nothing for as long as the block lasts."""


class Postgres(Protocol):
    """A server on a fixed address; what is committed survives all of this."""

    def start(self) -> None:
        """Until it answers."""

    def stop(self, mode: Stopping = "fast") -> None:
        """`fast` ends all sessions and writes everything out; `immediate` leaves that to the next start."""

    def restart(self, mode: Stopping = "fast") -> None: ...


class Stack(Protocol):
    """Both."""

    @property
    def kafka(self) -> Kafka: ...

    @property
    def postgres(self) -> Postgres: ...

    @property
    def kafka_bootstrap_servers(self) -> str: ...

    def postgres_url(self, database: str) -> str: ...
