"""The manifests are valid, say the same of every service, and agree with docker-compose.yml and with the settings."""

import importlib
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from pydantic import AliasChoices
from scriptorium.environment import SERVICES, Member
from service_runtime import RuntimeSettings, Service
from service_runtime.health import DATABASE_ANSWERS_SECONDS

from services.file_service.settings import Settings as FileSettings

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deploy" / "kubernetes"
FILES = [path for path in sorted(FOLDER.rglob("*.yaml")) if path.name != "kustomization.yaml"]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
OLDEST, NEWEST = "1.29", "1.37"
STOP_SECONDS = 10
"""What a process takes at the most to end, by docs/operations.md."""
GIVEN_BY_SECRETS = {"SCRIPTORIUM_JWT_SECRET": "x" * 32, "KAFKA_SASL_USERNAME": "us", "KAFKA_SASL_PASSWORD": "x"}

type Manifest = dict[str, Any]


def documents(path: Path) -> list[Manifest]:
    return list(yaml.safe_load_all(path.read_text()))


def kustomization(folder: str) -> Manifest:
    (found,) = documents(FOLDER / folder / "kustomization.yaml")
    return found


def service_of(member: Member) -> Service:
    found: Service = importlib.import_module(f"services.{member.folder}.service").service
    return found


def manifest(member: Member, kind: str) -> Manifest:
    """What a service's file says of this kind."""
    (found,) = (each for each in documents(FOLDER / "base" / f"{service_of(member).name}.yaml") if each["kind"] == kind)
    return found


def pod(member: Member) -> Manifest:
    found: Manifest = manifest(member, "StatefulSet")["spec"]["template"]["spec"]
    return found


def container(member: Member) -> Manifest:
    (found,) = pod(member)["containers"]
    return dict(found)


def migration() -> Manifest:
    (found,) = documents(FOLDER / "base" / "migrate.yaml")
    job: Manifest = found["spec"]["template"]["spec"]
    return job


def configured() -> dict[str, str]:
    """The variables of the ConfigMap, as the example has them."""
    literals = [kustomization(folder)["configMapGenerator"][0]["literals"] for folder in ("base", "example")]
    return dict(each.split("=", 1) for given in literals for each in given)


def variables(kind: type[RuntimeSettings]) -> Iterator[str]:
    """The environment variables that settings are read from."""
    for name, field in kind.model_fields.items():
        alias = field.validation_alias
        yield str(alias.choices[0]) if isinstance(alias, AliasChoices) else f"SCRIPTORIUM_{name.upper()}"


every_service = pytest.mark.parametrize("member", SERVICES, ids=lambda member: member.folder)


# Valid


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_manifest_is_what_kubernetes_understands(path: Path, version: str) -> None:
    for each in documents(path):
        kubernetes_validate.validate(each, version, strict=True)


@pytest.mark.parametrize("folder", ["base", "example"])
def test_no_file_is_left_out(folder: str) -> None:
    files = {path.name for path in FILES if path.parent.name == folder}

    assert {each for each in kustomization(folder)["resources"] if each != "../base"} == files


