"""What the teacher decides is stored with who and when, changeable until confirmed, checked, and final once."""

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from common_core.events import (
    ClassRosterChangedV1,
    EssayRef,
    StudentAssociationsConfirmedV1,
    StudentValidationRequestedV1,
)
from common_core.status_enums import AssociationValidationMethod, StudentAssociationStatus
from service_runtime.auth import Role
from service_runtime.testing import Running, wait_until

from services.class_management_service.service import service
from tests.integration.classroom import (
    BERIT,
    COURSE,
    Person,
    an_essay,
    cancelled,
    match,
    matching_requested,
    operator,
    other_teacher,
    suggested,
)
from tests.integration.world import World

CSV = {"Content-Type": "text/csv"}
LATER = "2099-01-01T00:00:00Z"


@pytest.fixture(scope="module")
async def classes(shared_world: World) -> Running:
    return await shared_world.run(service, known_within_seconds=0.2)


@pytest.fixture
async def world(shared_world: World, classes: Running) -> World:  # noqa: ARG001  # it must run
    return shared_world


@dataclass
class Asked:
    """A batch whose teacher is asked: Anna is suggested for the first essay, Bo for the second, nobody for the last."""

    teacher: Person
    class_id: UUID
    students: dict[str, UUID]
    batch_id: UUID
    essays: list[EssayRef]

    @property
    def path(self) -> str:
        return f"/batches/{self.batch_id}/student-associations"

    def student(self, name: str | None) -> str | None:
        return str(self.students[name]) if name else None

    async def decide(self, essay: int, name: str | None) -> httpx.Response:
        body = {"student_id": self.student(name)}
        return await self.teacher.put(f"{self.path}/{self.essays[essay].essay_id}", body)

    def choices(self, *names: str | None) -> list[dict[str, str | None]]:
        """Decisions about the first essays."""
        pairs = zip(self.essays, names, strict=False)
        return [{"essay_id": str(essay.essay_id), "student_id": self.student(name)} for essay, name in pairs]

    async def confirm(self, *names: str | None, **body: object) -> httpx.Response:
        return await self.teacher.post(f"{self.path}/confirm", {"associations": self.choices(*names), **body})

    async def seen(self) -> dict[str, Any]:
        answer: dict[str, Any] = (await self.teacher.get(self.path)).raise_for_status().json()
        return answer

    async def rows(self) -> list[dict[str, Any]]:
        """The associations in the order of the essays."""
        by_id = {row["essay_id"]: row for row in (await self.seen())["associations"]}
        return [by_id[str(essay.essay_id)] for essay in self.essays]


async def asked(world: World, classes: Running, **settings: object) -> Asked:
    teacher = Person(classes)
    class_id, students = await teacher.make_class("Anna", "Bo", "Cy", **settings)
    batch = Asked(teacher, class_id, students, uuid4(), [an_essay() for _ in range(3)])
    first, second, third = batch.essays
    found = [match(first, students["Anna"], 0.95), match(second, students["Bo"], 0.8), match(third)]
    await world.outside.publish(matching_requested(batch.batch_id, class_id, batch.essays))
    await world.outside.publish(suggested(batch.batch_id, class_id, *found))
    await wait_until(lambda: world.listener.said(StudentValidationRequestedV1, batch.batch_id))
    return batch


async def results(world: World, batch_id: UUID) -> list[StudentAssociationsConfirmedV1]:
    await wait_until(lambda: world.is_done(service))
    return await world.listener.said(StudentAssociationsConfirmedV1, batch_id)


async def rosters(world: World, class_id: UUID) -> list[tuple[int, list[str]]]:
    await wait_until(lambda: world.is_done(service))
    said = await world.listener.said(ClassRosterChangedV1, class_id)
    return [(each.roster_version, [student.first_name for student in each.students]) for each in said]


# Classes and rosters


