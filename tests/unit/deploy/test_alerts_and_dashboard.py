"""Alerts and dashboard speak of metrics, labels and states that exist, and each alert has a page to read."""

import importlib
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from common_core.status_enums import BatchStatus
from prometheus_client.metrics import MetricWrapperBase
from service_runtime import metrics

from services.batch_orchestrator_service import metrics as orchestrator_metrics

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
ADDED_BY_PROMETHEUS = {"job", "le"}
COLUMNS = 24


def rules() -> list[dict[str, Any]]:
    groups = json.loads((DEPLOY / "prometheus" / "alerts.json").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((DEPLOY / "grafana" / "scriptorium.json").read_text())["panels"]
    return found


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in rules())
    yield from (target["expr"] for panel in panels() for target in panel["targets"])


def samples() -> dict[str, set[str]]:
    """The names under which our metrics are stored, each with its labels."""
    found: dict[str, set[str]] = {}
    for module in (metrics, orchestrator_metrics):
        for each in vars(module).values():
            if isinstance(each, MetricWrapperBase):
                (family,) = each.describe()
                suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(family.type, ("",))
                found |= {family.name + suffix: set(each._labelnames) for suffix in suffixes}
    return found


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as they are made where it is shown."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("expression", list(expressions()))
def test_an_expression_speaks_of_metrics_and_labels_that_exist(expression: str) -> None:
    known = samples()
    named = set(re.findall(r"scriptorium_\w+", expression))
    chosen = re.findall(r"(scriptorium_\w+)\{([^}]*)\}", expression)
    matched = [(name, label) for name, labels in chosen for label in re.findall(r"(\w+)(?:=|!)", labels)]
    grouped = {label for labels in re.findall(r"by \(([^)]*)\)", expression) for label in labels.split(", ")}

    assert named
    assert named <= set(known)
    assert all(label in known[name] for name, label in matched)
    assert grouped <= set.union(*(known[name] for name in named)) | ADDED_BY_PROMETHEUS
    assert expression.count("(") == expression.count(")")


@pytest.mark.parametrize("expression", list(expressions()))
def test_an_expression_speaks_of_states_that_exist(expression: str) -> None:
    assert set(re.findall(r'state="(\w+)"', expression)) <= set(BatchStatus)


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_says_what_is_wrong_and_where_to_read_what_to_do(rule: dict[str, Any]) -> None:
    page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    labels = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))

    assert anchor in anchors(ROOT / page)
    assert rule["labels"]["severity"] in {"warning", "critical"}
    assert labels <= {label for labels in re.findall(r"by \(([^)]*)\)", rule["expr"]) for label in labels.split(", ")}


@pytest.mark.parametrize("folder", sorted(path.parent.name for path in ROOT.glob("services/*/service.py")))
def test_prometheus_asks_every_process_of_every_service(folder: str) -> None:
    service = importlib.import_module(f"services.{folder}.service").service
    jobs = (DEPLOY / "prometheus" / "prometheus.yml").read_text()

    assert f"- job_name: {service.name}\n    dns_sd_configs: [{{names: [{folder}], type: A, port: 8000" in jobs


def test_what_must_be_watched_is_watched() -> None:
    said = " ".join(rule["expr"] for rule in rules())

    for name in ("outbox_oldest_seconds", "consumer_lag", "dead_letters", "batch_oldest_seconds", "relay_leader"):
        assert f"scriptorium_{name}" in said


def test_every_metric_is_on_the_dashboard() -> None:
    shown = " ".join(target["expr"] for panel in panels() for target in panel["targets"])
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in samples()}

    hidden = {each for each in families if each not in shown}

    assert hidden == {
        "scriptorium_messages_consumed_total",
        "scriptorium_dead_letters_oldest_seconds",
        "scriptorium_parked_oldest_seconds",
        "scriptorium_timers_due",
    }


# Prometheus itself

with_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="needs promtool, which is in Prometheus")


@with_promtool
@pytest.mark.parametrize(
    "words",
    ["check config --syntax-only prometheus.yml", "check rules alerts.json", "test rules alerts_test.yml"],
)
def test_promtool_accepts_the_configuration_and_each_alert_fires_when_it_must(words: str) -> None:
    command = ["promtool", *words.split()]
    done = subprocess.run(command, cwd=DEPLOY / "prometheus", check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr


@with_promtool
def test_prometheus_can_read_each_expression_of_the_dashboard(tmp_path: Path) -> None:
    shown = [target["expr"].replace("$__rate_interval", "5m") for panel in panels() for target in panel["targets"]]
    recorded = [{"record": f"panel:{number}", "expr": expression} for number, expression in enumerate(shown)]
    file = tmp_path / "rules.json"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": recorded}]}))

    done = subprocess.run(["promtool", "check", "rules", file], check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(shown)} rules found" in done.stdout


def test_each_alert_has_been_seen_to_fire_and_not_to() -> None:
    tests = yaml.safe_load((DEPLOY / "prometheus" / "alerts_test.yml").read_text())["tests"]
    asked = [(each["alertname"], "exp_alerts" in each) for test in tests for each in test["alert_rule_test"]]

    assert {(rule["alert"], fires) for rule in rules() for fires in (True, False)} == set(asked)


def test_in_kubernetes_the_pods_labels_are_the_jobs() -> None:
    (scrape,) = yaml.safe_load((DEPLOY / "prometheus" / "kubernetes.yml").read_text())["scrape_configs"]
    of_compose = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    (job,) = (each for each in scrape["relabel_configs"] if each.get("target_label") == "job")
    jobs = {each["job_name"] for each in of_compose["scrape_configs"]}

    assert job["source_labels"] == ["__meta_kubernetes_pod_label_app_kubernetes_io_name"]
    assert all((DEPLOY / "kubernetes" / "base" / f"{each}.yaml").exists() for each in jobs)


# The dashboard, as far as can be said without Grafana


def test_no_two_panels_are_in_the_same_place() -> None:
    places = [panel["gridPos"] for panel in panels()]
    taken = [
        (x, y)
        for place in places
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]

    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < COLUMNS
    assert len({panel["id"] for panel in panels()}) == len(panels())


@pytest.mark.parametrize("panel", panels(), ids=lambda panel: panel["title"])
def test_a_panel_asks_the_chosen_prometheus_and_names_its_lines(panel: dict[str, Any]) -> None:
    assert {each["datasource"]["uid"] for each in (panel, *panel["targets"])} == {"${datasource}"}
    assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
    for target in panel["targets"]:
        grouped = {label for labels in re.findall(r"by \(([^)]*)\)", target["expr"]) for label in labels.split(", ")}
        assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) == grouped - {"le"}
