"""An archive is the files in it, in their order, as long as it is no bomb and holds nothing that would be lost."""

import io
import random
import tempfile
import zipfile
from contextlib import suppress

import pytest
from common_core.status_enums import FileErrorCode

from services.file_service.archives import ArchiveRefused, members
from services.file_service.extraction import ExtractionFailed, extract_text
from tests.corpus.damage import bits, pieces, truncation
from tests.integration.documents import archive, opendocument, word

ESSAYS = {"b.txt": b"The second by name.", "Anna Ek_12_file/a.docx": word("The first."), "c.odt": opendocument("C")}


def taken(data: bytes) -> dict[str, bytes] | None:
    found = members(io.BytesIO(data), "class.zip")
    return None if found is None else {member.name: member.data() for member in found}


def refusal(data: bytes) -> str:
    with pytest.raises(ArchiveRefused) as caught:
        taken(data)
    assert str(caught.value).startswith("class.zip: ")
    return str(caught.value)


def renamed(data: bytes, name: bytes, other: bytes, *, utf8: bool = False) -> bytes:
    """The archive with a name of the same length, written without the sign that it is UTF-8 unless `utf8`."""
    changed = bytearray(data.replace(name, other))
    for signature, offset in ((b"PK\x03\x04", 7), (b"PK\x01\x02", 9)):
        changed[changed.find(signature) + offset] = 8 * utf8
    return bytes(changed)


def test_the_files_are_taken_in_their_order() -> None:
    found = taken(archive(ESSAYS))

    assert found == ESSAYS
    assert list(found) == list(ESSAYS)


def test_a_digest_tells_contents_apart_and_a_size_is_the_unpacked_one() -> None:
    one, same, other = members(io.BytesIO(archive({"a": b"text" * 99, "b": b"text" * 99, "c": b"other"})), "") or []

    assert one.digest() == same.digest() != other.digest()
    assert (one.size, other.size) == (396, 5)


@pytest.mark.parametrize("data", [word("An essay"), opendocument("An essay"), archive({"Index/Document.iwa": b""})])
def test_a_document_is_no_archive_although_it_is_a_zip(data: bytes) -> None:
    assert taken(data) is None


def in_directory(data: bytes, name: bytes, other: bytes) -> bytes:
    """The archive with this name damaged in its list of files only."""
    at = data.index(b"PK\x01\x02")
    return data[:at] + data[at:].replace(name, other)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (in_directory(word("An essay"), b"[Content_Types].xml", b"[Content?Types].xml"), "Word document"),
        (word("An essay").replace(b"[Content_Types].xml", b"[Content?Types].xml", 1), "Word document"),
        (in_directory(opendocument("An essay"), b"mimetype", b"mimetipe"), "OpenDocument text"),
        (opendocument("An essay").replace(b"mimetype", b"mimetipe", 1), "OpenDocument text"),
        (opendocument("An essay").replace(b"mimetype", b"mimetipe"), "OpenDocument text"),
    ],
    ids=["docx, list", "docx, beginning", "odt, list", "odt, beginning", "odt, both"],
)
def test_a_damaged_document_is_a_damaged_document_and_no_archive(data: bytes, kind: str) -> None:
    assert taken(data) is None
    with pytest.raises(ExtractionFailed) as caught:
        extract_text(data)
    assert caught.value.code is FileErrorCode.TEXT_EXTRACTION_FAILED
    assert f"{kind} seems to be damaged" in caught.value.detail


@pytest.mark.parametrize("whole", [word("An essay"), opendocument("An essay")], ids=["docx", "odt"])
def test_a_document_is_no_archive_whatever_was_damaged(whole: bytes) -> None:
    chance = random.Random(6)  # noqa: S311  # Repeatable damage, not a secret.

    assert {taken(chance.choice((bits, pieces, truncation))(whole, chance)) is None for _ in range(300)} == {True}


def test_a_damaged_archive_on_disk_is_refused_as_one_in_memory_is() -> None:
    chance, whole = random.Random(6), archive(ESSAYS)  # noqa: S311  # Repeatable damage, not a secret.
    with tempfile.TemporaryFile() as file:
        for _ in range(300):
            file.seek(0)
            file.truncate()
            file.write(chance.choice((bits, pieces))(whole, chance))
            with suppress(ArchiveRefused):
                for member in members(file, "class.zip") or []:
                    member.data()


