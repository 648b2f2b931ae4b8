"""Names, addresses and texts are in no log, no trace and no metric, whatever goes well or wrong."""

import json
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

from service_runtime.testing import wait_until

from tests.integration.end_to_end.collector import Collector
from tests.integration.end_to_end.school import School

FIRST, LAST = "Zebulon", "Quistgård"
EMAIL = "zebbe@heron.example"
TEXT = "The heron waits where the river forgets its name, and nobody asks it why. "
FILE = "Zebulons dikt.txt"
PERSONAL = (FIRST, LAST, "Quistgard", EMAIL, "zebbe", "heron", "forgets its name", "dikt", "MASKINSKRIVET")
SERVICES = ("BATCH_ORCHESTRATOR", "ESSAY_LIFECYCLE", "CLASS_MANAGEMENT", "STUDENT_MATCHING", "FILE_SERVICE")


async def test_no_name_address_or_text_is_in_logs_traces_and_metrics(school: School, collector: Collector) -> None:
    await all_goes_well(school)
    await much_goes_wrong(school)

    told = {f"{name} metrics": (await school.request("GET", name, "/metrics")).text for name in SERVICES}
    last = await school.post("BATCH_ORCHESTRATOR", "/v1/batches", {"course_code": "SV1", "expected_essay_count": 1})
    await wait_until(lambda: any(last["batch_id"] in each for each in collector.said))
    told |= logs(school)
    told["traces"] = "\n".join(collector.said)

    assert all(told.values())
    assert {path for path in told if path.endswith("service.log")} == {f"{name}.log" for name in folders()}
    assert found(told) == []


def logs(school: School) -> dict[str, str]:
    """What every process of the system has written so far."""
    return {path.name: path.read_text() for path in Path(school.variables["LOGS"]).glob("*.log")}


def found(told: Mapping[str, str]) -> list[str]:
    """Where something personal stands, also when it is written with escapes."""
    return [
        f"{where}: {line[:300]}"
        for where, text in told.items()
        for line in text.splitlines()
        if any(word.lower() in line.lower() or json.dumps(word)[1:-1] in line for word in PERSONAL)
    ]


def folders() -> list[str]:
    return [f"{name.lower().removesuffix('_service')}_service" for name in SERVICES]


async def all_goes_well(school: School) -> None:
    """A batch all the way."""
    student = {"first_name": FIRST, "last_name": LAST, "email": EMAIL}
    path = f"/v1/classes/{school.class_id}/roster"
    (await school.request("PUT", "CLASS_MANAGEMENT", path, json={"students": [student]})).raise_for_status()
    batch_id = await school.register(2)
    parts = [
        ("files", (FILE, f"Namn: {FIRST} {LAST}\n{EMAIL}\n\n{TEXT}".encode())),
        ("files", (f"{FIRST} {LAST}.pdf", f"%PDF-1.7 {TEXT}".encode())),
        ("files", (FILE, f"{TEXT} twice".encode())),
    ]
    (await school.request("POST", "FILE_SERVICE", f"/v1/batches/{batch_id}/files", files=parts)).raise_for_status()
    await school.until_asked(batch_id)
    await school.confirm(batch_id)
    await school.until(batch_id, "ready_for_pipeline_execution")


async def much_goes_wrong(school: School) -> None:
    """Requests that are refused, and messages that wait, cannot be read or are refused."""
    path = f"/v1/classes/{school.class_id}/roster"
    wrong = {"students": [{"first_name": FIRST, "last_name": LAST, "email": f"{EMAIL} {TEXT}"}, {"last_name": LAST}]}
    refused = await school.request("PUT", "CLASS_MANAGEMENT", path, json=wrong)
    assert refused.status_code == 422
    await school.request("GET", "CLASS_MANAGEMENT", f"/v1/classes?name={FIRST}")

    batch_id = await school.register(1)
    content = {"batch_id": batch_id, "original_file_name": FILE, "file_size_bytes": 7, "file_upload_id": str(uuid4())}
    await school.publish("upstream", "EssayContentProvisionedV1", {**content, "text_storage_id": {TEXT: LAST}})
    early = {**content, "batch_id": str(uuid4()), "text_storage_id": "elsewhere/1"}
    await school.publish("upstream", "EssayContentProvisionedV1", early)
    matches = {"batch_id": batch_id, "class_id": LAST, "course_code": TEXT, "results": [{"student_name": FIRST}]}
    await school.publish("upstream", "BatchAuthorMatchesSuggestedV1", matches)

    def parked() -> bool:
        said = "".join(logs(school).values())
        return all(each in said for each in ("undecodable", early["batch_id"]))

    await wait_until(parked, 30)
