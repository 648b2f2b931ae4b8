"""Why a student is suggested, in sentences for the teacher who decides."""

from collections.abc import Sequence

from services.student_matching_service.identities import Mention
from services.student_matching_service.likeness import Likeness


def reasons(
    name: str, supports: Sequence[tuple[Mention, Likeness]], against: Sequence[Mention], rivals: Sequence[str]
) -> tuple[str, ...]:
    """What speaks for the student, surest first, then what speaks against."""
    sentences = [f"{_says(mention)}; this matches {name} {like.how}" for mention, like in supports]
    sentences[0] += f"; {_about(rivals)}"
    sentences += [f"{_says(mention)}, which does not fit {name}" for mention in against]
    return tuple(f"{sentence}." for sentence in sentences)


def _says(mention: Mention) -> str:
    where = mention.where[0].upper() + mention.where[1:]
    return f"{where} {'say' if where.endswith('lines') else 'says'} '{mention.found}'"


def _about(rivals: Sequence[str]) -> str:
    if not rivals:
        return "no other student is close"
    if len(rivals) > 2:
        return f"{len(rivals)} other students are also possible"
    return f"{' and '.join(rivals)} {'is' if len(rivals) == 1 else 'are'} also possible"