async def test_a_class_is_announced_when_it_is_made_and_with_every_change_of_its_roster(
    world: World, classes: Running
) -> None:
    teacher = Person(classes)
    made = await teacher.post("/classes", {"name": "9B", "course_code": COURSE})
    class_id = UUID(made.json()["class_id"])
    body = {"students": [{"first_name": "Anna", "last_name": "Ek"}, {"first_name": "Bo", "last_name": "Ek"}]}

    changed = await teacher.put(f"/classes/{class_id}/roster", body)
    again = await teacher.put(f"/classes/{class_id}/roster", body)

    assert made.status_code == 201
    assert (made.json()["association_deadline_seconds"], made.json()["auto_confirm"]) == (86_400, False)
    assert (changed.status_code, again.status_code) == (200, 200)
    assert (changed.json()["roster_version"], again.json()["roster_version"]) == (2, 2)
    assert {each["student_id"] for each in changed.json()["students"]} == {
        each["student_id"] for each in again.json()["students"]
    }
    assert await rosters(world, class_id) == [(1, []), (2, ["Anna", "Bo"])]


async def test_a_roster_as_csv_is_the_same_as_json_and_keeps_the_ids(world: World, classes: Running) -> None:
    teacher = Person(classes)
    class_id, before = await teacher.make_class("Anna", "Bo")
    path = f"/classes/{class_id}/roster"

    csv = "first_name,last_name,email\nBo,Ek,bo@school.example\nAnna,Ek,\nCy,Ek,\n"
    answer = await teacher.ask("PUT", path, content=csv.encode(), headers=CSV)

    after = {each["first_name"]: each for each in answer.raise_for_status().json()["students"]}
    assert {name: UUID(after[name]["student_id"]) for name in before} == before
    assert after["Bo"]["email"] == "bo@school.example"
    assert [version for version, _ in await rosters(world, class_id)] == [1, 2, 3]


async def test_who_left_the_class_and_comes_back_with_the_same_email_has_the_old_id(classes: Running) -> None:
    teacher = Person(classes)
    class_id, _ = await teacher.make_class("Anna")
    path, header, bo = f"/classes/{class_id}/roster", "first_name,last_name,email\n", "Bo,Ek,bo@school.example\n"

    lists = [header + bo, header, header + "Cy,Ek,\n" + bo]
    answers = [await teacher.ask("PUT", path, content=each.encode(), headers=CSV) for each in lists]

    before, nobody, after = ([each["student_id"] for each in answer.json()["students"]] for answer in answers)
    assert nobody == []
    assert len(before) == 1
    assert len(set(after) & set(before)) == 1


async def test_who_left_the_class_can_be_erased_and_is_somebody_new_afterwards(classes: Running) -> None:
    teacher = Person(classes)
    class_id, _ = await teacher.make_class("Anna")
    path, bo = f"/classes/{class_id}/roster", "first_name,last_name,email\nBo,Ek,bo@school.example\n"
    joined = await teacher.ask("PUT", path, content=bo.encode(), headers=CSV)
    (before,) = [each["student_id"] for each in joined.json()["students"]]
    await teacher.put(path, {"students": []})

    copy = await teacher.get(f"/classes/{class_id}/students/{before}/data")
    erased = await teacher.ask("DELETE", f"/classes/{class_id}/students/{before}")
    back = await teacher.ask("PUT", path, content=bo.encode(), headers=CSV)

    assert (copy.status_code, erased.status_code) == (200, 202)
    assert [each["student_id"] for each in back.json()["students"]] != [before]


