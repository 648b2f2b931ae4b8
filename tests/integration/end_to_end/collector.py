"""An OpenTelemetry collector that keeps every span it is sent."""

import gzip
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class Collected:
    """A span, and the service whose it is."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    attributes: Mapping[str, str]


class Collector(ThreadingHTTPServer):
    """Listens for OTLP over HTTP on a free port."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Receiver)
        self.spans: list[Collected] = []
        self.said: list[str] = []
        """Everything that was sent, as text."""

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.shutdown()
        self.server_close()

    @property
    def variables(self) -> dict[str, str]:
        """What makes services send their spans here, soon."""
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self.server_port}",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
        }

    def take(self, body: bytes) -> None:
        """Keep the spans of one request."""
        request = ExportTraceServiceRequest.FromString(body)
        self.said.append(str(request))
        for group in request.resource_spans:
            service = {each.key: each.value.string_value for each in group.resource.attributes}["service.name"]
            for span in (each for scope in group.scope_spans for each in scope.spans):
                about = {each.key: each.value.string_value for each in span.attributes}
                ids = (span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex())
                self.spans.append(Collected(service, span.name, *ids, about))

    def of(self, trace: str) -> list[Collected]:
        """The spans of one trace."""
        return [each for each in self.spans if each.trace == trace]


class _Receiver(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:  # the name the library calls
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.take(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""
