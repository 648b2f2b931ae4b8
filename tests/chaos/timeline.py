"""When each fault began and ended, by the clock of this machine: what every figure of a recovery is made from."""

import math
import time
from dataclasses import dataclass


@dataclass
class Incident:
    """One fault."""

    kind: str
    where: str
    """The process it struck, or `PostgreSQL` or `Kafka`."""
    began: float
    ended: float = math.inf
    """For a kill: when the process was ready again."""
    alone: bool = False
    """Whether the driver left the system in peace before and after it."""


class Timeline:
    """All incidents in the order of their beginnings; times in seconds as of time.time()."""

    def __init__(self) -> None:
        self.incidents: list[Incident] = []

    def begin(self, kind: str, where: str, *, alone: bool = False) -> Incident:
        """Note a fault that begins now."""
        incident = Incident(kind, where, time.time(), alone=alone)
        self.incidents.append(incident)
        return incident

    def end(self, incident: Incident) -> None:
        """Note that it is over."""
        incident.ended = time.time()

    def going_on(self, where: str) -> bool:
        """Whether something is wrong there now."""
        return any(each.where == where and each.ended == math.inf for each in self.incidents[-50:])

    def meanwhile(self, since: float, until: float, *, but: Incident | None = None) -> list[Incident]:
        """What else went on at any moment between these."""
        return [each for each in self.incidents if each is not but and each.began < until and each.ended > since]