@pytest.mark.parametrize(
    ("headers", "body", "about"),
    [
        (CSV, "first_name,last_name,email\nAnna,Ek,a@b\nBo,Ek,no address\n", "line 3: email: email has no @"),
        (CSV, "first_name\nAnna", "line 1: the column last_name is missing"),
        (CSV, "first_name,last_name\n" + "A,B\n" * 2_001, "students"),
        ({}, '{"students": [{"first_name": "Anna"}]}', "body.students.0.last_name"),
        ({}, '{"students": [{"first_name": "", "last_name": ""}]}', "give at least one"),
        ({}, "not json", "body"),
    ],
    ids=["csv: email", "csv: header", "csv: too many", "json: missing field", "json: no name", "no json"],
)
async def test_a_wrong_roster_is_refused_with_the_place_of_the_mistake(
    world: World, classes: Running, headers: dict[str, str], body: str, about: str
) -> None:
    teacher = Person(classes)
    class_id, _ = await teacher.make_class("Anna")

    answer = await teacher.ask("PUT", f"/classes/{class_id}/roster", content=body.encode(), headers=headers)

    assert answer.status_code == 422
    assert about in answer.json()["detail"]
    assert [version for version, _ in await rosters(world, class_id)] == [1, 2]


async def test_a_dry_run_says_who_would_come_and_go_and_every_problem_and_changes_nothing(
    world: World, classes: Running
) -> None:
    teacher = Person(classes)
    class_id, before = await teacher.make_class("Anna", "Bo")
    path, csv = f"/classes/{class_id}/roster", "Förnamn;Efternamn;E-post;Klass\nBo;Ek;;9B\nCy;Ek;cy@b;9B\n"
    broken = csv + "Di;Ek;di;9B\nEj;Ek;CY@B;9B\n"

    trial = await teacher.ask("PUT", path, content=csv.encode("windows-1252"), headers=CSV, params={"dry_run": True})
    listed = await teacher.ask("PUT", path, content=broken.encode(), headers=CSV, params={"dry_run": True})
    refused = await teacher.ask("PUT", path, content=broken.encode(), headers=CSV)

    assert (trial.status_code, listed.status_code, refused.status_code) == (200, 200, 422)
    seen = trial.json()
    assert {each["first_name"]: each["student_id"] for each in seen["students"]} == {
        "Bo": str(before["Bo"]),
        "Cy": None,
    }
    assert [each["student_id"] for each in seen["leaving"]] == [str(before["Anna"])]
    assert (seen["problems"], seen["ignored_columns"], seen["roster_version"]) == ([], ["Klass"], 2)
    problems = listed.json()["problems"]
    assert [(each["line"], each["column"]) for each in problems] == [(4, "email"), (5, "email")]
    assert refused.json()["problems"] == problems
    assert [version for version, _ in await rosters(world, class_id)] == [1, 2]
    taken = await teacher.ask("PUT", path, content=csv.encode("windows-1252"), headers=CSV)
    assert (taken.json()["roster_version"], taken.json()["ignored_columns"]) == (3, ["Klass"])


async def test_a_student_id_given_twice_is_refused(classes: Running) -> None:
    teacher = Person(classes)
    class_id, students = await teacher.make_class("Anna")
    twice = [{"first_name": name, "last_name": "Ek", "student_id": str(students["Anna"])} for name in ("A", "B")]

    assert (await teacher.put(f"/classes/{class_id}/roster", {"students": twice})).status_code == 422


async def test_the_same_idempotency_key_makes_one_class(world: World, classes: Running) -> None:
    teacher, key, body = Person(classes), str(uuid4()), {"name": "9B", "course_code": COURSE}

    first, again = await asyncio.gather(*(teacher.post("/classes", body, key=key) for _ in range(2)))
    other = await teacher.post("/classes", {**body, "name": "9C"}, key=key)

    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 422)
    assert first.json() == again.json()
    assert await rosters(world, UUID(first.json()["class_id"])) == [(1, [])]


