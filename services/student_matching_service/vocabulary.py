"""The words that stand in and around names at the head of an essay, in English and Swedish."""

import re
from collections.abc import Iterable
from enum import Enum


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _labels(text: str) -> frozenset[str]:
    return frozenset(" ".join(label.split()) for label in text.split(","))


class Label(Enum):
    """What a header field is about."""

    AUTHOR = _labels("""
        name, names, full name, my name, first and last name, student, students, student name, student's name,
        name of student, pupil, candidate, group members,
        namn, mitt namn, ditt namn, elev, elever, elevnamn, elevens namn, elevens för- och efternamn, studentens namn,
        för- och efternamn, för och efternamn, förnamn och efternamn, kandidat, gruppmedlemmar
    """)
    BYLINE = _labels("""
        author, authors, by, written by, essay by, text by, submitted by,
        my name is, mitt namn är, jag heter,
        författare, av, skriven av, skrivet av, skriven utav, författad av, text av, uppsats av, inlämnad av
    """)
    GIVEN_NAME = _labels("first name, given name, förnamn")
    FAMILY_NAME = _labels("last name, surname, family name, efternamn")
    SOMEBODY_ELSE = _labels("""
        teacher, teachers, teacher name, teacher's name, name of teacher, teacher email, teacher's e-mail, professor,
        instructor, tutor, supervisor, examiner, mentor, book author, to, reviewer, reviewed by, read by, peer,
        peer review by, corrected by, graded by, characters, translated by, illustrated by, inspired by, dedicated to,
        thanks to,
        lärare, lärarens namn, lärarnamn, undervisande lärare, lärarens e-post, handledare, examinator,
        bokens författare, till, granskad av, rättad av, läst av, kamrat, kamratrespons, kamratrespons av, respons av,
        opponent, karaktärer, personer, översatt av, illustrerad av, inspirerad av, tillägnad, tack till,
        from, sent by, cc, reply-to, peer reviewer, reviewer's name, interviewee, interviewer, photo by,
        translator, editor, director, parent, guardian,
        från, skickat av, kopia, granskare, kamratgranskare, intervjuad, intervjuperson, intervjuare, foto av,
        översättare, redaktör, regissör, vårdnadshavare, förälder
    """)
    FACT = _labels("""
        class, course, course name, subject, date, school, school name, title, group, book, grade, assignment, source,
        sources, file name, e-mail, email, mail,
        klass, kurs, kursnamn, ämne, datum, skola, skolans namn, titel, rubrik, grupp, bok, betyg, uppgift, källa,
        källor, filnamn, e-post, epost, e-postadress, mejl
    """)


LABELS = {word: label for label in Label for word in label.value}

OF_SEVERAL = _labels("names, students, authors, group members, elever, gruppmedlemmar")
"""Labels of lists of authors."""

WORKS_AUTHOR = _labels("author, authors, författare")
"""Labels that may be about the work an essay is about."""

PARTICLES = _words("""
    af al av bin da de del della den der di do dos du el ibn la las le los ten ter van vom von zu zur
""")
"""Small words of surnames, which people write or leave out."""

BESIDE_NAMES = _words("""
    english engelska swedish svenska essay uppsats class klass grade course kurs year group grupp åk årskurs date datum
    page sida sid draft utkast assignment uppgift inlämning prov test exam version
""")
"""May stand before or after a name on its line and is not part of it."""

SOMEBODY_ELSE = _words("""
    dear hello hi hey hej hejsan till to kära käre bästa mr mrs ms miss mister dr prof professor sir teacher herr fru
    fröken magister lärare läraren rektor principal examinator examiner handledare supervisor
    about om tack thanks thank for för interview intervju review recension
    analysis analys letter brev according enligt dedicated tillägnad starring grattis congratulations rip
    biography biografi portrait porträtt personporträtt profile
""")
"""Makes a name beside it somebody else's: addressed, thanked, teaching or written about."""

ABOUT = _words("""
    review recension analysis analys tolkning presentation porträtt portrait beskrivning skildring
    novel book story poem play film roman bok novell dikt pjäs bild minne minnet studie karaktär
    speech talk lecture song lyrics painting picture drawing photo photograph quote quotation comment statement article
    column letter diary interview idea word
    tal föreläsning sång låt målning teckning foto fotografi citat kommentar artikel krönika insändare brev dagbok
    intervju idé ord skriven skrivet
""")
"""What comes before "by" or "av", or ends the word before it, where it may be somebody else's: bokanalys av, tal av."""

