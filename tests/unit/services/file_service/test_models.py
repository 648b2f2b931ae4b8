"""What became of an uploaded file is said once; contents are known by their hash."""

from hashlib import sha256
from uuid import UUID

import pytest
from common_core.events import EssayContentProvisionedV1, EssayValidationFailedV1
from common_core.status_enums import FileErrorCode, UploadState

from services.file_service.models import BatchIsOver, KnownBatch, Outcome, Upload, raw_storage_id, repetitions

BATCH = UUID(int=1)
TEXT = "Jag heter Åsa."


def a_batch() -> KnownBatch:
    return KnownBatch(batch_id=BATCH, teacher_id="berit")


def an_upload(number: int = 1, name: str = "essay.txt") -> Upload:
    return a_batch().receive(UUID(int=number), name, 15, raw_storage_id("abc"))


def test_files_get_their_place_in_the_order_of_uploads() -> None:
    batch = a_batch()

    uploads = [batch.receive(UUID(int=number), "essay.txt", 1, None) for number in (9, 3, 6)]

    assert [upload.number for upload in uploads] == [1, 2, 3]
    assert {(upload.batch_id, upload.teacher_id, upload.state) for upload in uploads} == {
        (BATCH, "berit", UploadState.RECEIVED)
    }


def test_a_file_that_was_read_becomes_a_content() -> None:
    upload = an_upload()

    said = upload.decide(Outcome(TEXT))

    digest = sha256(TEXT.encode()).hexdigest()
    assert said == [
        EssayContentProvisionedV1(
            batch_id=BATCH,
            file_upload_id=UUID(int=1),
            original_file_name="essay.txt",
            text_storage_id=f"text-{digest}",
            raw_file_storage_id="raw-abc",
            file_size_bytes=15,
            content_sha256=digest,
        )
    ]
    assert (upload.state, upload.text_storage_id) == (UploadState.PROVISIONED, f"text-{digest}")


def test_equal_texts_have_equal_ids_whatever_the_files_were() -> None:
    one, other, different = an_upload(1, "a.txt"), an_upload(2, "b.pdf"), an_upload(3)

    for upload, text in ((one, TEXT), (other, TEXT), (different, TEXT + "!")):
        upload.decide(Outcome(text))

    assert one.text_storage_id == other.text_storage_id != different.text_storage_id


def uploads_of(*files: tuple[str | None, str | None]) -> list[Upload]:
    """Uploads 1, 2, ... of one batch with these bytes and these texts; without a text they are not read yet."""
    batch = a_batch()
    uploads = []
    for number, (raw, text) in enumerate(files, 1):
        uploads.append(batch.receive(UUID(int=number), f"{number}.txt", 15, raw and raw_storage_id(raw)))
        if text:
            uploads[-1].decide(Outcome(text))
    return uploads


def repeated(*files: tuple[str | None, str | None]) -> dict[int, int]:
    return {upload.int: first.int for upload, first in repetitions(uploads_of(*files)).items()}


def test_a_file_repeats_the_first_with_its_bytes_also_before_it_is_read() -> None:
    assert repeated(("a", None), ("b", None), ("a", None), ("a", None)) == {3: 1, 4: 1}


def test_other_bytes_with_the_same_text_repeat_the_first_with_that_text() -> None:
    assert repeated(("a", TEXT), ("b", "another"), ("c", TEXT), ("c", TEXT)) == {3: 1, 4: 1}


def test_files_that_nobody_stored_repeat_nothing() -> None:
    assert repeated((None, None), (None, None)) == {}


@pytest.mark.parametrize("code", list(FileErrorCode))
def test_a_file_that_cannot_be_read_fails_with_the_reason(code: FileErrorCode) -> None:
    upload = an_upload()

    said = upload.decide(Outcome(None, code, "Save it as PDF."))

    assert said == [
        EssayValidationFailedV1(
            batch_id=BATCH,
            file_upload_id=UUID(int=1),
            original_file_name="essay.txt",
            error_code=code,
            error_detail="Save it as PDF.",
            file_size_bytes=15,
            raw_file_storage_id="raw-abc",
        )
    ]
    assert (upload.state, upload.error_code, upload.text_storage_id) == (UploadState.FAILED, code, None)


@pytest.mark.parametrize("first", [Outcome(TEXT), Outcome(None, FileErrorCode.EMPTY_CONTENT)], ids=["read", "failed"])
def test_what_became_of_a_file_is_decided_once(first: Outcome) -> None:
    upload = an_upload()
    upload.decide(first)
    state = upload.state

    assert upload.decide(Outcome("another text")) == []
    assert upload.decide(Outcome(None, FileErrorCode.EMPTY_CONTENT)) == []
    assert upload.state is state


def test_a_file_that_is_too_large_says_how_large_it_may_be() -> None:
    outcome = Outcome.too_large(2_000, 1_000)

    assert (outcome.text, outcome.error_code) == (None, FileErrorCode.FILE_TOO_LARGE)
    assert "2000" in outcome.error_detail
    assert "1000" in outcome.error_detail


def test_a_batch_whose_texts_are_erased_takes_no_more_files() -> None:
    batch = a_batch()
    batch.keeps_texts = False

    with pytest.raises(BatchIsOver, match="register a new batch"):
        batch.receive(UUID(int=1), "essay.txt", 1, None)

    assert batch.received_count == 0
