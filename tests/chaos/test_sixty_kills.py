"""Nothing lost, nothing doubled, nothing out of order, whatever dies: a short seeded run of `make chaos`."""

from pathlib import Path

from tests.chaos.driver import run
from tests.chaos.options import Options

SHORT = Options(seed=7, kills=60, teachers=5, pace=0.8, freeze=8.0, patience=90.0)


async def test_sixty_kills_violate_nothing(tmp_path: Path) -> None:
    report = await run(SHORT, tmp_path)

    assert report.kills >= 60
    assert {check: found for check, found in report.violations.items() if found} == {}, report.text()
    assert report.quiet_after is not None, report.text()
    assert sum(report.batches.values()) >= 10
