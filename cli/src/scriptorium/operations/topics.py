"""The topics, as they are declared and as the broker has them."""

import asyncio
import sys
from collections.abc import Iterator, Sequence
from typing import TypedDict

from aiokafka.admin import NewTopic
from rich.table import Table
from rich.text import Text
from service_runtime.topics import Compared, Size, compare_topics, days, retention_ms

from scriptorium import environment
from scriptorium.broker import reaching
from scriptorium.display import console, say
from scriptorium.operations.options import AsJson, EnvFile, print_json


class Pair(TypedDict):
    """What is declared, and what the broker has; None: it has none, or does not say."""

    declared: int
    found: int | None


class TopicCondition(TypedDict):
    """One topic; `problems` are what is not as declared and has to be mended."""

    topic: str
    partitions: Pair
    replicas: Pair
    retention_ms: Pair
    problems: list[str]


def topics(as_json: AsJson = False, env_file: EnvFile = None) -> None:
    """Compare the topics that are declared with those of the broker; 1 when one is missing, smaller or kept longer."""
    settings = environment.runtime_settings(environment.read(env_file))
    with reaching(settings):
        found = asyncio.run(compare_topics(settings))
    if as_json:
        print_json([_document(each) for each in found])
    else:
        _print(found)
    sys.exit(1 if any(each.problems for each in found) else 0)


def _document(found: Compared) -> TopicCondition:
    topic, size = found.topic, found.size
    return {
        "topic": topic.name,
        "partitions": {"declared": topic.num_partitions, "found": size and size.partitions},
        "replicas": {"declared": topic.replication_factor, "found": size and size.replicas},
        "retention_ms": {"declared": retention_ms(topic), "found": found.retention_ms},
        "problems": found.problems,
    }


def _print(found: Sequence[Compared]) -> None:
    table = Table()
    for name in ("topic", "partitions", "replicas", "kept"):
        table.add_column(name, overflow="fold", justify="left" if name == "topic" else "right")
    for each in found:
        topic, size, wanted = each.topic, each.size, retention_ms(each.topic)
        sizes = (
            [_pair(size.partitions, topic.num_partitions), _pair(size.replicas, topic.replication_factor)]
            if size
            else [Text("missing", style="bold red"), Text()]
        )
        kept = _pair(days(each.retention_ms), days(wanted)) if each.retention_ms is not None else Text("?" * bool(size))
        table.add_row(Text(topic.name), *sizes, kept)
    console.print(table)
    for line in [*(line for each in found for line in each.problems), *_remarks(found)]:
        say(line)


def _remarks(found: Sequence[Compared]) -> Iterator[str]:
    """What has not to be mended and is not as declared, or that all is."""
    more = [each.topic.name for each in found if each.size and _is_larger(each.topic, each.size)]
    untold = [each.topic.name for each in found if each.size and each.retention_ms is None]
    if more:
        yield f"More partitions or replicas than declared, which is fine: {', '.join(more)}."
    if untold:
        yield f"The broker does not say how long it keeps the messages of {', '.join(untold)}."
    if not (more or untold or any(each.problems for each in found)):
        yield "All topics are as they are declared."


def _is_larger(topic: NewTopic, size: Size) -> bool:
    return bool(size.partitions > topic.num_partitions or size.replicas > topic.replication_factor)


def _pair(found: int | str, declared: int | str) -> Text:
    return Text(str(found)) if found == declared else Text(f"{found} (declared: {declared})", style="yellow")
