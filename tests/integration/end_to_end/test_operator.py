"""An operator at the command line of a running system: a dead letter corrected, a student's data copied and erased."""

import json
from pathlib import Path
from uuid import uuid4

from service_runtime.testing import wait_until

from tests.integration.end_to_end.command_line import ended, scriptorium
from tests.integration.end_to_end.school import School, essay

CONTENT = "EssayContentProvisionedV1"


async def test_a_dead_letter_is_found_by_asking_why_and_corrected(school: School, tmp_path: Path) -> None:
    batch_id = await school.register(1, guest=True)
    wrong = {"batch_id": batch_id, "file_upload_id": str(uuid4()), "original_file_name": "a.txt", "file_size_bytes": 7}
    await school.publish("upstream", CONTENT, wrong)

    async def told() -> str:
        said = await scriptorium(school.variables, "why", batch_id)
        return said if "has parked" in said else ""

    said = await wait_until(told, 30)
    assert said.startswith("It waits for content: 1 of 1 slots are free, since ")
    assert f"the essay lifecycle has parked {CONTENT} since" in said
    assert "text_storage_id: Field required" in said

    (letter,) = json.loads(await scriptorium(school.variables, "dead-letters", "list", "--key", batch_id, "--json"))
    assert letter["letter"].startswith("essay-lifecycle/")
    table = await scriptorium(school.variables, "dead-letters", "list", "--key", batch_id)
    assert letter["letter"] in table
    assert max(map(len, table.splitlines())) <= 100
    assert "a.txt" not in await scriptorium(school.variables, "dead-letters", "show", letter["letter"])

    corrected = tmp_path / "corrected.json"
    corrected.write_text(json.dumps({**wrong, "text_storage_id": "elsewhere/1"}))
    why = ["--why", "the registry left a field out"]
    await scriptorium(school.variables, "dead-letters", "edit", letter["letter"], "--file", str(corrected), *why)

    await school.until(batch_id, "ready_for_pipeline_execution")
    assert await scriptorium(school.variables, "dead-letters", "list", "--key", batch_id) == "There are none.\n"
    assert "It waits for nothing" in await scriptorium(school.variables, "why", batch_id)


async def test_a_student_is_found_their_data_copied_and_erased(school: School, tmp_path: Path) -> None:
    batch_id, text = await school.register(1), essay("Åsa Öström")
    await school.upload(batch_id, text)
    await school.until_asked(batch_id)
    found = json.loads(await scriptorium(school.variables, "students", "find", "OSTROM", "--json"))
    ids = next([each["class_id"], each["student_id"]] for each in found if each["class_id"] == school.class_id)

    early = await ended(school.variables, "students", "erase", *ids, "--why", "asked for", "--yes")
    await school.confirm(batch_id)
    await scriptorium(school.variables, "students", "export", *ids, "--to", str(tmp_path / "copy"))
    told = await scriptorium(school.variables, "students", "erase", *ids, "--why", "asked for", "--yes")

    assert early.status == 1
    assert f"confirm or cancel batch {batch_id}, then erase" in early.errors
    assert (tmp_path / "copy" / "01-file-0.txt").read_bytes() == text
    assert json.loads((tmp_path / "copy" / "data.json").read_text())["student"]["last_name"] == "Öström"
    assert told.count("has erased the student; essays or files: 1.") == 4
