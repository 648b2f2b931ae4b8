"""What a run found: figures, and how several rounds become one report. How it looks is in tables.py."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self

from service_runtime.failpoints import PLACES

from tests.chaos import checker, recovery
from tests.chaos.evidence import TOPICS, Evidence
from tests.chaos.faults import Faults
from tests.chaos.options import Options
from tests.chaos.recovery import Seconds
from tests.chaos.timeline import Timeline
from tests.chaos.watch import Leaders


@dataclass
class Report:
    """Figures of one round, or of several together."""

    seed: int
    rounds: int
    kills: int
    faults: dict[str, int]
    failpoints: dict[str, int]
    """How many processes died at each place."""
    operator: dict[str, int]
    batches: dict[str, int]
    records: int
    events: int
    violations: dict[str, list[str]]
    given_up: list[str]
    not_quiet: int
    """Rounds after which something was left, however long one waited."""
    steady_rates: list[float]
    """Events a second about the steady work before the first fault, by round."""
    ready_seconds: Seconds
    rate_seconds: Seconds
    takeover_seconds: Seconds
    seconds: float
    stopped: int = 0
    """Rounds that somebody ended before their time."""

    @property
    def good(self) -> bool:
        """Whether nothing was violated and everything became quiet."""
        return not any(self.violations.values()) and not self.not_quiet

    @property
    def other_faults(self) -> int:
        """Everything that was done to the system but kills."""
        return sum(count for name, count in self.faults.items() if not name.startswith(("SIGKILL", "not ready")))

    @classmethod
    def of(
        cls, options: Options, faults: Faults, leaders: Leaders, timeline: Timeline, evidence: Evidence, calm: float
    ) -> Self:
        """The figures behind a round; what is known only by the driver is added by it."""
        ends = Counter(row["status"] for row in evidence.rows("batch_orchestrator_service", "batches"))
        given_up = [f"{each.batch_id}: {each.gave_up}" for each in evidence.journal.batches.values() if each.gave_up]
        times = recovery.steady_work(evidence)
        rate = recovery.baseline(times, calm - options.calm, calm)
        last = times[-1] if times else calm
        return cls(
            seed=options.seed,
            rounds=1,
            kills=faults.kills,
            faults=dict(sorted(faults.counts.items())),
            failpoints={place: faults.died_at[place] for place in PLACES},
            operator={},
            batches=dict(ends),
            records=sum(each.topic in TOPICS for each in evidence.records),
            events=sum(each.topic in TOPICS for each in evidence.first.values()),
            violations=checker.violations(evidence),
            given_up=given_up,
            not_quiet=0,
            steady_rates=[rate],
            ready_seconds=recovery.ready_again(timeline.incidents, timeline),
            rate_seconds=recovery.rate_again(times, timeline.incidents, rate, last),
            takeover_seconds=recovery.takeovers(leaders.takeovers, timeline, leaders.doubled),
            seconds=0.0,
        )

    @classmethod
    def together(cls, reports: "Sequence[Self]") -> Self:
        """One report of several rounds with one seed."""
        merged: dict[str, Any] = {}
        for field in fields(cls):
            values = [getattr(each, field.name) for each in reports]
            merged[field.name] = values[0] if field.name == "seed" else _sum(values)
        return cls(**merged)

    def write(self, path: Path) -> None:
        """As JSON."""
        path.write_text(json.dumps(asdict(self), indent=1, default=str))

    @classmethod
    def read(cls, path: Path) -> Self:
        """What was written."""
        return cls(**json.loads(path.read_text()))


def _sum(values: Sequence[Any]) -> Any:
    if not isinstance(values[0], Mapping):
        return sum(values[1:], values[0])
    found: dict[str, list[Any]] = defaultdict(list)
    for value in values:
        for name, each in value.items():
            found[name].append(each)
    return {name: _sum(each) for name, each in found.items()}
