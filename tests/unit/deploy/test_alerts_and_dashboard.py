"""Alerts and dashboard speak of metrics, labels and states that exist, and each alert has a page to read."""

import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from common_core.status_enums import BatchStatus
from prometheus_client.metrics import MetricWrapperBase
from service_runtime import metrics

from services.batch_orchestrator_service import metrics as orchestrator_metrics

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
ADDED_BY_PROMETHEUS = {"job", "le"}


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
    matched = re.findall(r"(scriptorium_\w+)\{(\w+)", expression)
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
