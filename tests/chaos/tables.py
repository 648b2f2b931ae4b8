"""A report for people: on the terminal (100 columns), and as Markdown for docs/guarantees.md."""

from collections.abc import Mapping, Sequence
from statistics import median

from tests.chaos.recovery import Seconds
from tests.chaos.report import Report

MOST_SHOWN = 8


def text(report: Report) -> str:
    """For the terminal."""
    quiet = f"{report.not_quiet} of them never quiet" if report.not_quiet else "quiet after each"
    lines = [f"seed {report.seed}: {report.kills} kills in {report.seconds:.0f} s, rounds: {report.rounds}, {quiet}"]
    for title, counts in (
        ("faults", report.faults),
        ("deaths at failpoints", report.failpoints),
        ("dead letters", report.operator),
        ("batches", report.batches),
    ):
        lines += ["", title, *(f"  {count:6}  {name}" for name, count in counts.items())]
    lines += [f"  {len(report.given_up):6}  given up by their teacher"]
    lines += [f"          {each[:88]}" for each in report.given_up[:MOST_SHOWN]]
    rates = ", ".join(f"{each:.0f}" for each in report.steady_rates)
    lines += ["", f"{report.events} events in {report.records} records; steady work before the first fault: {rates}/s"]
    for title, found in _recoveries(report).items():
        lines += ["", title, *(f"  {_line(seconds)}  {kind}" for kind, seconds in found.items())]
    lines += ["", "violations"]
    for check, sentences in report.violations.items():
        lines += [f"  {len(sentences):6}  {check}", *(f"          {each[:88]}" for each in sentences[:MOST_SHOWN])]
    return "\n".join(lines)


def markdown(report: Report) -> str:
    """For docs/guarantees.md."""
    violated = sum(len(each) for each in report.violations.values())
    figures = [report.seed, report.kills, report.other_faults, sum(report.batches.values()), report.events]
    figures += [report.records, violated]
    head = ["seed", "kills", "other faults", "batches", "events", "records", "violations", "minutes"]
    lines = _table(head, [[*(f"{each:,}" for each in figures), f"{report.seconds / 60:.0f}"]])
    rows = [
        [f"{title}: {kind}", str(len(seconds)), *_spread(seconds)]
        for title, found in _recoveries(report).items()
        for kind, seconds in found.items()
    ]
    lines += ["", *_table(["seconds until", "n", "median", "p90", "most"], rows)]
    lines += ["", *_table(["failpoint", "deaths"], [[f"`{each}`", str(n)] for each, n in report.failpoints.items()])]
    return "\n".join(lines) + "\n"


def _recoveries(report: Report) -> Mapping[str, Seconds]:
    return {
        "ready again": report.ready_seconds,
        "90 % of the rate again": report.rate_seconds,
        "a relay leads again": report.takeover_seconds,
    }


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(each)} |" for each in (head, ["---"] * len(head), *rows)]


def _line(seconds: Sequence[float]) -> str:
    middle, most_of_them, most = _spread(seconds)
    return f"median {middle:>5} s, p90 {most_of_them:>5} s, max {most:>5} s, n={len(seconds):<5}"


def _spread(seconds: Sequence[float]) -> tuple[str, str, str]:
    ordered = sorted(seconds)
    return f"{median(ordered):.2f}", f"{ordered[int(len(ordered) * 0.9)]:.2f}", f"{ordered[-1]:.2f}"
