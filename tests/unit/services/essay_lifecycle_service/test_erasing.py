"""What the essay lifecycle forgets of a student's files, and of a batch whose time is over."""

import pytest
from common_core.errors import NotYet
from common_core.events import ERASED

from services.essay_lifecycle_service.models import EssayBatch
from tests.unit.services.essay_lifecycle_service.test_models import a_batch, content, essay_id, failure


def names(batch: EssayBatch) -> tuple[list[str | None], list[str]]:
    return [slot.original_file_name for slot in batch.slots], [upload.original_file_name for upload in batch.uploads]


def test_the_name_of_an_essay_goes_and_of_files_with_the_same_text() -> None:
    batch = a_batch(slots=2)
    for upload, text in ((1, "anna"), (2, "bo"), (3, "anna"), (4, "late")):
        batch.provision(content(upload, text))

    batch.erase_names([essay_id(0)])

    assert names(batch) == ([ERASED, "2.txt"], [ERASED, "2.txt", ERASED, "4.txt"])
    assert [ref.text_storage_id for ref in batch.essays()] == ["anna", "bo"]
    assert batch.provision(content(1, "anna")) == []
    assert names(batch)[0] == [ERASED, "2.txt"]


def test_an_essay_without_content_is_waited_for_and_nothing_is_changed_before() -> None:
    batch = a_batch(slots=2)
    batch.provision(content(1))

    with pytest.raises(NotYet):
        batch.erase_names([essay_id(0), essay_id(1)])

    assert names(batch) == (["1.txt", None], ["1.txt"])


def test_a_file_without_a_text_is_not_like_every_other_without_one() -> None:
    batch = a_batch(slots=2)
    for upload in (1, 2):
        batch.fail(failure(upload))

    batch.erase_names([essay_id(0)])

    assert names(batch) == ([ERASED, "2.txt"], [ERASED, "2.txt"])


def test_when_its_time_is_over_a_batch_has_no_names() -> None:
    batch = a_batch(slots=2)
    for upload, text in ((1, "anna"), (2, "anna")):
        batch.provision(content(upload, text))

    batch.erase_all_names()

    assert names(batch) == ([ERASED, None], [ERASED, ERASED])
