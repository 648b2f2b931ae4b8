"""The state machine engine: a machine is a complete table, and firing a trigger reads one cell of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum

from common_core.errors import DomainError


class Verdict(Enum):
    """What a cell says when it does not name the next state."""

    IGNORE = "ignore"  # Already true: nothing changes.
    DEFER = "defer"  # Too early: remembered, and fired again after the next move.
    REFUSE = "refuse"  # Wrong: whoever fired it is told so.


IGNORE, DEFER, REFUSE = Verdict.IGNORE, Verdict.DEFER, Verdict.REFUSE


class Refused(DomainError):
    """The state does not allow this trigger; nothing changed and nothing was said."""

    def __init__(self, trigger: str, state: str, possible_in: Sequence[str]) -> None:
        elsewhere = f"; it is in {', '.join(possible_in)}" if possible_in else ""
        super().__init__(f"{trigger} is not possible in state {state}{elsewhere}")


@dataclass(frozen=True)
class Move[S: StrEnum, T: StrEnum]:
    """One step from a state to the next, and the trigger that made it."""

    from_state: S
    to_state: S
    trigger: T


@dataclass(frozen=True)
class Fired[S: StrEnum, T: StrEnum]:
    """What firing a trigger led to: the state it ended in, the moves to record, and what is still deferred."""

    state: S
    moves: tuple[Move[S, T], ...]
    deferred: tuple[T, ...]


class StateMachine[S: StrEnum, T: StrEnum]:
    """A complete table: one row per state, the initial one first, with one cell per trigger."""

    def __init__(self, states: type[S], columns: Sequence[T], rows: Mapping[S, Sequence[S | Verdict]]) -> None:
        _check(states, columns, rows)
        self.table = {state: dict(zip(columns, row, strict=True)) for state, row in rows.items()}
        self.initial = next(iter(self.table))

    def but(self, state: S, trigger: T, cell: S | Verdict) -> "StateMachine[S, T]":
        """The same machine with one cell changed."""
        columns = tuple(self.table[state])
        table = {**self.table, state: {**self.table[state], trigger: cell}}
        return StateMachine(type(state), columns, {s: [row[t] for t in columns] for s, row in table.items()})

    def fire(self, state: S, trigger: T, deferred: Sequence[T] = ()) -> Fired[S, T]:
        """Fire a trigger and, after each move, the deferred ones, oldest first, until nothing moves; raises Refused."""
        match self.table[state][trigger]:
            case Verdict.REFUSE:
                possible_in = [s for s, row in self.table.items() if not isinstance(row[trigger], Verdict)]
                raise Refused(trigger, state, possible_in)
            case Verdict.IGNORE:
                return Fired(state, (), tuple(deferred))
            case Verdict.DEFER:
                return Fired(state, (), tuple(dict.fromkeys((*deferred, trigger))))
            case target:
                after = self._release(target, deferred)
                return Fired(after.state, (Move(state, target, trigger), *after.moves), after.deferred)

    def _release(self, state: S, deferred: Sequence[T]) -> Fired[S, T]:
        # A deferred trigger that is refused by now is forgotten like an ignored one: whoever fired it was answered
        # long ago, and the message that made this move must not fail for it.
        row = self.table[state]
        waiting = [trigger for trigger in deferred if row[trigger] not in (IGNORE, REFUSE)]
        for trigger in waiting:
            if row[trigger] is not DEFER:
                return self.fire(state, trigger, [other for other in waiting if other != trigger])
        return Fired(state, (), tuple(waiting))


def _check[S: StrEnum, T: StrEnum](
    states: type[S], columns: Sequence[T], rows: Mapping[S, Sequence[S | Verdict]]
) -> None:
    """Raise TypeError, naming the cells, when a table has a gap or a word of another machine."""
    triggers = type(columns[0])
    # By type and not by value: members of two StrEnums are equal when their texts are.
    foreign = [str(state) for state in rows if type(state) is not states]
    foreign += [str(trigger) for trigger in columns if type(trigger) is not triggers]
    foreign += [str(cell) for row in rows.values() for cell in row if type(cell) not in (states, Verdict)]
    surplus = [str(trigger) for trigger in triggers if columns.count(trigger) > 1]
    surplus += [str(state) for state, row in rows.items() if len(row) > len(columns)]
    filled = {(state, trigger) for state, row in rows.items() for trigger, _ in zip(columns, row, strict=False)}
    missing = [f"{state} × {trigger}" for state in states for trigger in triggers if (state, trigger) not in filled]
    for problem, where in (("foreign words", foreign), ("too many cells for", surplus), ("no cell for", missing)):
        if where:
            raise TypeError(f"the state machine of {states.__name__} has {problem}: {', '.join(where)}")
