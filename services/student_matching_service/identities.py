"""Where a text may name its author: first lines, header fields, e-mail addresses, page headers and the last lines."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace

from services.student_matching_service.header_lines import (
    Field,
    Line,
    before_label,
    fields,
    has_shape_of_name,
    is_byline,
    is_somebody,
    looks_like_title,
    names_somebody_else,
    people,
    people_at_commas,
    people_together,
    stretches,
    that_may_sign,
    tidy,
    with_ordinary_words,
)
from services.student_matching_service.vocabulary import (
    ABOUT_BY,
    BYLINE,
    BYLINE_AFTER_TITLE,
    EMAIL,
    LABEL_ALONE,
    NAME_IN_ADDRESS,
    PASSIVE_BY,
    WORKS_AUTHOR,
    Label,
)

HEAD_LINES = 20
TITLE_LINES = 8
LINES_BELOW_HEADING = 40
REPEATED_LINES = 5

# How sure a name in this place is the author's, when it is certain whose name it is.
AUTHOR_FIELD = 1.0
BYLINE_FIELD = 0.995
FIRST_LINE = 0.99
LINES_BELOW = 0.965
LATER_LINES = 0.9
BESIDE_OTHER_WORDS = 0.86
BY_AFTER_TITLE = 0.87
AV_AFTER_TITLE = 0.76  # "Av" is "of", too.
ABOUT_AFTER_TITLE = 0.7  # "Analys av" is "analysis of".
EMAIL_IN_HEAD = 0.99
EMAIL_IN_PROSE = 0.6
FIELD_IN_PROSE = 0.8
LAST_LINES = 0.87
REPEATED_LINE = 0.87


@dataclass(frozen=True, slots=True)
class Mention:
    """A place in a text that may name its author."""

    found: str
    where: str
    trust: float
    """How sure it is, between 0 and 1, that a person named here is the author."""
    is_email: bool = False
    names_somebody: bool = False
    """Whether this names a person even if nobody in the class fits."""
    is_author_field: bool = False
    """Whether the text itself calls this the author's name."""
    is_signed: bool = False
    """Whether this person is named as who wrote it: by label, address or signature."""
    is_whole: bool = False
    """Whether this is a name only if it has no other words than a student's: Till and Page also stand beside names."""
    is_list: bool = False
    """Whether this is several names if they all are students', and else nothing."""
    is_one_of_several: bool = False
    """Whether the text says that this one wrote together with others."""


def mentions(text: str) -> list[Mention]:
    """Everything in the text that may name its author, surest places first; the running text is left out."""
    numbered = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line and not line.isspace()]
    head = [Line(tidy(line), number, f"line {number}") for number, line in numbered[:HEAD_LINES]]
    head[:1] = [replace(line, where="first line") for line in head[:1]]
    prose = next((i for i, line in enumerate(head) if line.is_prose), len(head))
    last = that_may_sign(numbered[prose + 1 :][-LINES_BELOW_HEADING:])
    tail = [Line(tidy(line), number, "last lines") for number, line in last]
    labelled = list(_fields_with_values(head))
    return [
        *_in_fields(labelled, in_prose={line.number for line in head[prose + 1 :]}),
        *_in_first_and_last_name(labelled),
        *_in_title_lines(head[: min(prose, TITLE_LINES)], {line.number for line, _ in labelled}),
        *_in_emails(head, labelled, {line.number for line in head[prose:]}),
        *_in_last_lines(tail),
        *_in_repeated_lines(line for _, line in numbered),
    ]


def _fields_with_values(lines: Sequence[Line]) -> Iterator[tuple[Line, Field]]:
    """Every field; the value of a label alone is the next line without a label, of one for several all their names."""
    waiting: Field | None = None
    for line in lines:
        here = fields(line.text) or ([replace(waiting, value=line.text)] if waiting else [])
        yield from ((line, field) for field in here)
        waiting = here[-1] if here and _goes_on(here[-1]) else None


def _goes_on(field: Field) -> bool:
    return not field.value.strip() or (field.is_of_several and is_somebody(field.value))


def _in_fields(labelled: Sequence[tuple[Line, Field]], in_prose: Set[int]) -> Iterator[Mention]:
    for line, field in labelled:
        where = f"line {line.number}, field '{field.written}'"
        if field.label is Label.AUTHOR:
            trust = FIELD_IN_PROSE if line.number in in_prose else AUTHOR_FIELD
            yield from _in_author_field(field.value, where, trust)
        elif field.label is Label.BYLINE:
            trust = FIELD_IN_PROSE if line.number in in_prose else BYLINE_FIELD
            yield from _list(field.value, where, trust)
            several = bool(people_together(field.value))
            for name in people(field.value):
                person = is_somebody(name)
                signed = person and field.written.lower() not in WORKS_AUTHOR
                yield Mention(name, where, trust, names_somebody=person, is_signed=signed, is_one_of_several=several)


def _in_author_field(value: str, where: str, trust: float) -> Iterator[Mention]:
    yield from _list(value, where, trust)
    yield from _whole(value, where, trust)
    for name in people(value):
        yield Mention(
            name,
            where,
            trust,
            names_somebody=is_somebody(name, fewest_words=1),
            is_author_field=is_somebody(name),
            is_signed=is_somebody(name),
            is_one_of_several=bool(people_together(value)),
        )


