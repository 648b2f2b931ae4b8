"""Essays that were collected, with labels: each put into classes that its author is in."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.matching.essays import Batch, Essay, Generator, Right

CLASSES = 20


def collected(data: Path, generator: Generator) -> Iterator[Batch]:
    """Each labelled text essay, in classes that are otherwise invented; nothing where the folder is not there."""
    labels = data / "essays" / "labels.json"
    if not labels.exists():
        return
    for label in json.loads(labels.read_text(encoding="utf-8")):
        path = labels.parent / label["file"]
        if path.suffix != ".txt" or not isinstance(label["author_name"], str):
            continue
        text = path.read_text(encoding="utf-8")
        first, _, last = label["author_name"].rpartition(" ")
        for _ in range(CLASSES):
            people = generator.inventor.school_class(30)
            author = replace(people[0], first=first, last=last, middle="", email=label["email"] or "")
            students = [each.as_student() for each in [author, *people[1:]]]
            essay = Essay(text, Right.ONE, frozenset([str(author.student_id)]), "collected", label["file"], "collected")
            yield Batch(students, [essay])
