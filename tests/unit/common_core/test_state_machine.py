"""The engine, with a small machine that knows every kind of cell: a letter on its way."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

import pytest
from common_core.errors import DomainError
from common_core.state_machine import DEFER, IGNORE, REFUSE, Fired, Move, Refused, StateMachine, Verdict


class Letter(StrEnum):
    WRITTEN = "written"
    SENT = "sent"
    READ = "read"
    ANSWERED = "answered"


class Happening(StrEnum):
    POSTED = "posted"
    OPENED = "opened"
    REPLIED = "replied"
    RECALLED = "recalled"


class Parcel(StrEnum):
    """Another machine's words that look the same."""

    WRITTEN = "written"
    POSTED = "posted"


L, H = Letter, Happening
COLUMNS = (H.POSTED, H.OPENED, H.REPLIED, H.RECALLED)
ROWS: dict[Letter, tuple[Letter | Verdict, ...]] = {
    L.WRITTEN: (L.SENT, DEFER, DEFER, DEFER),
    L.SENT: (IGNORE, L.READ, DEFER, DEFER),
    L.READ: (IGNORE, IGNORE, L.ANSWERED, REFUSE),
    L.ANSWERED: (IGNORE, IGNORE, IGNORE, REFUSE),
}
MACHINE = StateMachine(Letter, COLUMNS, ROWS)


def test_a_move_says_from_where_to_where_and_why() -> None:
    assert MACHINE.fire(L.WRITTEN, H.POSTED) == Fired(L.SENT, (Move(L.WRITTEN, L.SENT, H.POSTED),), ())


def test_an_ignored_trigger_changes_nothing_and_keeps_what_is_deferred() -> None:
    assert MACHINE.fire(L.SENT, H.POSTED, (H.REPLIED,)) == Fired(L.SENT, (), (H.REPLIED,))


def test_a_deferred_trigger_is_remembered_behind_the_others() -> None:
    assert MACHINE.fire(L.WRITTEN, H.OPENED, (H.REPLIED,)) == Fired(L.WRITTEN, (), (H.REPLIED, H.OPENED))


def test_a_repeated_deferred_trigger_is_remembered_once() -> None:
    assert MACHINE.fire(L.WRITTEN, H.REPLIED, (H.REPLIED, H.OPENED)) == Fired(L.WRITTEN, (), (H.REPLIED, H.OPENED))


def test_a_refused_trigger_says_where_it_would_be_possible() -> None:
    with pytest.raises(Refused) as refusal:
        StateMachine(Letter, COLUMNS, {**ROWS, L.ANSWERED: (REFUSE, IGNORE, IGNORE, REFUSE)}).fire(L.ANSWERED, H.POSTED)
    assert str(refusal.value) == "posted is not possible in state answered; it is in written"
    assert isinstance(refusal.value, DomainError)


def test_a_refused_trigger_that_is_possible_nowhere_promises_nothing() -> None:
    with pytest.raises(Refused, match=r"^recalled is not possible in state read$"):
        MACHINE.fire(L.READ, H.RECALLED)


@pytest.mark.parametrize("deferred", [(H.OPENED, H.REPLIED), (H.REPLIED, H.OPENED)])
def test_one_move_releases_all_that_can_follow(deferred: tuple[Happening, ...]) -> None:
    fired = MACHINE.fire(L.WRITTEN, H.POSTED, deferred)
    assert [move.to_state for move in fired.moves] == [L.SENT, L.READ, L.ANSWERED]
    assert [move.trigger for move in fired.moves] == [H.POSTED, H.OPENED, H.REPLIED]
    assert fired.deferred == ()


def test_the_oldest_deferred_trigger_fires_first() -> None:
    fork = MACHINE.but(L.SENT, H.RECALLED, L.WRITTEN).but(L.WRITTEN, H.OPENED, DEFER)
    assert fork.fire(L.WRITTEN, H.POSTED, (H.OPENED, H.RECALLED)).moves[1].trigger is H.OPENED
    assert fork.fire(L.WRITTEN, H.POSTED, (H.RECALLED, H.OPENED)).moves[1].trigger is H.RECALLED


def test_what_still_comes_too_early_stays_deferred() -> None:
    assert MACHINE.fire(L.WRITTEN, H.POSTED, (H.REPLIED,)).deferred == (H.REPLIED,)


