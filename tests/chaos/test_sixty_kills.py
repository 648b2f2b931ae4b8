"""Nothing lost, nothing doubled, nothing out of order, whatever dies: a short seeded run of `make chaos`."""

from pathlib import Path

from tests.chaos import tables
from tests.chaos.driver import run
from tests.chaos.options import Options

SHORT = Options(seed=7, kills=60, peaceful=0, calm=3.0, steady=2.0, teachers=4, pace=0.5, freeze=7.0, patience=90.0)


async def test_sixty_kills_violate_nothing(tmp_path: Path) -> None:
    report = await run(SHORT, tmp_path)

    assert report.kills >= 60
    assert {check: found for check, found in report.violations.items() if found} == {}, tables.text(report)
    assert not report.not_quiet, tables.text(report)
    assert sum(report.batches.values()) >= 10