async def test_a_teacher_sees_only_their_own_classes(classes: Running) -> None:
    teacher, other = Person(classes, "teacher-one"), Person(classes, "teacher-two")
    mine, _ = await teacher.make_class("Anna")
    theirs, _ = await other.make_class("Bo")

    assert [each["class_id"] for each in (await teacher.get("/classes")).json()] == [str(mine)]
    assert (await teacher.get(f"/classes/{mine}")).json()["students"][0]["first_name"] == "Anna"
    assert (await teacher.get(f"/classes/{theirs}")).status_code == 404
    assert (await teacher.put(f"/classes/{theirs}/roster", {"students": []})).status_code == 404
    seen_by_operator = (await operator(classes).get("/classes")).json()
    assert {str(mine), str(theirs)} <= {each["class_id"] for each in seen_by_operator}


# Looking


async def test_the_teacher_sees_every_essay_with_its_suggestion(world: World, classes: Running) -> None:
    batch = await asked(world, classes)

    seen, rows = await batch.seen(), await batch.rows()

    assert (seen["batch_id"], seen["class_id"], seen["status"]) == (str(batch.batch_id), str(batch.class_id), "open")
    first, _, third = rows
    assert (first["suggested_student_id"], first["confidence_score"]) == (batch.student("Anna"), 0.95)
    assert (first["confidence_level"], first["match_reasons"]) == ("high", ["The first line says so."])
    assert (first["validation_status"], first["student_id"], first["validated_by"]) == (
        "pending_validation",
        None,
        None,
    )
    assert (third["suggested_student_id"], third["confidence_level"]) == (None, "no_match")
    assert third["no_match_reason"] == "no_identity_found"
    (requested,) = await world.listener.said(StudentValidationRequestedV1, batch.batch_id)
    assert (requested.suggested_count, requested.unmatched_count) == (2, 1)
    assert requested.deadline.isoformat() == seen["deadline"].replace("Z", "+00:00")


async def test_before_the_suggestions_have_come_there_is_nothing_to_decide(world: World, classes: Running) -> None:
    teacher, batch_id = Person(classes), uuid4()
    class_id, _ = await teacher.make_class("Anna")
    await world.outside.publish(matching_requested(batch_id, class_id, [an_essay()]))

    assert (await teacher.get(f"/batches/{batch_id}/student-associations")).status_code == 404


async def test_suggestions_may_come_before_the_request_for_them(world: World, classes: Running) -> None:
    teacher, batch_id, essays = Person(classes), uuid4(), [an_essay(), an_essay()]
    class_id, students = await teacher.make_class("Anna")
    await world.outside.publish(suggested(batch_id, class_id, *(match(essay, students["Anna"]) for essay in essays)))
    await wait_until(lambda: world.listener.said(StudentValidationRequestedV1, batch_id))

    await world.outside.publish(matching_requested(batch_id, class_id, essays))
    await wait_until(lambda: world.is_done(service))

    seen = (await teacher.get(f"/batches/{batch_id}/student-associations")).json()
    assert {each["essay_id"] for each in seen["associations"]} == {str(essay.essay_id) for essay in essays}
    assert len(await world.listener.said(StudentValidationRequestedV1, batch_id)) == 1


# Deciding


async def test_a_decision_is_stored_with_who_and_when_and_can_be_changed(world: World, classes: Running) -> None:
    batch = await asked(world, classes)

    chosen = (await batch.decide(0, "Cy")).raise_for_status().json()
    rejected = (await batch.decide(1, None)).raise_for_status().json()
    nobody = (await batch.decide(2, None)).raise_for_status().json()
    changed = (await batch.decide(0, "Anna")).raise_for_status().json()

    assert (chosen["student_id"], chosen["validation_status"]) == (batch.student("Cy"), "confirmed")
    assert (chosen["validated_by"], chosen["validation_method"]) == (BERIT, "human")
    assert chosen["validated_at"] is not None
    assert (rejected["student_id"], rejected["validation_status"]) == (None, "rejected")
    assert (nobody["student_id"], nobody["validation_status"]) == (None, "no_match")
    assert (await batch.rows())[0] == changed
    assert changed["student_id"] == batch.student("Anna")
    assert (await batch.seen())["status"] == "open"


