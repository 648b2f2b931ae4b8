"""What makes figures of runs: a run that went wrong has none, and takes nobody else's away."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks import figures
from benchmarks.speed import __main__ as bench
from benchmarks.speed.flames import flames
from benchmarks.speed.profile import read, shares
from benchmarks.speed.stage import Run, rounds


@dataclass(frozen=True)
class Variant:
    name: str


GOOD, WRONG = Variant("good"), Variant("wrong")


async def test_a_variant_whose_data_is_wrong_has_no_figure_and_the_others_keep_theirs() -> None:
    asked: list[Variant] = []

    async def one_run(variant: Variant) -> Run:
        asked.append(variant)
        figures.check("effects", asked.count(WRONG) if variant is WRONG else 1, 1)
        return Run(per_second=7, microseconds=1)

    found, failed = await rounds([GOOD, WRONG], 3, one_run)
    assert [run.per_second for run in found[GOOD]] == [7, 7, 7]
    assert asked.count(WRONG) == 2
    assert WRONG not in found
    assert failed == ["wrong: effects: 2 instead of 1"]
    with pytest.raises(figures.WrongData, match="No figure of wrong: effects: 2 instead of 1"):
        figures.complete(failed)


def test_a_part_that_is_measured_anew_leaves_the_others_their_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "FOLDER", tmp_path)
    monkeypatch.setattr(bench, "TOGETHER", tmp_path / "bench.json")
    for name, rate in (("relay", 1), ("latency", 2)):
        report = {"machine": {"processors": name}, "tables": {"rates": [{"median /s": rate}]}}
        (tmp_path / f"{name}.json").write_text(json.dumps(report), encoding="utf-8")
    bench.put_together(8.5)
    (tmp_path / "latency.json").unlink()
    bench.put_together(None)
    together = json.loads((tmp_path / "bench.json").read_text(encoding="utf-8"))
    assert together == {
        "machine": {"processors": "relay"},
        "minutes": 8.5,
        "parts": {"relay": {"rates": [{"median /s": 1}]}},
    }


def test_the_time_of_a_stack_belongs_to_the_first_part_that_fits_without_the_frames_of_the_loop() -> None:
    loop = "<module> (<string>:1);Server.run (uvicorn/server.py:1)"
    stacks = read(
        [
            f"{loop};decide (service_runtime/delivery.py:1);confirmed (services/a/handlers.py:1) 30",
            f"{loop};decide (service_runtime/delivery.py:1) 10",
            f"{loop} 60",
        ]
    )
    assert shares(stacks) == {
        "event loop": 60,
        "deciding: the handler and its state machine": 30,
        "the rest of the runtime": 10,
    }
    picture = flames("title", stacks)
    assert "decide (service_runtime/delivery.py:1): 40.0 %" in picture
    assert "uvicorn" not in picture
