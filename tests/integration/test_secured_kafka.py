"""A broker that wants TLS, a name and a password: migrate, consumer, relay and health all come through."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from common_core.events import EssaySlotAssignedV1
from local_stack import free_port
from local_stack.kafka import Kafka
from scriptorium.broker import BrokerFailed, reaching
from service_runtime.testing import Listener, Outside, running, wait_until
from service_runtime.topics import compare_topics, create_topics

from tests.integration.certificates import Certificates, certificates
from tests.integration.notebook import TABLES, line, opening, service
from tests.integration.world import World

USER, PASSWORD = "scriptorium", "of the tests"
PROTOCOLS = ("SSL", "SASL_PLAINTEXT", "SASL_SSL")
WAYS = [
    {"kafka_security_protocol": "SSL"},
    {"kafka_security_protocol": "SASL_PLAINTEXT", "kafka_sasl_mechanism": "PLAIN"},
    {"kafka_security_protocol": "SASL_SSL", "kafka_sasl_mechanism": "PLAIN"},
    {"kafka_security_protocol": "SASL_SSL", "kafka_sasl_mechanism": "SCRAM-SHA-256"},
    {"kafka_security_protocol": "SASL_SSL", "kafka_sasl_mechanism": "SCRAM-SHA-512"},
]


class SecuredKafka(Kafka):
    """A broker with one more listener for each protocol."""

    _format_options = tuple(
        option
        for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512")
        for option in ("--add-scram", f"{mechanism}=[name={USER},password={PASSWORD}]")
    )

    def __init__(self, folder: Path, signed: Certificates) -> None:
        super().__init__(folder / "kafka", folder / "kafka.log", port=free_port(), controller_port=free_port())
        self.ports = {protocol: free_port() for protocol in PROTOCOLS}
        self._keystore = folder / "keystore.pem"
        self._keystore.write_text(signed.server_key + signed.server)

    def _write_settings(self, data: Path) -> None:
        super()._write_settings(data)
        text = self._settings.read_text()
        for setting in ("listeners", "advertised.listeners"):
            more = "".join(f",{protocol}://127.0.0.1:{port}" for protocol, port in self.ports.items())
            text = text.replace(f"\n{setting}=", f"\n{setting}={more[1:]},", 1)
        text = text.replace("protocol.map=", "".join(("protocol.map=", *(f"{each}:{each}," for each in PROTOCOLS))), 1)
        modules = {"plain": "plain.PlainLoginModule", "scram-sha-256": "scram.ScramLoginModule"}
        modules["scram-sha-512"] = modules["scram-sha-256"]
        for listener in ("sasl_plaintext", "sasl_ssl"):
            for mechanism, module in modules.items():
                knows = f' user_{USER}="{PASSWORD}"' if mechanism == "plain" else ""
                text += f"listener.name.{listener}.{mechanism}.sasl.jaas.config="
                text += f"org.apache.kafka.common.security.{module} required{knows};\n"
        text += "sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512\n"
        self._settings.write_text(f"{text}ssl.keystore.type=PEM\nssl.keystore.location={self._keystore}\n")


@pytest.fixture(scope="module")
def signed() -> Certificates:
    return certificates()


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory, signed: Certificates) -> Iterator[SecuredKafka]:
    broker = SecuredKafka(tmp_path_factory.mktemp("secured"), signed)
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture
def settings(signed: Certificates, tmp_path: Path) -> dict[str, object]:
    """What all ways have in common."""
    return {
        "kafka_sasl_username": USER,
        "kafka_sasl_password": PASSWORD,
        "kafka_ssl_ca_file": str(signed.authority_file(tmp_path)),
    }


@pytest.mark.parametrize("way", WAYS, ids=lambda way: " ".join(way.values()))
async def test_messages_come_and_go(
    world: World, kafka: SecuredKafka, settings: dict[str, object], way: dict[str, str]
) -> None:
    database, page_id = await world.database(service, TABLES), uuid4()
    servers = f"127.0.0.1:{kafka.ports[way['kafka_security_protocol']]}"
    ours = world.settings(database_url=database.url, **settings, **way, kafka_bootstrap_servers=servers)
    await create_topics(ours)

    async with running(service, ours) as started, Outside(ours) as outside, Listener(ours) as listener:
        await started.ready()
        await outside.publish(opening(page_id))
        await outside.publish(line(page_id, "in secret"))
        (said,) = await wait_until(lambda: listener.said(EssaySlotAssignedV1, page_id), 30)
        ready = await started.http.get("/readyz")

    assert said.original_file_name == "in secret"
    assert ready.json()["problems"] == {}


@pytest.mark.parametrize("wrong", [{"kafka_sasl_password": "guessed"}, {"kafka_ssl_ca_file": None}], ids=str)
async def test_with_the_wrong_password_or_authority_a_service_is_not_ready(
    world: World, kafka: SecuredKafka, settings: dict[str, object], wrong: dict[str, object]
) -> None:
    database = await world.database(service, TABLES)
    way = {"kafka_security_protocol": "SASL_SSL", "kafka_sasl_mechanism": "SCRAM-SHA-512"}
    servers = f"127.0.0.1:{kafka.ports['SASL_SSL']}"
    ours = world.settings(database_url=database.url, **{**settings, **way, **wrong}, kafka_bootstrap_servers=servers)

    async with running(service, ours) as started:

        async def told() -> bool:
            problems = (await started.http.get("/readyz")).json()["problems"]
            return all("KafkaConnectionError" in problems.get(part, "") for part in ("consumer", "relay"))

        await wait_until(told, 30)


WRONG: list[tuple[dict[str, object], str]] = [
    (
        {"kafka_sasl_password": "guessed"},
        r"\(.*[Aa]uthentication failed.*\); correct KAFKA_SASL_USERNAME or KAFKA_SASL_PASS",
    ),
    ({"kafka_ssl_ca_file": None}, "certificate verify failed.*KAFKA_SSL_CA_FILE"),
    ({"kafka_ssl_ca_file": "no-such-file"}, "correct KAFKA_SSL_CA_FILE"),
    ({"kafka_security_protocol": "PLAINTEXT"}, "closed.*correct KAFKA_SECURITY_PROTOCOL"),
]


@pytest.mark.parametrize(("wrong", "said"), WRONG, ids=[str(wrong) for wrong, _ in WRONG])
@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
async def test_the_command_says_which_of_these_is_wrong(
    world: World, kafka: SecuredKafka, settings: dict[str, object], mechanism: str, wrong: dict[str, object], said: str
) -> None:
    way = {"kafka_security_protocol": "SASL_SSL", "kafka_sasl_mechanism": mechanism}
    servers = f"127.0.0.1:{kafka.ports['SASL_SSL']}"
    changes = {**settings, **way, **wrong, "kafka_bootstrap_servers": servers}
    ours = world.settings(database_url="postgresql://nowhere/none", **changes)

    with pytest.raises(BrokerFailed, match=said), reaching(ours):
        await compare_topics(ours)