async def test_foreign_essays_students_and_teachers_are_refused(world: World, classes: Running) -> None:
    batch, other = await asked(world, classes), await asked(world, classes)
    stranger = Person(classes, "carl")
    one = f"{batch.path}/{batch.essays[0].essay_id}"
    foreign_essay = f"{batch.path}/{other.essays[0].essay_id}"
    body, foreign_student = {"student_id": batch.student("Anna")}, {"student_id": other.student("Anna")}

    assert (await batch.teacher.put(foreign_essay, body)).status_code == 409
    assert (await batch.teacher.put(one, foreign_student)).status_code == 409
    assert (await stranger.put(one, body)).status_code == 404
    assert (await stranger.post(f"{batch.path}/confirm", {"accept_suggestions": True})).status_code == 404
    assert (await stranger.put(f"{batch.path}/deadline", {"deadline": LATER})).status_code == 404
    assert (await stranger.get(batch.path)).status_code == 404
    assert {row["validation_status"] for row in await batch.rows()} == {"pending_validation"}


async def test_an_operator_may_look_but_not_act(world: World, classes: Running) -> None:
    batch, olle = await asked(world, classes), operator(classes)

    assert (await olle.get(batch.path)).status_code == 200
    assert (await olle.get(f"/classes/{batch.class_id}")).status_code == 200
    refused = [
        await olle.post("/classes", {"name": "9B", "course_code": COURSE}),
        await olle.put(f"/classes/{batch.class_id}/roster", {"students": []}),
        await olle.put(f"{batch.path}/{batch.essays[0].essay_id}", {"student_id": None}),
        await olle.put(f"{batch.path}/deadline", {"deadline": LATER}),
        await olle.post(f"{batch.path}/confirm", {"accept_suggestions": True}),
    ]
    assert [answer.status_code for answer in refused] == [403] * 5
    a_service = Person(classes, "student-matching", (Role.SERVICE,))
    assert (await a_service.get(batch.path)).status_code == 403


@pytest.mark.parametrize("body", [{}, {"student_id": "Anna"}, {"student_id": 7}])
async def test_a_decision_must_name_a_student_or_null(world: World, classes: Running, body: dict[str, object]) -> None:
    batch = await asked(world, classes)

    answer = await batch.teacher.put(f"{batch.path}/{batch.essays[0].essay_id}", body)

    assert answer.status_code == 422
    assert "student_id" in answer.json()["detail"]


# Confirming


async def test_confirming_with_undecided_essays_is_refused_names_them_and_stores_nothing(
    world: World, classes: Running
) -> None:
    batch = await asked(world, classes)
    await batch.decide(0, "Anna")

    answer = await batch.confirm("Bo", "Cy")

    assert answer.status_code == 409
    assert answer.json()["undecided"] == [str(batch.essays[2].essay_id)]
    assert [row["student_id"] for row in await batch.rows()] == [batch.student("Anna"), None, None]
    assert await results(world, batch.batch_id) == []


async def test_confirming_says_every_essay_once_and_answers_the_same_when_repeated(
    world: World, classes: Running
) -> None:
    batch = await asked(world, classes)
    await batch.decide(0, "Anna")

    answer = await batch.confirm("Anna", None, "Cy")
    again = [
        await batch.confirm("Anna", None, "Cy"),
        await batch.confirm(),
        await batch.teacher.post(f"{batch.path}/confirm"),
    ]

    assert answer.status_code == 200
    assert answer.json()["status"] == "confirmed"
    assert [(each.status_code, each.json()) for each in again] == [(200, answer.json())] * 3
    (said,) = await results(world, batch.batch_id)
    human = AssociationValidationMethod.HUMAN
    assert {each.essay_id: (each.student_id, each.status, each.validation_method) for each in said.associations} == {
        batch.essays[0].essay_id: (batch.students["Anna"], StudentAssociationStatus.CONFIRMED, human),
        batch.essays[1].essay_id: (None, StudentAssociationStatus.REJECTED, human),
        batch.essays[2].essay_id: (batch.students["Cy"], StudentAssociationStatus.CONFIRMED, human),
    }
    assert said.validation_summary.model_dump() == {"human": 3, "timeout": 0, "auto": 0}
    assert not said.timeout_triggered


