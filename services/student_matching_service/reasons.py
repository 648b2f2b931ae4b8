"""Why a student is suggested, in sentences for the teacher who decides."""

from collections.abc import Sequence

from services.student_matching_service.identities import Mention
from services.student_matching_service.likeness import Likeness


def reasons(
    name: str,
    supports: Sequence[tuple[Mention, Likeness]],
    against: Sequence[Mention],
    rivals: Sequence[tuple[str, float]],
) -> tuple[str, ...]:
    """What speaks for the student, surest first, then what speaks against; rivals come with how far behind they are."""
    sentences = [f"{_says(mention)}; this matches {name} {like.how}" for mention, like in supports]
    sentences[0] += f"; {_about(rivals)}"
    sentences += [f"{_says(mention)}, which does not fit {name}" for mention in against]
    return tuple(f"{sentence}." for sentence in sentences)


def _says(mention: Mention) -> str:
    where = mention.where[0].upper() + mention.where[1:]
    return f"{where} {'say' if where.endswith('lines') else 'says'} '{mention.found}'"


def has_another_essay(name: str, title: str, *, is_first: bool) -> str:
    """That another essay of the batch is a student's beyond doubt, said of this student or of a rival."""
    return (
        f"But {_essay(title)}{',' if title else ''} names {name} more surely."
        if is_first
        else f"{name} is named by {_essay(title)}."
    )


def is_shared(name: str, titles: Sequence[str]) -> str:
    """That further essays name the same student."""
    return f"{name} is also named by {' and by '.join(map(_essay, titles))}, so please look at each."


def _essay(title: str) -> str:
    return f"another essay, '{title}'" if title else "another essay"


def _about(rivals: Sequence[tuple[str, float]]) -> str:
    if not rivals:
        return "no other student is close"
    name, behind = rivals[0]
    if behind >= 0.01:
        return f"next is {name}, {behind:.2f} behind"
    if behind <= -0.01:
        return f"{name} is closer by {-behind:.2f}"
    alike = [name for name, behind in rivals if abs(behind) < 0.01]
    if len(alike) > 2:
        return f"{len(alike)} other students are as likely"
    return f"{' and '.join(alike)} {'is' if len(alike) == 1 else 'are'} as likely"
