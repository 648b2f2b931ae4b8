"""Messages a second by micro-batch size: the orchestrator's confirmed handler, measured as in `consumer`."""

import argparse
from dataclasses import replace

from benchmarks import figures
from benchmarks.speed.consumer import ALONE, OURS, rounds
from benchmarks.speed.stage import measured, servers

TABLE = "Messages a second by micro-batch size"
SIZES = (50, 200, 500, 1_000)


async def main(runs: int) -> None:
    report = figures.Report("batch")
    variants = [ALONE, *(replace(OURS, name=f"micro-batch {size}", micro_batch=size) for size in SIZES)]
    async with servers() as parts:
        rates = await rounds(parts, variants, runs)
    for variant, found in rates.items():
        report.row(TABLE, {"micro-batch": variant.micro_batch, **figures.rates(found)})
    report.finish()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    measured(main(parser.parse_args().runs))
