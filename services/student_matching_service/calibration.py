"""What a score has been worth: how often the students of such scores were the authors."""

from bisect import bisect

# Score, confidence; in between the line. Written by `python -m benchmarks.matching.fit`.
TABLE = (
    (0.000, 0.000),
    (0.430, 0.919),
    (0.496, 0.919),
    (0.625, 0.925),
    (0.799, 0.984),
    (0.902, 0.998),
    (0.977, 0.998),
    (0.985, 0.998),
    (1.000, 0.998),
)


def calibrated(score: float) -> float:
    """The confidence that a score stands for."""
    above = min(max(bisect(TABLE, (score, 2.0)), 1), len(TABLE) - 1)
    (low, least), (high, most) = TABLE[above - 1], TABLE[above]
    return least + (most - least) * (score - low) / (high - low)
