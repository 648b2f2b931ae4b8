"""What a run is asked to do: `python -m tests.chaos SEED=1 KILLS=1000`."""

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace


@dataclass(frozen=True)
class Options:
    """One run; the same seed makes the same choices, though not the same timing."""

    seed: int = 1
    kills: int = 1_000
    """How many times a service is killed with SIGKILL, at random moments and at failpoints."""
    batches: int = 0
    """How many batches are begun at least; without faults, when all kills are done before."""
    round: int = 1
    """Which part of a long run this is; each has a system of its own."""
    kills_per_round: int = 500
    peaceful: int = 14
    """How many of the kills come one by one, before the storm, for the figures of an undisturbed recovery."""
    steady: float = 4.0
    """Batches a second of steady work."""
    calm: float = 8.0
    """Seconds of steady work before the first fault, which tell what the rate should be."""
    teachers: int = 6
    """How many batches are worked on at the same time."""
    pace: float = 1.2
    """Seconds between two kills, on the average."""
    freeze: float = 12.0
    """Seconds a frozen process stands still; every fifth time 30."""
    sabotage: str = ""
    """A guarantee that is broken on purpose (see sabotage.py)."""
    resume: str = ""
    """The folder of a run that was interrupted, to go on with it."""
    patience: float = 180.0
    """Seconds the system gets to become quiet when all faults are over."""

    @classmethod
    def read(cls, arguments: Sequence[str]) -> "Options":
        """Options from NAME=value; ends the program with a sentence for what it does not know."""
        kinds: dict[str, type[int | float | str]] = {name: type(value) for name, value in asdict(cls()).items()}
        values: dict[str, int | float | str] = {}
        for argument in arguments:
            name, separator, value = argument.partition("=")
            if not separator or name.lower() not in kinds:
                sys.exit(f"{argument}: not one of {', '.join(f'{each.upper()}=' for each in kinds)}")
            if value:
                values[name.lower()] = kinds[name.lower()](value)
        return replace(cls(), **values)  # type: ignore[arg-type]  # each value has its field's own type
