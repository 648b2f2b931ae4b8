"""What is said when Kafka cannot be used."""

import logging
import socket
import ssl

import pytest
from aiokafka.errors import KafkaConnectionError, SaslAuthenticationFailed, TopicAuthorizationFailedError
from scriptorium.broker import BrokerFailed, reaching
from scriptorium.environment import runtime_settings

SETTINGS = runtime_settings({"KAFKA_BOOTSTRAP_SERVERS": "broker:9092"})
log = logging.getLogger("aiokafka")


def fail(logged: Exception, raised: Exception) -> None:
    with reaching(SETTINGS):
        log.error('Unable connect to "%s:%s": %s', "broker", 9092, logged)
        raise raised


@pytest.mark.parametrize(
    ("reason", "way_out"),
    [
        (
            SaslAuthenticationFailed("Invalid username or password"),
            "correct KAFKA_SASL_USERNAME or KAFKA_SASL_PASSWORD",
        ),
        (ssl.SSLCertVerificationError("unable to get local issuer certificate"), "KAFKA_SSL_CA_FILE"),
        (KafkaConnectionError("Connection at broker:9092 closed"), "correct KAFKA_SECURITY_PROTOCOL, or the port"),
        (ConnectionRefusedError("refused"), "start it, or correct KAFKA_BOOTSTRAP_SERVERS"),
        (socket.gaierror("Name or service not known"), "start it, or correct KAFKA_BOOTSTRAP_SERVERS"),
    ],
    ids=lambda each: type(each).__name__,
)
def test_the_reason_that_the_client_only_logs_is_told(
    reason: Exception, way_out: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(BrokerFailed) as failed:
        fail(reason, KafkaConnectionError("Unable to bootstrap from [('broker', 9092)]"))

    said = str(failed.value)
    assert said.startswith("Kafka at broker:9092 cannot be used (")
    assert str(reason.args[0]) in said
    assert way_out in said
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("error", "way_out"),
    [
        (TopicAuthorizationFailedError("upstream"), "let KAFKA_SASL_USERNAME do this"),
        (FileNotFoundError(2, "No such file or directory"), "correct KAFKA_SSL_CA_FILE"),
        (ValueError("sasl_plain_username and sasl_plain_password required"), "correct the variables that begin with"),
    ],
    ids=lambda each: type(each).__name__,
)
def test_what_the_client_raises_itself_counts(error: Exception, way_out: str) -> None:
    with pytest.raises(BrokerFailed, match=way_out):
        fail(ConnectionRefusedError("an earlier one"), error)


def test_afterwards_the_log_is_as_it_was() -> None:
    before = log.handlers[:], log.propagate, log.level
    with reaching(SETTINGS):
        pass

    assert (log.handlers, log.propagate, log.level) == before
