"""What a run found, for people (100 columns) and for programs (JSON)."""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Self

from tests.chaos.cluster import Cluster
from tests.chaos.evidence import TOPICS, Evidence
from tests.chaos.faults import Faults
from tests.chaos.options import Options
from tests.chaos.watch import Leaders

MOST_SHOWN = 8


@dataclass
class Report:
    """Figures of one run."""

    options: Options
    kills: int
    faults: dict[str, int]
    batches: dict[str, int]
    records: int
    events: int
    violations: dict[str, list[str]]
    given_up: list[str]
    recovery_seconds: dict[str, list[float]]
    takeover_seconds: dict[str, list[float]]
    seconds: float = 0.0
    quiet_after: float | None = None

    @classmethod
    def of(
        cls,
        options: Options,
        faults: Faults,
        leaders: Leaders,
        cluster: Cluster,
        evidence: Evidence,
        violations: dict[str, list[str]],
    ) -> Self:
        """The figures behind a run."""
        ends = Counter(row["status"] for row in evidence.rows("batch_orchestrator_service", "batches"))
        given_up = [f"{each.batch_id}: {each.gave_up}" for each in evidence.journal.batches.values() if each.gave_up]
        return cls(
            options=options,
            kills=faults.kills,
            faults=dict(sorted(faults.counts.items())),
            batches=dict(ends),
            records=sum(each.topic in TOPICS for each in evidence.records),
            events=sum(each.topic in TOPICS for each in evidence.first.values()),
            violations=violations,
            given_up=given_up,
            recovery_seconds=_recoveries(cluster),
            takeover_seconds=dict(sorted(leaders.takeovers.items())),
        )

    @property
    def good(self) -> bool:
        """Whether nothing was violated and everything became quiet."""
        return not any(self.violations.values()) and self.quiet_after is not None

    def write(self, path: Path) -> None:
        """As JSON."""
        path.write_text(json.dumps(asdict(self), indent=1, default=str))

    def text(self) -> str:
        """For the terminal."""
        quiet = "never quiet" if self.quiet_after is None else f"quiet {self.quiet_after:.1f} s after the last batch"
        lines = [f"seed {self.options.seed}: {self.kills} kills in {self.seconds:.0f} s, {quiet}", "", "faults"]
        lines += [f"  {count:6}  {name}" for name, count in self.faults.items()]
        lines += ["", "batches", *(f"  {count:6}  {name}" for name, count in self.batches.items())]
        lines += [f"  {len(self.given_up):6}  given up by their teacher"]
        lines += [f"          {each[:88]}" for each in self.given_up]
        lines += ["", f"{self.events} events in {self.records} records", ""]
        lines += [f"recovery  {_spread(found)}  ({kind})" for kind, found in self.recovery_seconds.items()]
        lines += [f"takeover  {_spread(found)}  ({kind})" for kind, found in self.takeover_seconds.items()]
        lines += ["", "violations"]
        for check, found in self.violations.items():
            lines += [f"  {len(found):6}  {check}", *(f"          {each[:88]}" for each in found[:MOST_SHOWN])]
        return "\n".join(lines)


def _recoveries(cluster: Cluster) -> dict[str, list[float]]:
    found: dict[str, list[float]] = defaultdict(list)
    for instance in cluster.instances:
        for kind, seconds in instance.recoveries.items():
            found[kind] += seconds
    return dict(sorted(found.items()))


def _spread(seconds: Sequence[float]) -> str:
    if not seconds:
        return "not measured"
    ordered = sorted(seconds)
    p90 = ordered[int(len(ordered) * 0.9)]
    return f"median {median(ordered):.2f} s, p90 {p90:.2f} s, max {ordered[-1]:.2f} s, n={len(ordered)}"
