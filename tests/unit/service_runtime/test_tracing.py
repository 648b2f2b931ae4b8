"""Spans continue the trace they are given, say nothing of the data, and cost nothing where nobody wants them."""

import subprocess
import sys

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from service_runtime import tracing

NAME = "Zebulon"
TRACE, PARENT = "a" * 32, "b" * 16
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    memory, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    monkeypatch.setattr(tracing._Exporter, "tracer", provider.get_tracer("tests"))
    return memory


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Whatever is configured is undone."""
    monkeypatch.setattr(tracing._Exporter, "tracer", None)
    monkeypatch.setattr(tracing._Exporter, "provider", None)
    return monkeypatch


def only(exported: InMemorySpanExporter) -> ReadableSpan:
    (span,) = exported.get_finished_spans()
    return span


def test_a_span_continues_its_parents_trace_and_is_the_parent_of_what_it_causes(exported: InMemorySpanExporter) -> None:
    with tracing.span("handle", TRACEPARENT, {"key": "k"}) as span:
        pass

    done = only(exported)
    assert done.context
    assert done.parent
    assert (done.parent.trace_id, done.parent.span_id) == (int(TRACE, 16), int(PARENT, 16))
    assert span.traceparent == f"00-{TRACE}-{done.context.span_id:016x}-01"
    assert dict(done.attributes or {}) == {"key": "k"}


@pytest.mark.parametrize("parent", [None, "", "nonsense", f"00-{'0' * 32}-{PARENT}-01"])
def test_without_a_readable_parent_a_trace_begins(exported: InMemorySpanExporter, parent: str | None) -> None:
    with tracing.span("handle", parent, {}) as span:
        pass

    assert only(exported).parent is None
    assert span.traceparent
    assert span.traceparent != parent


def test_of_an_error_a_span_has_the_kind_only(exported: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match=NAME), tracing.span("handle", None, {}):
        raise ValueError(NAME)

    assert "ValueError" in only(exported).to_json()
    assert NAME not in only(exported).to_json()


def test_what_nobody_traces_hands_its_parent_on(exported: InMemorySpanExporter) -> None:
    with tracing.span("GET", TRACEPARENT, {}, traced=False) as span:
        span.tell("GET /healthz", {})

    assert span.traceparent == TRACEPARENT
    assert exported.get_finished_spans() == ()


def test_nothing_is_traced_unless_an_endpoint_is_named(configured: pytest.MonkeyPatch) -> None:
    configured.delenv(ENDPOINT, raising=False)
    tracing.configure("notebook")
    assert tracing._Exporter.tracer is None

    configured.setenv(ENDPOINT, "http://127.0.0.1:1")
    tracing.configure("notebook")
    assert tracing._Exporter.tracer is not None
    tracing.finish()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        (ENDPOINT, ""),
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
    ],
)
def test_the_standard_variables_switch_it_off(configured: pytest.MonkeyPatch, variable: str, value: str) -> None:
    configured.setenv(ENDPOINT, "http://127.0.0.1:1")
    configured.setenv(variable, value)

    tracing.configure("notebook")

    assert tracing._Exporter.tracer is None


def test_without_traces_the_library_is_not_even_loaded() -> None:
    program = "import sys, service_runtime.service; sys.exit('opentelemetry.sdk' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
