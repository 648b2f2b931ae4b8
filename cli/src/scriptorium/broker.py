"""Kafka for the command line: what goes wrong is told with its reason, which the client itself only logs."""

import logging
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnsupportedSaslMechanismError,
)
from service_runtime import RuntimeSettings

from scriptorium.errors import CommandFailed

# The first kind that fits.
WAYS_OUT: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    ((SaslAuthenticationFailed,), "correct KAFKA_SASL_USERNAME or KAFKA_SASL_PASSWORD"),
    ((UnsupportedSaslMechanismError, IllegalSaslStateError), "correct KAFKA_SASL_MECHANISM"),
    (
        (TopicAuthorizationFailedError, GroupAuthorizationFailedError, ClusterAuthorizationFailedError),
        "let KAFKA_SASL_USERNAME do this (kafka-acls.sh), or use another one",
    ),
    (
        (ssl.SSLCertVerificationError,),
        "give the authority of the brokers' certificates as KAFKA_SSL_CA_FILE, and in KAFKA_BOOTSTRAP_SERVERS the host"
        " names that stand on them",
    ),
    ((ssl.SSLError,), "correct KAFKA_SECURITY_PROTOCOL or KAFKA_SSL_CA_FILE"),
    ((FileNotFoundError, PermissionError), "correct KAFKA_SSL_CA_FILE"),
    (
        (KafkaConnectionError, ConnectionResetError),
        "something listens there and hangs up: correct KAFKA_SECURITY_PROTOCOL, or the port in KAFKA_BOOTSTRAP_SERVERS",
    ),
    ((OSError,), "start it, or correct KAFKA_BOOTSTRAP_SERVERS"),
    ((ValueError,), "correct the variables that begin with KAFKA_"),
)


class BrokerFailed(CommandFailed):
    """Kafka cannot be reached, or does not allow what was asked."""

    def __init__(self, servers: str, reason: BaseException) -> None:
        way_out = next((way for kinds, way in WAYS_OUT if isinstance(reason, kinds)), "its log may say more")
        super().__init__(f"Kafka at {servers} cannot be used ({str(reason) or type(reason).__name__})", way_out)


class _Reasons(logging.Handler):
    """Keeps the errors that the client logs."""

    def __init__(self) -> None:
        super().__init__()
        self.last: BaseException | None = None

    def emit(self, record: logging.LogRecord) -> None:
        arguments = record.args if isinstance(record.args, tuple) else ()
        self.last = next((each for each in arguments if isinstance(each, BaseException)), self.last)


@contextmanager
def reaching(settings: RuntimeSettings) -> Iterator[None]:
    """Errors of Kafka inside become BrokerFailed; the client's log stays silent."""
    log, reasons = logging.getLogger("aiokafka"), _Reasons()
    propagated, level = log.propagate, log.level
    log.propagate = False
    log.setLevel(logging.WARNING)
    log.addHandler(reasons)
    try:
        yield
    except BrokenPipeError:
        raise  # That of our own output.
    except (KafkaError, OSError, ValueError) as error:
        # That it cannot connect says less than why.
        told = reasons.last if isinstance(error, KafkaConnectionError) else None
        raise BrokerFailed(settings.kafka_bootstrap_servers, told or error) from error
    finally:
        log.removeHandler(reasons)
        log.propagate = propagated
        log.setLevel(level)
