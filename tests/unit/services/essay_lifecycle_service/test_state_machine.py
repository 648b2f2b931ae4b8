"""The table of a batch's content, cell by cell."""

from itertools import product

import pytest
from common_core.state_machine import Fired, Move, Refused

from services.essay_lifecycle_service.state_machine import CONTENT, ContentState, ContentTrigger

# Written from the specification, not from the code: closing a completed batch changes nothing, a cancelled one refuses,
# a cancel that a completion crosses on its way still counts.
EXPECTED = """
| state     | complete  | close     | cancel    |
| open      | completed | completed | cancelled |
| completed | ignore    | ignore    | cancelled |
| cancelled | ignore    | refuse    | ignore    |
"""

HEAD, *ROWS = (line.replace("|", " ").split() for line in EXPECTED.strip().splitlines())
CELLS = [(row[0], trigger, cell) for row in ROWS for trigger, cell in zip(HEAD[1:], row[1:], strict=True)]


def test_the_expectation_speaks_about_every_state_and_trigger() -> None:
    assert {(s, t) for s, t, _ in CELLS} == {(str(s), str(t)) for s, t in product(ContentState, ContentTrigger)}


@pytest.mark.parametrize(("state", "trigger", "cell"), CELLS)
def test_the_content_of_a_batch_answers_as_specified(state: str, trigger: str, cell: str) -> None:
    source, cause = ContentState(state), ContentTrigger(trigger)
    if cell == "refuse":
        with pytest.raises(Refused, match=f"{trigger} is not possible in state {state}"):
            CONTENT.fire(source, cause)
        return
    fired = CONTENT.fire(source, cause)
    if cell == "ignore":
        assert fired == Fired(source, (), ())
    else:
        assert fired == Fired(ContentState(cell), (Move(source, ContentState(cell), cause),), ())


def test_a_batch_starts_open() -> None:
    assert CONTENT.initial is ContentState.OPEN