@pytest.mark.parametrize("data", [b"", b"An essay", archive(ESSAYS)[:-30], b"PK\x03\x04" * 9])
def test_what_is_no_archive_or_only_half_of_one_is_a_file(data: bytes) -> None:
    assert taken(data) is None


def test_what_systems_leave_behind_is_not_taken() -> None:
    left = dict.fromkeys(["__MACOSX/a.txt", ".DS_Store", "Thumbs.db", "essays/desktop.ini", "~$a.docx"], b"?")

    assert taken(archive({"essays/": b"", **left, "essays/a.txt": b"An essay"})) == {"essays/a.txt": b"An essay"}


@pytest.mark.parametrize(
    ("raw", "utf8", "name"),
    [
        ("Åsa 作文.txt".encode(), True, "Åsa 作文.txt"),
        ("Åsa 作文.txt".encode(), False, "Åsa 作文.txt"),
        ("Åsa ø.txt".encode("cp850"), False, "Åsa ø.txt"),
    ],
    ids=["declared", "macOS", "Windows"],
)
def test_a_name_of_any_script_is_kept(raw: bytes, utf8: bool, name: str) -> None:
    placeholder = "x" * len(raw)

    assert list(taken(renamed(archive({placeholder: b"An essay"}), placeholder.encode(), raw, utf8=utf8)) or []) == [
        name
    ]


def test_archives_in_an_archive_are_refused_by_name() -> None:
    assert "group 2/More.ZIP in it is an archive too" in refusal(archive({**ESSAYS, "group 2/More.ZIP": b"PK"}))


def test_an_archive_of_nothing_is_refused() -> None:
    assert "no files" in refusal(archive({"folder/": b"", ".DS_Store": b"?"}))


def test_too_many_files_are_refused() -> None:
    assert "501 files" in refusal(archive({f"{number}.txt": b"" for number in range(501)}))


def test_a_bomb_is_refused_before_anything_is_unpacked() -> None:
    bomb = archive({"a.txt": b"An essay", **{f"{number}.txt": b" " * 10_000_000 for number in range(3)}})

    assert len(bomb) < 100_000
    assert "unpacked" in refusal(bomb)


def test_more_than_a_request_may_bring_is_refused() -> None:
    huge = bytearray(archive({"a.txt": b"essay", "b.txt": b"essay"}))
    at = huge.find(b"PK\x01\x02")
    huge[at + 24 : at + 28] = (2_000_000_000).to_bytes(4, "little")

    assert "2,000,000,005 bytes" in refusal(bytes(huge))


def test_a_list_of_files_that_fills_the_memory_is_not_read() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as opened:
        for number in range(40_000):
            opened.writestr(f"{number}.txt", b"")

    assert taken(file.getvalue()) is None


def test_a_password_is_refused() -> None:
    locked = bytearray(archive(ESSAYS))
    locked[locked.find(b"PK\x01\x02") + 8] |= 1

    assert "b.txt in it is protected by a password" in refusal(bytes(locked))


def test_unusual_packing_is_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_LZMA) as opened:
        opened.writestr("a.txt", "An essay " * 99)

    assert "ordinary zip" in refusal(file.getvalue())


@pytest.mark.parametrize("damage", [b"\x00" * 8, b"PK\x05\x06"], ids=["content", "header"])
def test_a_damaged_file_is_named(damage: bytes) -> None:
    data = archive({"fine.txt": b"fine", "broken.txt": bytes(range(256)) * 20})
    at = data.rindex(b"broken.txt", 0, data.index(b"PK\x01\x02")) + (20 if damage.startswith(b"\x00") else -30)

    assert "broken.txt in this archive is damaged" in refusal(data[:at] + damage + data[at + len(damage) :])


def test_files_that_lie_over_each_other_are_refused() -> None:
    data = bytearray(archive({"a.txt": bytes(99), "b.txt": bytes(99)}))
    second = data.rindex(b"PK\x01\x02")
    data[second + 42 : second + 46] = bytes(4)

    assert "damaged" in refusal(bytes(data))
