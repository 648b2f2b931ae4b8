"""How long rosters and texts are waited for, before the teacher is asked without them."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest
from common_core.errors import NotYet
from common_core.events import EssayMatch, EssayRef, RosterStudent
from common_core.status_enums import CourseCode, NoMatchReason
from service_runtime.testing import a_cause

from services.student_matching_service.models import KnownRoster, MatchRequest
from services.student_matching_service.settings import Settings
from services.student_matching_service.texts import Library, Matches, find_matches

BATCH, CLASS, ANNA = UUID(int=1), UUID(int=2), UUID(int=3)
NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
PATIENCE = timedelta(minutes=5)
SETTINGS = Settings.model_validate(
    {
        "database_url": "postgresql://nowhere/none",
        "kafka_bootstrap_servers": "nowhere:1",
        "jwt_secret": "a secret of the tests, long enough for HS256",
        "matching_patience_minutes": PATIENCE.total_seconds() / 60,
    }
)
ROSTER = KnownRoster(
    class_id=CLASS, roster_version=4, students=(RosterStudent(student_id=ANNA, first_name="Anna", last_name="Ek"),)
)
HERS = "Anna Ek\n\nThe old man went down to the sea that night and came back in the morning.\n"


def a_request(*texts: str, roster: KnownRoster | None = ROSTER) -> MatchRequest:
    essays = tuple(
        EssayRef(essay_id=UUID(int=10 + number), text_storage_id=text, original_file_name="1.txt")
        for number, text in enumerate(texts)
    )
    request = MatchRequest(
        batch_id=BATCH, class_id=CLASS, course_code=CourseCode.SV1, teacher_id="b", essays=essays, requested_at=NOW
    )
    request.roster = roster
    return request


async def matches(request: MatchRequest, texts: dict[str, str], after: timedelta = timedelta()) -> Matches:
    """What is found when the file service has these texts and answers 503 for all others."""

    def answer(asked: httpx.Request) -> httpx.Response:
        text = texts.get(asked.url.path.removeprefix("/v1/content/"))
        return httpx.Response(503) if text is None else httpx.Response(200, text=text)

    async with httpx.AsyncClient(base_url="http://files", transport=httpx.MockTransport(answer)) as client:
        return await find_matches(request, a_cause(NOW + after), Library(client, SETTINGS))


def only(found: Matches) -> EssayMatch:
    (result,) = found.results
    return result


async def test_every_essay_is_matched_and_the_version_of_the_roster_is_remembered() -> None:
    found = await matches(a_request("hers", "nobodys"), {"hers": HERS, "nobodys": "A text without a name. " * 9})

    assert [[each.student_id for each in result.suggestions] for result in found.results] == [[ANNA], []]
    assert found.results[1].no_match_reason is NoMatchReason.NO_IDENTITY_FOUND
    assert found.roster_version == 4


async def test_essays_that_name_the_same_student_are_told_of_each_other_by_their_files_names() -> None:
    request = a_request("hers", "also hers")
    request.essays = tuple(
        essay.model_copy(update={"original_file_name": name})
        for essay, name in zip(request.essays, ("first.docx", "second.pdf"), strict=True)
    )

    found = await matches(request, {"hers": HERS, "also hers": f"Namn: {HERS}"})

    for result, other in zip(found.results, ("second.pdf", "first.docx"), strict=True):
        (suggestion,) = result.suggestions
        assert suggestion.confidence_score <= 0.9
        assert any(other in reason for reason in suggestion.match_reasons)


@pytest.mark.parametrize("after", [timedelta(), PATIENCE])
async def test_a_text_that_cannot_be_had_is_waited_for(after: timedelta) -> None:
    with pytest.raises(NotYet, match="lost"):
        await matches(a_request("hers", "lost"), {"hers": HERS}, after)


async def test_after_the_limit_a_text_that_cannot_be_had_is_said_to_be_so_and_the_others_are_matched() -> None:
    found = await matches(a_request("lost", "hers"), {"hers": HERS}, PATIENCE + timedelta(seconds=1))

    assert [result.no_match_reason for result in found.results] == [NoMatchReason.TEXT_UNAVAILABLE, None]


async def test_a_roster_that_is_not_known_is_waited_for() -> None:
    with pytest.raises(NotYet, match=str(CLASS)):
        await matches(a_request("hers", roster=None), {"hers": HERS}, PATIENCE)


async def test_after_the_limit_an_unknown_roster_is_said_to_be_so() -> None:
    found = await matches(a_request("hers", roster=None), {"hers": HERS}, PATIENCE + timedelta(seconds=1))

    assert (only(found).suggestions, only(found).no_match_reason) == ((), NoMatchReason.ROSTER_UNAVAILABLE)
    assert found.roster_version is None


async def test_a_storage_id_from_another_file_store_is_asked_for_as_it_is() -> None:
    asked: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.raw_path)
        return httpx.Response(200, text=HERS)

    async with httpx.AsyncClient(base_url="http://files", transport=httpx.MockTransport(answer)) as client:
        await find_matches(a_request("s3://bucket/a b?c"), a_cause(NOW), Library(client, SETTINGS))

    assert asked == [b"/v1/content/s3%3A%2F%2Fbucket%2Fa%20b%3Fc"]