def test_a_deferred_trigger_that_has_become_true_is_forgotten() -> None:
    skipping = MACHINE.but(L.WRITTEN, H.POSTED, L.READ)
    assert skipping.fire(L.WRITTEN, H.POSTED, (H.OPENED,)) == Fired(L.READ, (Move(L.WRITTEN, L.READ, H.POSTED),), ())


def test_a_deferred_trigger_ignored_on_the_way_does_not_come_back() -> None:
    winding = MACHINE.but(L.SENT, H.RECALLED, IGNORE).but(L.READ, H.RECALLED, L.WRITTEN)
    fired = winding.fire(L.WRITTEN, H.POSTED, (H.RECALLED, H.OPENED))
    assert (fired.state, fired.deferred) == (L.READ, ())


def test_a_deferred_trigger_that_would_be_refused_is_forgotten_and_blocks_nobody() -> None:
    fired = MACHINE.fire(L.WRITTEN, H.POSTED, (H.RECALLED, H.OPENED))
    assert (fired.state, fired.deferred) == (L.READ, ())


def test_one_cell_can_differ_without_touching_the_first_machine() -> None:
    other = MACHINE.but(L.WRITTEN, H.POSTED, L.ANSWERED)
    assert other.table[L.WRITTEN][H.POSTED] is L.ANSWERED
    assert MACHINE.table[L.WRITTEN][H.POSTED] is L.SENT
    assert {s: {**row, H.POSTED: None} for s, row in other.table.items()} == {
        s: {**row, H.POSTED: None} for s, row in MACHINE.table.items()
    }


def test_the_first_row_is_the_initial_state() -> None:
    assert MACHINE.initial is L.WRITTEN


def test_a_table_without_a_state_names_its_missing_cells() -> None:
    rows = dict(ROWS)
    del rows[L.READ]
    with pytest.raises(TypeError, match="Letter has no cell for: read × posted, read × opened, read × replied"):
        StateMachine(Letter, COLUMNS, rows)


def test_a_table_with_a_short_row_names_its_missing_cells() -> None:
    with pytest.raises(TypeError, match=r"no cell for: sent × recalled$"):
        StateMachine(Letter, COLUMNS, {**ROWS, L.SENT: (IGNORE, L.READ, DEFER)})


def test_a_table_without_a_trigger_names_its_missing_cells() -> None:
    rows = {state: row[:3] for state, row in ROWS.items()}
    with pytest.raises(TypeError, match="written × recalled, sent × recalled, read × recalled, answered × recalled"):
        StateMachine(Letter, COLUMNS[:3], rows)


def test_an_empty_table_is_incomplete() -> None:
    with pytest.raises(TypeError, match="no cell for: written × posted"):
        StateMachine(Letter, COLUMNS, {})


def test_a_row_longer_than_the_head_is_refused() -> None:
    with pytest.raises(TypeError, match="too many cells for: sent"):
        StateMachine(Letter, COLUMNS, {**ROWS, L.SENT: (IGNORE, L.READ, DEFER, DEFER, IGNORE)})


def test_a_trigger_with_two_columns_is_refused() -> None:
    with pytest.raises(TypeError, match="too many cells for: posted"):
        StateMachine(Letter, (*COLUMNS, H.POSTED), {state: (*row, IGNORE) for state, row in ROWS.items()})


@pytest.mark.parametrize(
    ("columns", "rows", "foreign"),
    [
        (COLUMNS, {**ROWS, L.SENT: (IGNORE, Parcel.WRITTEN, DEFER, DEFER)}, "written"),
        (COLUMNS, {Parcel.WRITTEN: ROWS[L.WRITTEN], L.SENT: ROWS[L.SENT]}, "written"),
        ((*COLUMNS[:3], Parcel.POSTED), ROWS, "posted"),
    ],
    ids=["cell", "state", "trigger"],
)
def test_a_word_of_another_machine_is_refused_even_if_it_looks_the_same(
    columns: Sequence[StrEnum], rows: Mapping[StrEnum, Sequence[StrEnum | Verdict]], foreign: str
) -> None:
    with pytest.raises(TypeError, match=f"foreign words: {foreign}"):
        StateMachine[StrEnum, StrEnum](Letter, columns, rows)