def _in_first_and_last_name(labelled: Sequence[tuple[Line, Field]]) -> Iterator[Mention]:
    halves = {field.label: (line, field) for line, field in reversed(labelled) if field.value.strip()}
    both = [halves[label] for label in (Label.GIVEN_NAME, Label.FAMILY_NAME) if label in halves]
    where = " and ".join(f"line {line.number}, field '{field.written}'" for line, field in both)
    yield from _in_author_field(" ".join(field.value.strip() for _, field in both), where, AUTHOR_FIELD)


def _in_title_lines(lines: Sequence[Line], with_fields: Set[int]) -> Iterator[Mention]:
    """Names that stand on a line of their own, after "by", or beside a title or a field."""
    for ordinal, line in enumerate(lines):
        before, after = (lines[i].text if 0 <= i < len(lines) else "" for i in (ordinal - 1, ordinal + 1))
        if names_somebody_else(line.text, before):
            continue
        place = FIRST_LINE if ordinal == 0 else LINES_BELOW if ordinal < 4 else LATER_LINES
        if line.number in with_fields:
            if LABEL_ALONE.fullmatch(line.text):  # Till is a label as well as a name.
                yield Mention(line.text, line.where, place, is_whole=True)
            yield from _bare(before_label(line.text), line.where, place)
        elif byline := BYLINE.match(line.text):
            where = f"{line.where}, after '{byline['label']}'"
            by = _bare(line.text[byline.end() :], where, BYLINE_FIELD)
            yield from (replace(mention, is_signed=mention.names_somebody) for mention in by)
        elif byline := BYLINE_AFTER_TITLE.match(line.text):
            where = f"{line.where}, after '{byline['label']}'"
            yield from _bare(line.text[byline.end() :], where, _after_title(line.text, byline))
        else:
            # "The hero: Anna Svensson" names nobody we know; "Anna Svensson: My summer" may.
            named, colon, _ = line.text.partition(": ")
            trust = ABOUT_AFTER_TITLE if is_byline(after) else place * BESIDE_OTHER_WORDS if colon else place
            yield from _bare(named, line.where, trust)


def _after_title(line: str, byline: re.Match[str]) -> float:
    if ABOUT_BY.match(line) or PASSIVE_BY.match(line):
        return ABOUT_AFTER_TITLE
    is_clear = byline["label"].lower() == "by" or line[: byline.start("label")].rstrip().endswith(",")
    return BY_AFTER_TITLE if is_clear else AV_AFTER_TITLE


def _bare(text: str, where: str, trust: float) -> Iterator[Mention]:
    found, several = stretches(text), bool(people_together(text))
    alone = (len(found) == 1 or several) and not looks_like_title(text)
    yield from _list(text, where, trust)
    trust = trust if alone else trust * BESIDE_OTHER_WORDS
    yield from _whole(text, where, trust)
    for name in filter(has_shape_of_name, found):
        yield Mention(name, where, trust, names_somebody=alone and is_somebody(name), is_one_of_several=several)


def _list(text: str, where: str, trust: float) -> Iterator[Mention]:
    if listed := people_at_commas(text):
        yield Mention(", ".join(listed), where, trust, is_list=True)


def _whole(text: str, where: str, trust: float) -> Iterator[Mention]:
    for name in with_ordinary_words(text):
        yield Mention(name, where, trust, is_whole=True)


def _in_emails(lines: Sequence[Line], labelled: Sequence[tuple[Line, Field]], in_prose: Set[int]) -> Iterator[Mention]:
    others = " ".join(field.value for _, field in labelled if field.label is Label.SOMEBODY_ELSE)
    for line in (line for line in lines if "@" in line.text):
        trust = EMAIL_IN_PROSE if line.number in in_prose else EMAIL_IN_HEAD
        for address in EMAIL.findall(line.text):
            if address not in others:
                where = f"e-mail on line {line.number}"
                named = bool(NAME_IN_ADDRESS.match(address))
                yield Mention(address, where, trust, is_email=True, names_somebody=True, is_signed=named)


def _in_last_lines(lines: Sequence[Line]) -> Iterator[Mention]:
    """A signature: read like a head, less sure, and only alone on its line: sources have names beside their titles."""
    labelled = list(_fields_with_values(lines))
    short = [line for line in lines if not line.is_prose and _is_signature(line.text)]
    for mention in (
        *_in_fields(labelled, in_prose=set()),
        *_in_title_lines(short, with_fields={line.number for line, _ in labelled}),
        *_in_emails(lines, labelled, in_prose={line.number for line in lines if line.is_prose}),
    ):
        person = mention.is_signed or (mention.names_somebody and not mention.is_email)
        yield replace(
            mention,
            where="last lines",
            trust=min(mention.trust, LAST_LINES),
            names_somebody=False,
            is_author_field=False,
            is_signed=person,
        )


def _is_signature(line: str) -> bool:
    return len(stretches(line)) == 1 or ("," not in line and bool(people_together(line)))


def _in_repeated_lines(lines: Iterable[str]) -> Iterator[Mention]:
    """A page header: a short line that comes again and again, but for the page number."""
    short = Counter(line.strip(" \t\f0123456789|-–") for line in lines if len(line) <= 60)
    for line, times in short.most_common(REPEATED_LINES):
        if times > 1:
            yield from (
                replace(mention, names_somebody=False) for mention in _bare(tidy(line), "repeated line", REPEATED_LINE)
            )
