"""Writes the matcher's calibration table: what scores have been worth on the development half.

`python -m benchmarks.matching.fit` reads nothing but our own lists, so that it gives the same table everywhere.
"""

import sys
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from benchmarks.matching.essays import Generator, Right
from services.student_matching_service import calibration
from services.student_matching_service.matching import Roster

SEED, BATCHES = 1001, 300
MOST = 0.999
"""What no score exceeds, however many of its kind were right: other classes hold other surprises."""
FEWEST = 80
"""Essays that a point of the table rests on."""

type Point = tuple[float, float]


class Pool(NamedTuple):
    """Neighbouring bins that are worth the same: the mean scores of the first and the last, and what was right."""

    first: float
    last: float
    right: int
    size: int

    @property
    def share(self) -> float:
        """How many were right."""
        return self.right / self.size


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
    """The best rising curve (pool adjacent violators) through bins of equal size, from (0, 0) on; level in a pool."""
    ordered = sorted(pairs)
    pools: list[Pool] = []
    for start in range(0, len(ordered) - len(ordered) % FEWEST, FEWEST):
        scores, right = zip(*ordered[start : start + FEWEST], strict=True)
        pool = Pool(sum(scores) / FEWEST, sum(scores) / FEWEST, sum(right), FEWEST)
        while pools and pools[-1].share >= pool.share:
            before = pools.pop()
            pool = Pool(before.first, pool.last, before.right + pool.right, before.size + pool.size)
        pools.append(pool)
    # One that was wrong is added to each pool: what was never wrong may be next time.
    confident = [(pool, min(pool.right / (pool.size + 1), MOST)) for pool in pools]
    points = [(round(score, 3), confidence) for pool, confidence in confident for score in (pool.first, pool.last)]
    ends = [(0.0, 0.0), *points, (1.0, points[-1][1])]
    return [point for before, point in pairwise([(-1.0, -1.0), *ends]) if point[0] > before[0]]


def shown(table: Iterable[Point]) -> str:
    """As it stands in the module."""
    return "TABLE = (\n" + "".join(f"    ({score:.3f}, {confidence:.3f}),\n" for score, confidence in table) + ")"


if __name__ == "__main__":
    sys.exit(main())