async def test_after_confirmation_anything_else_is_refused_and_changes_nothing(world: World, classes: Running) -> None:
    batch = await asked(world, classes)
    final = (await batch.confirm("Anna", "Bo", None)).raise_for_status().json()

    refused = [
        await batch.confirm("Anna", "Cy", None),
        await batch.confirm("Anna", None),
        await batch.decide(0, "Anna"),
        await batch.decide(0, "Bo"),
        await batch.teacher.put(f"{batch.path}/deadline", {"deadline": LATER}),
    ]

    assert [answer.status_code for answer in refused] == [409] * 5
    assert await batch.seen() == final
    assert len(await results(world, batch.batch_id)) == 1


async def test_two_different_confirmations_at_the_same_time_give_one_result(world: World, classes: Running) -> None:
    batch = await asked(world, classes)

    one, other = await asyncio.gather(batch.confirm("Anna", "Bo", None), batch.confirm("Anna", "Bo", "Cy"))

    assert {one.status_code, other.status_code} == {200, 409}
    (said,) = await results(world, batch.batch_id)
    winner = one if one.status_code == 200 else other
    assert {str(each.essay_id): each.student_id and str(each.student_id) for each in said.associations} == {
        row["essay_id"]: row["student_id"] for row in winner.json()["associations"]
    }


async def test_accepting_suggestions_takes_them_where_nothing_was_decided(world: World, classes: Running) -> None:
    batch = await asked(world, classes)
    await batch.decide(1, "Cy")

    missing = await batch.confirm(accept_suggestions=True)
    answer = await batch.confirm(None, None, None, accept_suggestions=True)

    assert missing.json()["undecided"] == [str(batch.essays[2].essay_id)]
    assert answer.status_code == 200
    assert {row["validation_status"] for row in answer.json()["associations"]} == {"rejected", "no_match"}


async def test_accepted_suggestions_are_the_teachers_own_decisions(world: World, classes: Running) -> None:
    batch = await asked(world, classes)
    await batch.decide(2, None)

    (await batch.confirm(accept_suggestions=True)).raise_for_status()

    (said,) = await results(world, batch.batch_id)
    chosen = {each.essay_id: (each.student_id, each.validated_by) for each in said.associations}
    assert chosen == {
        batch.essays[0].essay_id: (batch.students["Anna"], BERIT),
        batch.essays[1].essay_id: (batch.students["Bo"], BERIT),
        batch.essays[2].essay_id: (None, BERIT),
    }


async def test_later_suggestions_replace_those_nobody_has_decided_about(world: World, classes: Running) -> None:
    batch = await asked(world, classes)
    await batch.decide(0, "Anna")
    better = [match(essay, batch.students["Cy"], 0.99) for essay in batch.essays[:2]]

    await world.outside.publish(suggested(batch.batch_id, batch.class_id, *better))
    await wait_until(lambda: world.is_done(service))

    rows = await batch.rows()
    assert [row["suggested_student_id"] for row in rows] == [batch.student("Anna"), batch.student("Cy"), None]
    assert len(await world.listener.said(StudentValidationRequestedV1, batch.batch_id)) == 1


async def test_suggestions_after_the_confirmation_change_nothing(world: World, classes: Running) -> None:
    batch = await asked(world, classes)
    final = (await batch.confirm("Anna", "Bo", None)).json()
    late = [match(essay, batch.students["Cy"]) for essay in [*batch.essays, an_essay()]]

    await world.outside.publish(suggested(batch.batch_id, batch.class_id, *late))
    await wait_until(lambda: world.is_done(service))

    assert await batch.seen() == final


