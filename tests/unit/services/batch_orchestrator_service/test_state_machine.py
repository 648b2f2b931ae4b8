"""The batch's table, cell by cell, and every order in which the world may speak to it."""

from collections import Counter
from collections.abc import Iterator
from itertools import permutations, product

import pytest
from common_core.state_machine import Fired, Refused, StateMachine
from common_core.status_enums import BatchStatus

from services.batch_orchestrator_service.state_machine import GUEST, REGULAR, BatchTrigger

type Machine = StateMachine[BatchStatus, BatchTrigger]

# Written from the specification, not from the code.
EXPECTED = """
| state                        | content_completed           | associations_confirmed       | essays_ready                 | content_failed           | cancel    |
| awaiting_content_validation  | awaiting_student_validation | defer                        | defer                        | content_ingestion_failed | cancelled |
| awaiting_student_validation  | ignore                      | student_validation_completed | defer                        | refuse                   | cancelled |
| student_validation_completed | ignore                      | ignore                       | ready_for_pipeline_execution | refuse                   | cancelled |
| ready_for_pipeline_execution | ignore                      | ignore                       | ignore                       | refuse                   | refuse    |
| content_ingestion_failed     | ignore                      | ignore                       | ignore                       | ignore                   | ignore    |
| cancelled                    | ignore                      | ignore                       | ignore                       | ignore                   | ignore    |
"""  # noqa: E501  A table is read row by row.

HEAD, *ROWS = (line.replace("|", " ").split() for line in EXPECTED.strip().splitlines())
CELLS = [(row[0], trigger, cell) for row in ROWS for trigger, cell in zip(HEAD[1:], row[1:], strict=True)]
FIRST_CELL = ("awaiting_content_validation", "content_completed")
GUEST_CELLS = [(s, t, "ready_for_pipeline_execution" if (s, t) == FIRST_CELL else cell) for s, t, cell in CELLS]

FULL_HISTORY = [
    ("awaiting_content_validation", "awaiting_student_validation", "content_completed"),
    ("awaiting_student_validation", "student_validation_completed", "associations_confirmed"),
    ("student_validation_completed", "ready_for_pipeline_execution", "essays_ready"),
]
THREE = (BatchTrigger.CONTENT_COMPLETED, BatchTrigger.ASSOCIATIONS_CONFIRMED, BatchTrigger.ESSAYS_READY)


def fire_all(
    machine: Machine, *triggers: BatchTrigger
) -> tuple[Fired[BatchStatus, BatchTrigger], list[tuple[str, ...]]]:
    """Fire one trigger after the other, as an aggregate would; what it ended in and the whole history."""
    now: Fired[BatchStatus, BatchTrigger] = Fired(machine.initial, (), ())
    history: list[tuple[str, ...]] = []
    for trigger in triggers:
        now = machine.fire(now.state, trigger, now.deferred)
        history += [(str(m.from_state), str(m.to_state), str(m.trigger)) for m in now.moves]
    return now, history


def assert_cell(machine: Machine, state: str, trigger: str, cell: str) -> None:
    source, cause = BatchStatus(state), BatchTrigger(trigger)
    if cell == "refuse":
        with pytest.raises(Refused, match=f"{trigger} is not possible in state {state}"):
            machine.fire(source, cause)
        return
    fired = machine.fire(source, cause)
    moved = cell not in ("ignore", "defer")
    assert fired.state == (cell if moved else state)
    assert [(m.from_state, m.to_state, m.trigger) for m in fired.moves] == ([(state, cell, trigger)] if moved else [])
    assert fired.deferred == ((cause,) if cell == "defer" else ())


def test_the_expectation_speaks_about_every_state_and_trigger() -> None:
    assert {(s, t) for s, t, _ in CELLS} == {(str(s), str(t)) for s, t in product(BatchStatus, BatchTrigger)}


@pytest.mark.parametrize(("state", "trigger", "cell"), CELLS)
def test_a_regular_batch_answers_as_specified(state: str, trigger: str, cell: str) -> None:
    assert_cell(REGULAR, state, trigger, cell)


@pytest.mark.parametrize(("state", "trigger", "cell"), GUEST_CELLS)
def test_a_guest_batch_answers_as_specified(state: str, trigger: str, cell: str) -> None:
    assert_cell(GUEST, state, trigger, cell)


def test_every_batch_starts_awaiting_its_content() -> None:
    assert REGULAR.initial is GUEST.initial is BatchStatus.AWAITING_CONTENT_VALIDATION


def orders(left: Counter[BatchTrigger]) -> Iterator[tuple[BatchTrigger, ...]]:
    """Every distinct order of these triggers, each as often as it is counted."""
    if not left.total():
        yield ()
    for trigger in +left:
        yield from ((trigger, *rest) for rest in orders(left - Counter([trigger])))


@pytest.mark.parametrize("times", list(product((1, 2, 3), repeat=3)), ids=str)
def test_any_order_with_any_repetition_ends_ready_once_with_the_whole_history(times: tuple[int, ...]) -> None:
    for order in orders(Counter(dict(zip(THREE, times, strict=True)))):
        end, history = fire_all(REGULAR, *order)
        assert (end.state, history, end.deferred) == (BatchStatus.READY_FOR_PIPELINE_EXECUTION, FULL_HISTORY, ()), order


@pytest.mark.parametrize("order", list(permutations(THREE)), ids=" ".join)
def test_a_regular_batch_is_not_ready_before_it_has_heard_all_three(order: tuple[BatchTrigger, ...]) -> None:
    for missing in THREE:
        end, _ = fire_all(REGULAR, *(trigger for trigger in order if trigger is not missing))
        assert end.state is not BatchStatus.READY_FOR_PIPELINE_EXECUTION


@pytest.mark.parametrize("order", list(permutations(THREE)), ids=" ".join)
def test_a_guest_batch_is_ready_as_soon_as_its_content_is_complete(order: tuple[BatchTrigger, ...]) -> None:
    end, history = fire_all(GUEST, *order)
    assert (end.state, end.deferred) == (BatchStatus.READY_FOR_PIPELINE_EXECUTION, ())
    assert history == [("awaiting_content_validation", "ready_for_pipeline_execution", "content_completed")]


@pytest.mark.parametrize("end", [BatchTrigger.CANCEL, BatchTrigger.CONTENT_FAILED])
@pytest.mark.parametrize("machine", [REGULAR, GUEST], ids=["regular", "guest"])
def test_a_batch_that_ends_early_forgets_what_it_deferred_and_stays_ended(machine: Machine, end: BatchTrigger) -> None:
    now, _ = fire_all(machine, BatchTrigger.ESSAYS_READY, BatchTrigger.ASSOCIATIONS_CONFIRMED, end)
    ended = now.state
    assert now.deferred == ()
    for trigger in BatchTrigger:
        assert machine.fire(ended, trigger) == Fired(ended, (), ())
