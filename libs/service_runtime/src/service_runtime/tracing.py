"""Traces: one for all that a request or a message from outside leads to; events and timers carry its W3C context.

Off, and free, unless the standard variables name an endpoint. A span tells types, ids and routes, and of an error only
its kind: never what an event or a request says.
"""

import os
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self

from opentelemetry.trace import Span as OtelSpan
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from service_runtime.logging import log

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
FINISH_SECONDS = 1.0
type About = Mapping[str, str | int]

_W3C = TraceContextTextMapPropagator()


class Span:
    """A piece of work that nobody traces: what it causes continues its parent's trace."""

    __slots__ = ("traceparent",)

    def __init__(self, parent: str | None) -> None:
        self.traceparent = parent

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """An error goes on."""

    def tell(self, name: str, about: About) -> None:
        """What is known only at the end."""


class _Recorded(Span):
    """A span; its own context is the parent of what it causes."""

    __slots__ = ("_span",)

    def __init__(self, span: OtelSpan) -> None:
        at = span.get_span_context()
        super().__init__(f"00-{at.trace_id:032x}-{at.span_id:016x}-{at.trace_flags:02x}")
        self._span = span

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if kind is not None:
            self._span.set_status(Status(StatusCode.ERROR, kind.__name__))
        self._span.end()

    def tell(self, name: str, about: About) -> None:
        """What is known only at the end."""
        self._span.update_name(name)
        self._span.set_attributes(about)


class _Exporter:
    """Where spans go in this process, if anywhere."""

    provider: "TracerProvider | None" = None
    tracer: Tracer | None = None


def configure(service: str) -> None:
    """Send this process's spans to where the OTEL_* variables say, if they say anything."""
    if not any(map(os.environ.get, ENDPOINTS)) or os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return
    protocol = next(filter(None, map(os.environ.get, PROTOCOLS)), "http/protobuf")
    if os.environ.get("OTEL_TRACES_EXPORTER", "otlp") != "otlp" or protocol != "http/protobuf":
        log.warning("traces_off", reason="only OTLP over http/protobuf is spoken here", protocol=protocol)
        return
    # Here, since whoever does not trace need not load them.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    resource = Resource.create({"service.name": service, "service.namespace": "scriptorium"})
    _Exporter.provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    _Exporter.provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _Exporter.tracer = _Exporter.provider.get_tracer("scriptorium")


def finish() -> None:
    """Send what is left, for a second at the most: a collector that is away must not hold up the end."""
    if _Exporter.provider is not None:
        sending = threading.Thread(target=_Exporter.provider.shutdown, daemon=True)
        sending.start()
        sending.join(FINISH_SECONDS)


def span(
    name: str, parent: str | None, about: About, kind: SpanKind = SpanKind.INTERNAL, *, traced: bool = True
) -> Span:
    """A piece of work in the trace of its parent, a W3C traceparent; an unreadable one, or None, begins a new trace."""
    if _Exporter.tracer is None or not traced:
        return Span(parent)
    context = _W3C.extract({"traceparent": parent} if parent else {})
    return _Recorded(_Exporter.tracer.start_span(name, context, kind, about))