FEEDBACK = _labels("""
    comment, comments, teacher's comment, teacher's comments, feedback, peer feedback, peer review, assessment, grading,
    kommentar, kommentarer, lärarens kommentar, lärarens kommentarer, respons, kamratrespons, bedömning, omdöme
""")
"""Headings of what others say about the essay; they sign it, too."""

SOURCES = _labels("""
    references, reference list, works cited, bibliography, sources, source, literature, interview, interviews,
    referenser, referenslista, källförteckning, litteraturförteckning, litteratur, källor, källa, muntliga källor,
    intervju, intervjuer
""")
"""Headings of lists in which others are named."""

IN_TITLES = _words("""
    a an the my our your his her their this that in of on at and is are was were or with without what why how when who
    where not vs i we you it en ett min mitt mina vår vårt din den det detta på och är var eller med utan vad varför
    hur när vem som inte jag vi du ska kan story novel report rapport chapter kapitel introduction inledning conclusion
    university school gymnasium gymnasiet skola skolan world climate change global warming love death family summer
    winter life war
""")
"""Makes a line that fits no student a title rather than a person from elsewhere."""

_MONTHS = _words("""
    january february march april may june july august september october november december
    januari februari mars maj juni juli augusti oktober jan feb mar apr jun jul aug sep sept oct okt nov dec
""")


def _any_of(words: Iterable[str]) -> str:
    longest_first = sorted(words, key=lambda word: (-len(word), word))
    return "(?:" + "|".join(re.escape(word).replace(r"\ ", r"\s+") for word in longest_first) + ")"


FIELD = re.compile(rf"(?<!\w)(?P<label>{_any_of(LABELS)})(?:\s*\d)?(?:\s*[:=|\t]|\s+[-–—](?=\s))", re.IGNORECASE)
LABEL_ALONE = re.compile(rf"\W*(?P<label>{_any_of(LABELS)})\W*", re.IGNORECASE)
BYLINE = re.compile(rf"\W*(?P<label>{_any_of(Label.AUTHOR.value | Label.BYLINE.value)})\s+", re.IGNORECASE)
# By, av, written by: what stands above is a title.
BELOW_TITLE = re.compile(
    rf"\W*{_any_of(label for label in Label.BYLINE.value if label.endswith(('by', 'av')))}(?:\s*:\s*|\s+)(?=\S)",
    re.IGNORECASE,
)
# Whatever was done by somebody but writing: edited by, rättad av.
DONE_BY = re.compile(
    r".*\b(?:\w{3,}(?:ed|ad)|read|told|sung|sent|made|done|shot|drawn|given|held|taken|spoken|läst)\s+(?:by|av)\s",
    re.IGNORECASE,
)
ABOUT_BY = re.compile(rf".*(?:{_any_of(ABOUT)}(?:e?[nts]|an)?|ning|else|tion|at)\s+(?:by|av)\s", re.IGNORECASE)
# The novel was written by, filmen regisserades av: a sentence about a work, not who wrote this.
PASSIVE_BY = re.compile(r".*(?:\b(?:is|are|was|were|är|var|blev)\s.*\w|\wdes)\s+(?:by|av)\s", re.IGNORECASE)
TEACHING = re.compile(
    r".*[(,]\s*(?:teacher|instructor|professor|principal|author|editor|parent|lärare|handledare|examinator|rektor|"
    r"författare|redaktör|förälder)\W*",
    re.IGNORECASE,
)
# Emil Berg (2019), (Emil Berg, 2019), Emil Berg 1912-1980, [1] Emil Berg: a source or a life, not a class and its year.
REFERENCE = re.compile(
    r".*\((?:1\d|20)\d\d[a-z]?\)|\([^\W\d][^()\d]*,\s*\d{4}[a-z]?\)|.*\b1\d{3}\s*[-–]\s*\d{4}\b|\[\d+\]"
)
BYLINE_AFTER_TITLE = re.compile(r".{1,100}[\s,](?P<label>by|av)\s+", re.IGNORECASE)
DATE = re.compile(
    rf"\b(?:(?:den|the)\s+)?(?:\d{{1,2}}(?:st|nd|rd|th|:e|\.)?\s+(?:of\s+)?{_any_of(_MONTHS)}\b|{_any_of(_MONTHS)}\.?,?\s+\d)",
    re.IGNORECASE,
)
EMAIL = re.compile(r"[\w.+'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
# anna.ek@: a person, where 07coolkid@ may be anybody.
NAME_IN_ADDRESS = re.compile(r"[^\W\d_]{2,}[._-][^\W\d_]{2,}\d*@")
YEAR = re.compile(r"\b\d{4}\b")