async def test_who_leaves_the_class_is_no_longer_suggested_and_what_was_decided_stays(
    world: World, classes: Running
) -> None:
    batch = await asked(world, classes)
    (await batch.decide(0, "Anna")).raise_for_status()
    left = {"students": [{"first_name": "Cy", "last_name": "Ek"}]}

    await batch.teacher.put(f"/classes/{batch.class_id}/roster", left)

    first, second, _ = await batch.rows()
    assert (first["student_id"], first["validation_status"]) == (batch.student("Anna"), "confirmed")
    assert (second["suggested_student_id"], second["no_match_reason"]) == (None, "no_student_found")
    anew = [match(each, batch.students[name]) for each, name in zip(batch.essays, ("Cy", "Bo", "Cy"), strict=True)]
    await world.outside.publish(suggested(batch.batch_id, batch.class_id, *anew))
    await wait_until(lambda: world.is_done(service))
    again = await batch.rows()
    assert again[0] == first
    assert [each["suggested_student_id"] for each in again[1:]] == [None, batch.student("Cy")]
    assert (await batch.confirm("Anna", None, "Cy")).status_code == 200


async def test_a_student_who_joins_the_class_later_can_be_chosen(world: World, classes: Running) -> None:
    batch = await asked(world, classes)
    newcomer = {"first_name": "Dan", "last_name": "Ek", "student_id": str(uuid4())}
    before = [{"first_name": name, "last_name": "Ek"} for name in batch.students]

    await batch.teacher.put(f"/classes/{batch.class_id}/roster", {"students": [*before, newcomer]})
    batch.students["Dan"] = UUID(newcomer["student_id"])

    assert (await batch.decide(2, "Dan")).status_code == 200


async def test_a_class_set_to_do_so_confirms_a_batch_of_clear_suggestions_at_once(
    world: World, classes: Running
) -> None:
    teacher, batch_id, essays = Person(classes), uuid4(), [an_essay(), an_essay()]
    class_id, students = await teacher.make_class("Anna", "Bo", auto_confirm=True)
    clear = [match(essay, student, 0.95) for essay, student in zip(essays, students.values(), strict=True)]

    await world.outside.publish(suggested(batch_id, class_id, *clear))

    await wait_until(lambda: world.listener.said(StudentAssociationsConfirmedV1, batch_id))
    (said,) = await results(world, batch_id)
    assert said.validation_summary.model_dump() == {"human": 0, "timeout": 0, "auto": 2}
    assert {each.validated_by for each in said.associations} == {None}
    seen = (await teacher.get(f"/batches/{batch_id}/student-associations")).json()
    assert seen["status"] == "confirmed"


# Cancelling


async def test_nothing_can_be_decided_about_a_cancelled_batch(world: World, classes: Running) -> None:
    batch = await asked(world, classes)

    await world.outside.publish(cancelled(batch.batch_id))
    await wait_until(lambda: world.is_done(service))

    assert (await batch.decide(0, "Anna")).status_code == 409
    assert (await batch.confirm("Anna", "Bo", None)).status_code == 409
    assert (await batch.seen())["status"] == "cancelled"
    assert await results(world, batch.batch_id) == []


async def test_a_batch_cancelled_before_its_suggestions_came_asks_nobody(world: World, classes: Running) -> None:
    teacher, batch_id, essay = Person(classes), uuid4(), an_essay()
    class_id, students = await teacher.make_class("Anna")
    await world.outside.publish(cancelled(batch_id))
    await wait_until(lambda: world.is_done(service))

    await world.outside.publish(matching_requested(batch_id, class_id, [essay]))
    await world.outside.publish(suggested(batch_id, class_id, match(essay, students["Anna"])))
    await wait_until(lambda: world.is_done(service))

    assert await world.listener.said(StudentValidationRequestedV1, batch_id) == []
    assert (await other_teacher(classes).get(f"/batches/{batch_id}/student-associations")).status_code == 404
