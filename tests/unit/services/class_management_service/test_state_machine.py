"""The table of a validation, cell by cell."""

from itertools import product

import pytest
from common_core.state_machine import Fired, Move, Refused

from services.class_management_service.state_machine import VALIDATION, ValidationStatus, ValidationTrigger

# Written from the specification, not from the code: the teacher is asked once, teacher and deadline give one result,
# what is confirmed or cancelled stays so.
EXPECTED = """
| state     | suggest | confirm   | deadline  | cancel    |
| expected  | open    | refuse    | ignore    | cancelled |
| open      | ignore  | confirmed | confirmed | cancelled |
| confirmed | ignore  | refuse    | ignore    | ignore    |
| cancelled | ignore  | refuse    | ignore    | ignore    |
"""

HEAD, *ROWS = (line.replace("|", " ").split() for line in EXPECTED.strip().splitlines())
CELLS = [(row[0], trigger, cell) for row in ROWS for trigger, cell in zip(HEAD[1:], row[1:], strict=True)]


def test_the_expectation_speaks_about_every_state_and_trigger() -> None:
    assert {(s, t) for s, t, _ in CELLS} == {(str(s), str(t)) for s, t in product(ValidationStatus, ValidationTrigger)}


@pytest.mark.parametrize(("state", "trigger", "cell"), CELLS)
def test_a_validation_answers_as_specified(state: str, trigger: str, cell: str) -> None:
    source, cause = ValidationStatus(state), ValidationTrigger(trigger)
    if cell == "refuse":
        with pytest.raises(Refused, match=f"{trigger} is not possible in state {state}"):
            VALIDATION.fire(source, cause)
        return
    fired = VALIDATION.fire(source, cause)
    if cell == "ignore":
        assert fired == Fired(source, (), ())
    else:
        assert fired == Fired(ValidationStatus(cell), (Move(source, ValidationStatus(cell), cause),), ())


def test_a_validation_starts_expected() -> None:
    assert VALIDATION.initial is ValidationStatus.EXPECTED
