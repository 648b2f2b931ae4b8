"""The independent checker: what the topics, the databases and the journal say must fit together.

It knows `interfaces.md` and none of the services' code. Every check returns one sentence per violation.
"""

from collections.abc import Callable

from tests.chaos import effects, ends, log
from tests.chaos.evidence import Evidence

CHECKS: dict[str, Callable[[Evidence], list[str]]] = {
    "published": log.everything_committed_is_published,
    "committed": log.nothing_else_is_published,
    "one content": log.one_id_is_one_content,
    "order": log.first_publications_are_in_recorded_order,
    "causes": log.every_cause_was_said,
    "taken in": log.every_message_is_in_the_inbox,
    "effects once": effects.every_effect_once,
    "slots": effects.slots_agree_with_what_was_said,
    "upload order": effects.slots_are_taken_in_upload_order,
    "files": effects.every_accepted_file_is_decided,
    "decisions": effects.answered_decisions_stand,
    "answers": lambda evidence: evidence.journal.wrong_answers,
    "end state": ends.every_batch_is_in_its_end_state,
    "history": ends.every_batch_came_its_way,
    "nothing left": ends.nothing_is_left_over,
    "dead letters": ends.only_what_was_provoked_is_dead,
}


def violations(evidence: Evidence) -> dict[str, list[str]]:
    """What each check found."""
    return {name: check(evidence) for name, check in CHECKS.items()}
