"""How every client of ours finds Kafka and proves who it is."""

import ssl
from typing import Any

from service_runtime.settings import RuntimeSettings


def client_arguments(settings: RuntimeSettings) -> dict[str, Any]:
    """What aiokafka's consumer, producer and admin client have in common."""
    password = settings.kafka_sasl_password
    encrypted = settings.kafka_security_protocol in {"SSL", "SASL_SSL"}
    return {
        "bootstrap_servers": settings.kafka_bootstrap_servers,
        "security_protocol": settings.kafka_security_protocol,
        "sasl_mechanism": settings.kafka_sasl_mechanism,
        "sasl_plain_username": settings.kafka_sasl_username,
        "sasl_plain_password": password and password.get_secret_value(),
        # Certificate and host name are checked.
        "ssl_context": ssl.create_default_context(cafile=settings.kafka_ssl_ca_file) if encrypted else None,
    }
