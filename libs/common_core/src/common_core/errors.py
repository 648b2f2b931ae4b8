"""The kinds of failure: trying again cannot help, or it can. Everything else is a bug or a broken wire."""

from collections.abc import Mapping
from typing import ClassVar


class DomainError(Exception):
    """Refused: trying again cannot help. A message becomes a dead letter, a request is answered with 409."""

    http_status: ClassVar[int] = 409

    @property
    def details(self) -> Mapping[str, object]:
        """What a program may want to read besides the sentence; it stands in the problem document."""
        return {}


class NotFound(DomainError):
    """There is no such thing, or not for this caller."""

    http_status: ClassVar[int] = 404

    def __init__(self, what: str, which: object) -> None:
        super().__init__(f"{what} {which} does not exist or is not yours")


class NotYet(Exception):
    """What this needs is not known yet. A message waits for it; a request waits 2 s, then is answered with 404."""

    http_status: ClassVar[int] = 404

    def __init__(self, what: str, which: object) -> None:
        super().__init__(f"{what} {which} is not known here yet, or is not yours")
        self.waits_for = str(which)
