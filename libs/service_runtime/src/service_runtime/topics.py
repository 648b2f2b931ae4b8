"""Topics are declared by the event classes and created before the services start."""

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import for_code
from common_core.events.base import Topic

TOPIC_ALREADY_EXISTS = 36


async def create_topics(bootstrap_servers: str, prefix: str, partitions: int, replication_factor: int) -> list[str]:
    """Create the topics that are missing; their names. Raises KafkaError when the broker refuses."""
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await client.start()
    try:
        missing = sorted({prefix + topic for topic in Topic} - set(await client.list_topics()))
        if missing:
            response = await client.create_topics([NewTopic(name, partitions, replication_factor) for name in missing])
            for name, code, *message in response.topic_errors:
                if code not in (0, TOPIC_ALREADY_EXISTS):
                    raise for_code(code)(f"topic {name}: {message}")
        return missing
    finally:
        await client.close()
