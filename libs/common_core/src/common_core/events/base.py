"""What every event is: a frozen pydantic model that knows its topic and its key."""

from enum import StrEnum
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints


class Topic(StrEnum):
    """One topic per publisher, so that all one publisher says about one key arrives in the order it was said."""

    BATCH_ORCHESTRATOR = "batch-orchestrator"
    ESSAY_LIFECYCLE = "essay-lifecycle"
    CLASS_MANAGEMENT = "class-management"
    STUDENT_MATCHING = "student-matching"
    FILE_SERVICE = "file-service"
    UPSTREAM = "upstream"


def _without_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not contain the NUL character, which PostgreSQL cannot store")
    return text


Text = Annotated[str, AfterValidator(_without_nul)]
"""Any text that PostgreSQL can store."""

Name = Annotated[str, StringConstraints(min_length=1), AfterValidator(_without_nul)]
"""A text that says something: not empty."""


class Contract(BaseModel):
    """Data on the wire: unknown fields are ignored, so that fields can be added with a default."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)


class Event(Contract):
    """A fact or a command on Kafka; its class name is its `type`.

    `topic` is where we publish it; `upstream=True` says that systems outside may publish it too.
    `key` names the field whose value is the Kafka key and the `subject`.
    """

    topic: ClassVar[Topic]
    key_field: ClassVar[str]
    topics: ClassVar[tuple[Topic, ...]]

    types: ClassVar[dict[str, type["Event"]]] = {}
    """Every event by its name on the wire."""

    def __init_subclass__(cls, *, topic: Topic, key: str, upstream: bool = False) -> None:
        super().__init_subclass__()
        cls.topic, cls.key_field = topic, key
        cls.topics = (topic, Topic.UPSTREAM) if upstream else (topic,)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if cls.key_field not in cls.model_fields:
            raise TypeError(f"{cls.__name__}: the key field {cls.key_field!r} does not exist")
        cls.types[cls.__name__] = cls

    @property
    def key(self) -> UUID:
        """The id of what this event is about; it is the Kafka key."""
        value: UUID = getattr(self, self.key_field)
        return value
