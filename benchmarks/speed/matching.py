"""How long the student matching thinks about an essay, by the size of the class and the length of the text.

As the service does it, in the processor time of one process: the class is prepared, each of its essays is compared with
it, and all are concluded together. Neither database nor Kafka nor the reading of the texts is in it.
"""

import argparse
import random
import time
from collections import defaultdict
from pathlib import Path
from statistics import median, quantiles

from benchmarks import figures
from benchmarks.matching import prose
from benchmarks.matching.essays import Batch, Generator, Right
from benchmarks.speed.pictures import lines
from services.file_service.extraction import LONGEST
from services.student_matching_service.matching import Match, Roster

TABLE = "Matching, processor time of an essay"
CLASSES = (10, 30, 100, 500)
LENGTHS = (1_000, 10_000, LONGEST)
"""Characters of a text."""
SEED = 1
LEAST_FOUND = 0.9
"""Of the essays whose text names one student; how well authors are found is measured by `make eval-matching`."""


def of_length(text: str, length: int, prose_of_others: str) -> str:
    """A text made longer or shorter in its middle, so that beginning and end stay, where most names are."""
    half, missing = len(text) // 2, length - len(text)
    if missing >= 0:
        return text[:half] + prose_of_others[:missing] + text[half:]
    return text[: length // 2] + text[-(length - length // 2) :]


def one_run(batch: Batch, texts: list[str]) -> tuple[float, list[float]]:
    """Milliseconds for an essay with its share of the class, and for each text alone; raises WrongData."""
    began = time.process_time_ns()
    roster, findings, looks = Roster(batch.students), [], []
    for text in texts:
        before = time.process_time_ns()
        findings.append(roster.look(text))
        looks.append((time.process_time_ns() - before) / 1e6)
    matches = roster.conclude(findings, [f"{number}.txt" for number, _ in enumerate(texts)])
    taken = (time.process_time_ns() - began) / 1e6 / len(texts)
    check(batch, matches)
    return taken, looks


def check(batch: Batch, matches: list[Match]) -> None:
    """Most authors are found; raises WrongData."""
    clear = [(essay, match) for essay, match in zip(batch.essays, matches, strict=True) if essay.right is Right.ONE]
    found = sum(bool(m.suggestions) and str(m.suggestions[0].student_id) in essay.authors for essay, m in clear)
    figures.check(f"authors found, {found} of {len(clear)}", found >= LEAST_FOUND * len(clear), wanted=True)


def main(runs: int) -> None:
    """Every class with texts of every length, in alternating rounds."""
    report = figures.Report("matching")
    generator = Generator(SEED, 1, Path("no further lists"))
    batches = {size: generator.batch(size) for size in CLASSES}
    rng = random.Random(SEED)  # noqa: S311  # Nobody shall be surprised.
    people = [generator.inventor.person().full for _ in range(20)]
    filling = "\n".join(prose.body(rng, "en", 1, people, wrapped=False) for _ in range(100))
    taken, looks = defaultdict[tuple[int, int], list[float]](list), defaultdict[tuple[int, int], list[float]](list)
    for _ in range(runs):
        for size, batch in batches.items():
            for length in LENGTHS:
                texts = [of_length(essay.text, length, filling) for essay in batch.essays]
                mean, alone = one_run(batch, texts)
                taken[size, length].append(mean)
                looks[size, length] += alone
    for (size, length), found in taken.items():
        about = {"students": size, "characters": length, "essays": len(batches[size].essays), "runs": runs}
        spread = {"median ms": median(found), "min ms": min(found), "max ms": max(found)}
        report.row(TABLE, {**about, **spread, "p99 of one text": quantiles(looks[size, length], n=100)[98]})
    drawn = {
        f"class of {size}, ms": [(length, median(taken[size, length])) for length in LENGTHS]
        for size in reversed(CLASSES)
    }
    report.picture(lines(TABLE, "characters of a text", drawn, log_x=True))
    report.finish()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    try:
        main(parser.parse_args().runs)
    except figures.WrongData as wrong:
        raise SystemExit(str(wrong)) from None
