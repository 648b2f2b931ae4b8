"""What makes two uploads the same, and which file names can be stored."""

from io import BytesIO

import pytest
from starlette.datastructures import UploadFile

from services.file_service.receiving import ReceivedFile, _storable, fingerprint


def received(name: str, digest: str) -> ReceivedFile:
    return ReceivedFile(name, 1, digest, UploadFile(BytesIO()).read)


ONE, OTHER = received("a.txt", "aa"), received("b.txt", "bb")


def test_the_same_names_and_contents_in_the_same_order_are_the_same_upload() -> None:
    assert fingerprint([ONE, OTHER]) == fingerprint([received("a.txt", "aa"), received("b.txt", "bb")])


@pytest.mark.parametrize(
    "other",
    [[ONE], [OTHER, ONE], [received("c.txt", "aa"), OTHER], [received("a.txt", "cc"), OTHER]],
    ids=["fewer files", "another order", "another name", "another content"],
)
def test_anything_else_is_another_upload(other: list[ReceivedFile]) -> None:
    assert fingerprint([ONE, OTHER]) != fingerprint(other)


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("Åsas uppsats.txt", "Åsas uppsats.txt"),
        ("A\u030asas uppsats.txt", "Åsas uppsats.txt"),
        ("сочинение 作文 مقال.docx", "сочинение 作文 مقال.docx"),
        ("a\x00b", "ab"),
        ("\ud800.txt", "?.txt"),
        ("x" * 300 + ".pdf", None),
    ],
    ids=["plain", "of a Mac", "any script", "NUL", "lone surrogate", "long"],
)
def test_a_file_name_is_kept_as_far_as_it_can_be_stored(name: str, stored: str | None) -> None:
    kept = _storable(name)

    assert kept == stored or (stored is None and len(kept) == 255 and kept.endswith(".pdf"))
