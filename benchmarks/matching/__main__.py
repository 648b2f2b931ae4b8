"""How well authors are found: `python -m benchmarks.matching --help`; what the figures mean stands in README.md."""

import argparse
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.matching.collection import collected
from benchmarks.matching.essays import Batch, Generator
from benchmarks.matching.picture import reliability_curve
from benchmarks.matching.score import Judged, Outcome, Score
from services.student_matching_service.matching import Roster

LONGEST = 50_000
CLASS_OF = 35


def main() -> int:
    """Invent, match and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--half", choices=("development", "held-out"), default="held-out")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--batches", type=int, default=200)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="further names and essays")
    parser.add_argument("--build", type=Path, default=Path("build"), help="where the picture is put")
    parser.add_argument("--show", choices=[*Outcome], nargs="*", default=(), help="print such essays, development only")
    options = parser.parse_args()
    generator = Generator(options.seed, ("development", "held-out").index(options.half), options.data)
    seen = ", ".join(generator.names.seen) or "nothing"
    print(f"{options.half} half, seed {options.seed}, {options.batches} batches; from {options.data}: {seen}")
    judged = [each for _ in range(options.batches) for each in matched(generator.batch())]
    for each in judged if options.half == "development" else ():
        if each.outcome in options.show:
            show(each)
    score = Score(judged)
    report(score)
    options.build.mkdir(exist_ok=True)
    picture = options.build / f"matching-{options.half}.svg"
    title = f"{options.half} half, seed {options.seed}, {len(judged):,} essays"
    picture.write_text(reliability_curve(score.reliability, title), encoding="utf-8")
    print(f"reliability curve: {picture}")
    report_collected(Score([each for batch in collected(options.data, generator) for each in matched(batch)]))
    report_time(generator)
    return 0


def matched(batch: Batch) -> list[Judged]:
    """Every essay of a batch with its match."""
    roster = Roster(batch.students)
    titles = [f"{number}.txt" for number, _ in enumerate(batch.essays, start=1)]
    matches = roster.conclude([roster.look(essay.text) for essay in batch.essays], titles)
    return [Judged(essay, match) for essay, match in zip(batch.essays, matches, strict=True)]


def report(score: Score) -> None:
    """The figures, by style and together."""
    for title, kind in (("place", lambda e: e.place), ("form", lambda e: e.form), ("company", lambda e: e.company)):
        print(f"\n{title:32}" + "".join(f"{outcome:>11}" for outcome in Outcome))
        for name, counts in sorted(score.by(kind)):
            print(f"{name:32}" + "".join(f"{counts[outcome] or '·':>11}" for outcome in Outcome))
    print(f"\n{'confidence above':32}" + "".join(f"{above:>11}" for above in (0, 0.7, 0.9)))
    print(f"{'precision':32}" + "".join(f"{score.precision(above):11.4f}" for above in (0, 0.7, 0.9)))
    print(f"{'recall, where one is named':32}" + "".join(f"{score.recall(above):11.4f}" for above in (0, 0.7, 0.9)))
    print(f"{'wrong first suggestion':32}{score.wrong:11.4f}")
    print(f"{'equal candidates ambiguous':32}{score.equal_are_ambiguous:11.4f}")
    print(f"{'  where somebody is found':32}{score.equal_found_are_ambiguous:11.4f}")
    print(f"{'equal candidates, one chosen':32}{score.equal_are_decided:11.4f}")
    equal = ", ".join(f"{score.equal[outcome]} {outcome}" for outcome in Outcome if score.equal[outcome])
    print(f"{'equal candidates, essays':32}{equal:>11}")
    print(f"{'expected calibration error':32}{score.calibration_error:11.4f}   of {len(score.judged):,} essays")
    for confidence, right, count in score.reliability:
        print(f"    confidence {confidence:.3f}: right {right:.3f} of {count:,}")


def report_collected(score: Score) -> None:
    """The same in one line for essays that were not invented."""
    outcomes = ", ".join(f"{sum(j.outcome is outcome for j in score.judged)} {outcome}" for outcome in Outcome)
    print(f"collected essays, each in 20 classes: {outcomes}" if score.judged else "no collected essays there")


def report_time(generator: Generator) -> None:
    """CPU time of one essay in a class of 35, as it is and filled up to the longest that is accepted."""
    students = [person.as_student() for person in generator.inventor.school_class(CLASS_OF)]
    essays = [essay for _ in range(10) for essay in generator.batch().essays]
    for title, texts in (
        ("as they are", [essay.text for essay in essays]),
        (f"of {LONGEST:,} characters", [(essay.text * (LONGEST // len(essay.text) + 1))[:LONGEST] for essay in essays]),
    ):
        taken = sorted(milliseconds(Roster(students), texts))
        p99 = taken[int(len(taken) * 0.99)]
        print(f"ms of CPU per essay, {title}: median {statistics.median(taken):.2f}, p99 {p99:.2f}")


def milliseconds(roster: Roster, texts: list[str]) -> Iterator[float]:
    """How long each text takes."""
    for text in texts:
        start = time.process_time_ns()
        roster.match(text)
        yield (time.process_time_ns() - start) / 1e6


def show(judged: Judged) -> None:
    """What one needs to see why."""
    essay = judged.essay
    print(f"--- {judged.outcome} at {judged.confidence}, right would be {essay.right}")
    print(f"    {essay.place} / {essay.form} / {essay.company}")
    for each in judged.match.suggestions:
        mark = "*" if str(each.student_id) in essay.authors else " "
        print(f"  {mark} {each.student_name} {each.confidence_score}: {' '.join(each.match_reasons)}")
    lines = [line for line in essay.text.split("\n") if line.strip()]
    print("    " + "\n    ".join(line[:90] for line in [*lines[:6], "…", *lines[-3:]]))


if __name__ == "__main__":
    sys.exit(main())
