"""Writes the matcher's calibration table: what scores have been worth on the development half.

`python -m benchmarks.matching.fit` reads nothing but our own lists, so that it gives the same table everywhere.
"""

import sys
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

from benchmarks.matching.essays import Generator, Right
from services.student_matching_service import calibration
from services.student_matching_service.matching import Roster

SEED, BATCHES = 1001, 500
MOST = 0.998
"""What no score exceeds, however many of its kind were right: other classes hold other surprises."""
FEWEST = 80
"""Essays that a point of the table rests on."""

type Point = tuple[float, float]


def main() -> int:
    """Fit, and put the table into the module."""
    table = fitted(scores())
    path = Path(calibration.__file__)
    before, _, after = path.read_text(encoding="utf-8").partition("TABLE = (")
    after = after.partition("\n)\n")[2]
    path.write_text(f"{before}{shown(table)}\n{after}", encoding="utf-8")
    print(shown(table))
    return 0


def scores() -> Iterable[tuple[float, bool]]:
    """The score of each student who is alone and contradicted by nothing, and whether it was the author."""
    generator = Generator(SEED, 0, Path("no further lists"))
    for _ in range(BATCHES):
        batch = generator.batch()
        roster = Roster(batch.students)
        for essay in batch.essays:
            finding = roster.look(essay.text)
            for student, score in finding.scores.items() if len(finding.scores) == 1 else ():
                if not finding.is_contradicted(student):
                    yield score, essay.right is Right.ONE and str(roster.id_of(student)) in essay.authors


def fitted(pairs: Iterable[tuple[float, bool]]) -> list[Point]:
    """The best rising curve (pool adjacent violators) through bins of equal size, level from the lowest bin on."""
    ordered = sorted(pairs)
    bins = [ordered[i : i + FEWEST] for i in range(0, len(ordered) - len(ordered) % FEWEST, FEWEST)]
    pools: list[tuple[float, float, int]] = []
    for each in bins:
        pool = (sum(score for score, _ in each), float(sum(right for _, right in each)), len(each))
        while pools and pools[-1][1] / pools[-1][2] >= pool[1] / pool[2]:
            last = pools.pop()
            pool = (last[0] + pool[0], last[1] + pool[1], last[2] + pool[2])
        pools.append(pool)
    # One that was wrong is added to each pool: what was never wrong may be next time.
    points = [(total / count, min(right / (count + 1), MOST)) for total, right, count in pools]
    lowest = (sum(score for score, _ in bins[0]) / FEWEST, points[0][1])
    ends = [(0.0, 0.0), lowest, *points, (1.0, points[-1][1])]
    return [point for before, point in pairwise([(-1.0, -1.0), *ends]) if point[0] > before[0]]


def shown(table: Iterable[Point]) -> str:
    """As it stands in the module."""
    return "TABLE = (\n" + "".join(f"    ({score:.3f}, {confidence:.3f}),\n" for score, confidence in table) + ")"


if __name__ == "__main__":
    sys.exit(main())
