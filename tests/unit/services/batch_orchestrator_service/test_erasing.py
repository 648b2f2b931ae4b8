"""What the orchestrator forgets of a student, and of a batch whose time is over; and that nothing brings it back."""

import pytest
from common_core.errors import NotYet
from common_core.events import ERASED, BatchRetentionEndedV1
from common_core.status_enums import BatchStatus, RetainedData
from pydantic import SecretStr, ValidationError
from service_runtime.testing import a_cause

from services.batch_orchestrator_service.models import Batch
from services.batch_orchestrator_service.settings import Settings
from tests.unit.services.batch_orchestrator_service.test_models import ANNA, BATCH, E1, E2, C, P, R, a_batch


def names(batch: Batch) -> list[str]:
    return [essay.original_file_name for essay in batch.essays]


def a_ready_batch() -> Batch:
    batch = a_batch()
    for said in (P, C, R):
        said(batch, a_cause())
    return batch


def test_a_students_file_names_go_and_hearing_of_them_again_does_not_bring_them_back() -> None:
    batch = a_ready_batch()

    batch.erase_names([E1.essay_id])
    for said in (P, C, R):
        said(batch, a_cause())

    assert names(batch) == [ERASED, "12.txt"]
    assert batch.status is BatchStatus.READY_FOR_PIPELINE_EXECUTION


def test_an_essay_that_was_not_heard_of_is_waited_for() -> None:
    with pytest.raises(NotYet):
        a_batch().erase_names([E1.essay_id])


def test_the_time_of_texts_and_of_associations_ends_for_good() -> None:
    batch = a_ready_batch()

    for data in RetainedData:
        assert batch.end_retention(data) == [BatchRetentionEndedV1(batch_id=BATCH, data=data)]
    for said in (P, C, R):
        said(batch, a_cause())

    assert names(batch) == [ERASED, ERASED]
    assert (batch.students, batch.keeps_texts, batch.keeps_associations) == ({}, False, False)


def test_essays_heard_of_after_their_time_have_no_names() -> None:
    batch = a_batch()
    batch.end_retention(RetainedData.TEXTS)

    P(batch, a_cause())

    assert names(batch) == [ERASED, ERASED]
    assert batch.students.get(E2.essay_id, ANNA) == ANNA


@pytest.mark.parametrize(("texts", "associations"), [(30, 30), (30, 365), (30, None), (None, None)])
def test_associations_are_kept_as_long_as_texts(texts: float | None, associations: float | None) -> None:
    assert settings(texts, associations).associations_days == associations


@pytest.mark.parametrize(("texts", "associations"), [(30, 29), (None, 30)])
def test_associations_that_would_go_before_the_texts_are_refused(texts: float | None, associations: float) -> None:
    with pytest.raises(ValidationError, match="SCRIPTORIUM_TEXTS_DAYS"):
        settings(texts, associations)


def settings(texts: float | None, associations: float | None) -> Settings:
    return Settings(
        database_url="postgresql://nowhere/none",
        kafka_bootstrap_servers="nowhere",
        jwt_secret=SecretStr("s" * 32),
        texts_days=texts,
        associations_days=associations,
    )
