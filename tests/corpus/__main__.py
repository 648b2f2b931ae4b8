"""`python -m tests.corpus SEED=1 EACH=2000`: malformed files through the sandbox, and what became of them."""

import asyncio
import sys
from collections import Counter
from itertools import chain

from tests.corpus.judge import MEGABYTES, SECONDS, Verdict, all_traps, corpus, verdicts


def main() -> int:
    """Judge them all; 0 when no file did harm."""
    options = dict(argument.split("=", 1) for argument in sys.argv[1:])
    found = asyncio.run(_all(int(options.get("SEED") or 1), int(options.get("EACH") or 2_000)))
    sys.stdout.write(_report(found))
    return 0 if all(verdict.is_allowed for verdict in found) else 1


async def _all(seed: int, of_each_kind: int) -> list[Verdict]:
    return [verdict async for verdict in verdicts(chain(all_traps(), corpus(seed, of_each_kind)))]


def _report(found: list[Verdict]) -> str:
    kinds = list(dict.fromkeys(verdict.kind for verdict in found))
    lines = [f"{len(found):,} files"]
    for kind in kinds:
        outcomes = Counter(verdict.outcome for verdict in found if verdict.kind == kind)
        lines += [f"{kind}", *(f"  {count:6,}  {outcome}" for outcome, count in outcomes.most_common())]
    slowest, largest = max(found, key=lambda each: each.seconds), max(found, key=lambda each: each.megabytes)
    lines.append(f"slowest: {slowest.name}, {slowest.seconds:.2f} s of the processor ({SECONDS} allowed)")
    lines.append(f"largest: {largest.name}, {largest.megabytes:.0f} MB ({MEGABYTES} allowed)")
    lines += [f"NOT ALLOWED: {verdict}" for verdict in found if not verdict.is_allowed]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.exit(main())
