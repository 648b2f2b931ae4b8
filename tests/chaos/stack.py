"""Kafka and PostgreSQL, reachable by the services only through proxies that can break."""

from pathlib import Path

from local_stack import LocalStack
from local_stack.kafka import Kafka


class ProxiedKafka(Kafka):
    """Kafka that tells its clients to come through a proxy."""

    advertised_port = 0

    def _write_settings(self, data: Path) -> None:
        super()._write_settings(data)
        settings = self._settings.read_text()
        direct = f"advertised.listeners=CLIENTS://127.0.0.1:{self.port}"
        if direct not in settings:
            raise AssertionError("Kafka's settings have changed: say here how its advertised listener is replaced")
        self._settings.write_text(
            settings.replace(direct, f"advertised.listeners=CLIENTS://127.0.0.1:{self.advertised_port}")
        )


class ProxiedStack(LocalStack):
    """The local stack with a Kafka that advertises another port than its own."""

    def __init__(self, kafka_port: int, advertised_port: int) -> None:
        super().__init__(kafka_port=kafka_port)
        self._advertised_port = advertised_port

    def _set_up(self, folder: Path, lock: int) -> None:
        super()._set_up(folder, lock)
        self.kafka.__class__ = ProxiedKafka
        self.kafka.advertised_port = self._advertised_port  # type: ignore[attr-defined]  # it is a ProxiedKafka now