def test_there_is_no_secret() -> None:
    assert "Secret" not in {each["kind"] for path in FILES for each in documents(path)}
    assert "secretGenerator" not in kustomization("base") | kustomization("example")


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="needs kubectl, to put base and example together")
def test_base_and_example_together_are_valid_and_every_name_leads_somewhere() -> None:
    command = ["kubectl", "kustomize", FOLDER / "example"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found: list[Manifest] = list(yaml.safe_load_all(said))
    for each in found:
        kubernetes_validate.validate(each, NEWEST, strict=True)
    (settings,) = (each["metadata"]["name"] for each in found if each["kind"] == "ConfigMap")

    assert set(re.findall(r"configMapRef:\s+name: (\S+)", said)) == {settings}
    assert set(re.findall(r"image: (\S+)", said)) == {"registry.example.org/scriptorium:0.1.0"}
    assert {each["metadata"].get("namespace") for each in found if each["kind"] != "Namespace"} == {"scriptorium"}


# All services alike


@every_service
def test_the_files_of_the_services_differ_in_names_alone(member: Member) -> None:
    def without_names(each: Member) -> str:
        text = (FOLDER / "base" / f"{service_of(each).name}.yaml").read_text()
        return re.sub(rf"{each.folder}|{service_of(each).name}|{each.variable}", "NAME", text)

    assert without_names(member) == without_names(SERVICES[0])


@every_service
def test_everything_of_a_service_is_found_by_its_name(member: Member) -> None:
    name = {"app.kubernetes.io/name": service_of(member).name}
    state = manifest(member, "StatefulSet")

    assert state["spec"]["selector"]["matchLabels"] == name
    assert name.items() <= state["spec"]["template"]["metadata"]["labels"].items()
    assert manifest(member, "Service")["spec"]["selector"] == name
    assert manifest(member, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == name
    assert manifest(member, "PodDisruptionBudget")["spec"]["maxUnavailable"] < state["spec"]["replicas"]


@every_service
def test_a_pod_has_its_own_database_and_a_name_that_stays(member: Member) -> None:
    found = {each["name"]: each["valueFrom"] for each in container(member)["env"]}
    database = {"name": "scriptorium-databases", "key": f"{member.variable}_DATABASE_URL"}

    assert found == {
        "SCRIPTORIUM_DATABASE_URL": {"secretKeyRef": database},
        "SCRIPTORIUM_INSTANCE_ID": {"fieldRef": {"fieldPath": "metadata.name"}},
    }


@every_service
def test_a_pod_waits_for_the_migration_of_its_own_service(member: Member) -> None:
    (first,) = pod(member)["initContainers"]

    assert first["command"] == ["python", "-m", "service_runtime.await_migration", service_of(member).name]
    assert [first[part] for part in ("env", "envFrom")] == [container(member)[part] for part in ("env", "envFrom")]


@every_service
def test_a_pod_is_asked_what_a_service_answers_and_given_time_for_it(member: Member) -> None:
    found = container(member)
    probes = {kind: found[f"{kind}Probe"] for kind in ("startup", "liveness", "readiness")}

    paths = {kind: probe["httpGet"]["path"] for kind, probe in probes.items()}
    assert paths == {"startup": "/healthz", "liveness": "/healthz", "readiness": "/readyz"}
    assert probes["readiness"]["timeoutSeconds"] > DATABASE_ANSWERS_SECONDS + 2.0
    _, pause = found["lifecycle"]["preStop"]["exec"]["command"]
    assert pod(member)["terminationGracePeriodSeconds"] > int(pause) + STOP_SECONDS


# As in containers


@every_service
def test_a_container_is_the_same_as_in_compose(member: Member) -> None:
    ours, theirs = container(member), COMPOSE["services"][member.folder]
    limits = theirs["deploy"]["resources"]["limits"]

    assert theirs["command"][-1].endswith(" ".join(["exec", *ours["command"]]))
    assert theirs["image"].split(":")[0] == ours["image"]
    assert {"cpu": limits["cpus"].removesuffix(".0"), "memory": limits["memory"] + "i"} == ours["resources"]["limits"]
    assert ours["ports"] == [{"name": "http", "containerPort": 8000}]
    assert f"={member.folder}:8000" in " ".join(COMPOSE["services"]["gateway"]["command"])


def test_the_migration_is_that_of_compose_and_knows_every_database() -> None:
    (ours,), theirs = migration()["containers"], COMPOSE["services"]["migrate"]

    assert (ours["command"], ours["image"]) == (theirs["command"], theirs["image"].split(":")[0])
    assert {"secretRef": {"name": "scriptorium-databases"}} in ours["envFrom"]


@pytest.mark.parametrize("spec", [*map(pod, SERVICES), migration()])
def test_a_pod_is_locked_in_as_in_compose(spec: Manifest) -> None:
    (user,) = re.findall(r"^USER (\d+):(\d+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    who = spec["securityContext"]

    assert (str(who["runAsUser"]), str(who["runAsGroup"])) == user
    assert who["runAsNonRoot"]
    assert who["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not any(spec[each] for each in ("automountServiceAccountToken", "enableServiceLinks"))
    for each in [*spec.get("initContainers", []), *spec["containers"]]:
        locked = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
        assert each["securityContext"] == locked
        assert "/tmp" in {mount["mountPath"] for mount in each["volumeMounts"]}  # noqa: S108  # the one writable place
        assert set(each["resources"]["limits"]) == {"cpu", "memory"}


@every_service
def test_uploads_wait_on_disk_with_room_for_as_many_as_are_taken_at_once(member: Member) -> None:
    (tmp,) = (each["emptyDir"] for each in pod(member)["volumes"] if each["name"] == "tmp")
    gibibytes = int(tmp["sizeLimit"].removesuffix("Gi"))

    assert "medium" not in tmp, "memory"
    assert gibibytes * 2**30 > FileSettings.model_fields["upload_spool_bytes"].default


def test_uploads_wait_on_disk_in_compose_in_a_folder_that_the_service_may_write() -> None:
    file_service = COMPOSE["services"]["file_service"]
    folder = file_service["environment"]["TMPDIR"]

    assert file_service["volumes"] == [f"uploads:{folder}"]
    assert "uploads" in COMPOSE["volumes"]
    # A new volume takes its owner from the image.
    assert (
        f"install --directory --owner=scriptorium --group=scriptorium --mode=0700 {folder}\n"
        in (ROOT / "Dockerfile").read_text()
    )


# Settings


@every_service
def test_a_service_reads_its_settings_from_the_example(member: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = service_of(member).settings
    for name, value in {**configured(), **GIVEN_BY_SECRETS}.items():
        monkeypatch.setenv(name, value)

    settings = kind(database_url="postgresql://host/database")

    assert settings.kafka_security_protocol == "SASL_SSL"
    assert settings.replication_factor == 3
    assert settings.instance_id is None


def test_every_variable_is_a_setting_that_some_service_knows() -> None:
    known = {name for member in SERVICES for name in variables(service_of(member).settings)}
    addresses = {f"SCRIPTORIUM_{member.variable}_URL" for member in SERVICES}
    in_compose = {name for name in COMPOSE["x-settings"] if not name.startswith("OTEL_")}

    assert configured().keys() | in_compose <= known | addresses
    assert GIVEN_BY_SECRETS.keys() <= known


@every_service
def test_the_services_find_each_other(member: Member) -> None:
    name = service_of(member).name
    (port,) = manifest(member, "Service")["spec"]["ports"]

    assert configured()[f"SCRIPTORIUM_{member.variable}_URL"] == f"http://{name}:{port['port']}"
    assert port["targetPort"] == "http"
    assert f"SCRIPTORIUM_{member.variable}_URL" in COMPOSE["x-settings"]


def test_the_ingress_leads_to_services_and_lets_in_only_what_needs_a_token() -> None:
    (ingress,) = documents(FOLDER / "example" / "ingress.yaml")
    paths = [path for rule in ingress["spec"]["rules"] for path in rule["http"]["paths"]]
    led_to = {path["backend"]["service"]["name"] for path in paths}

    assert led_to == {service_of(member).name for member in SERVICES} - {"student-matching"}
    assert {path["path"] for path in paths} == {"/v1"}
    assert {rule["host"] for rule in ingress["spec"]["rules"]} == set(ingress["spec"]["tls"][0]["hosts"])
