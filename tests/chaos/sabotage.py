"""Guarantees broken on purpose inside a service's process (see nursery.py), to see that the checker notices."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.chaos import broken


@dataclass(frozen=True)
class Sabotage:
    """One broken guarantee, the check that must see it, and what makes it show sooner."""

    breaks: Callable[[], None]
    seen_by: str
    env: Mapping[str, str] = field(default_factory=dict)
    failpoints: str = ""
    """Armed in every process that is started again, instead of the seed's choice."""
    kills: int = 0
    """How many deaths it takes until it shows."""


SABOTAGES: dict[str, Sabotage] = {
    "new-ids": Sabotage(broken.new_ids, "committed"),
    "new-times": Sabotage(broken.new_times, "one content", failpoints="relay.after_produce=kill:0.05", kills=12),
    "any-order": Sabotage(broken.any_order, "order"),
    "delete-first": Sabotage(broken.delete_first, "published"),
    "say-before-commit": Sabotage(broken.say_before_commit, "committed"),
    "other-causes": Sabotage(broken.other_causes, "causes"),
    "no-inbox": Sabotage(broken.no_inbox, "dead letters"),
    "offsets-first": Sabotage(broken.offsets_first, "taken in"),
    "overtaking": Sabotage(broken.overtaking, "upload order"),
    "lost-parked": Sabotage(broken.lost_parked, "end state"),
    "no-row-lock": Sabotage(broken.no_row_lock, "effects once"),
    "timers-stay": Sabotage(broken.timers_stay, "nothing left"),
    "no-idempotency": Sabotage(broken.no_idempotency, "answers"),
    "no-patience": Sabotage(
        broken.nothing_more,
        "dead letters",
        env={"SCRIPTORIUM_FAILING_ATTEMPTS": "1"},
        failpoints="unit_of_work.before_commit=raise:0.1",
        kills=10,
    ),
    "lost-files": Sabotage(lambda: broken.answer_without_commit("POST", "/files", 0.3), "files"),
    "lost-decisions": Sabotage(lambda: broken.answer_without_commit("PUT", "/student-associations/", 0.8), "decisions"),
    "other-slot": Sabotage(broken.other_slot, "slots"),
    "short-history": Sabotage(broken.short_history, "history"),
}
