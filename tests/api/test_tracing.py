"""Traces: a request is a span below its caller's, its statements are spans within, and without OpenTelemetry there is nothing."""

import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from api import tracing
from api.app import create_app
from engine.settings import Settings

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def store(sqlite):
    """One kind of database is enough here: nothing depends on it."""
    return sqlite


def test_follow(database_url, tmp_path):
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    app = create_app(Settings(database_url=database_url, data_dir=tmp_path))
    tracing.follow(app, app.extensions["database"], provider.get_tracer("test"))

    answer = app.test_client().get("/?case=secret-1", headers={"traceparent": CALLER})

    spans = exporter.get_finished_spans()
    [request] = [span for span in spans if span.name == "GET /"]
    assert f"{request.parent.span_id:016x}" == CALLER.split("-")[2]
    assert request.attributes["http.response.status_code"] == answer.status_code
    assert request.attributes["onething.request"] == answer.headers["X-Request-ID"]
    statements = [span for span in spans if span is not request]
    assert statements
    assert {span.parent.span_id for span in statements} == {request.context.span_id}
    assert all("secret-1" not in str(span.attributes) for span in spans)


def test_watch__imports_nothing_unless_it_is_wanted(database_url):
    program = "import sys; from api.app import create_app; create_app(); print(any('opentelemetry' in name for name in sys.modules))"
    environ = {"ONETHING_DATABASE_URL": database_url, "ONETHING_SECRET_KEY": "k" * 32}

    told = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True).stdout

    assert told == "False\n"


@pytest.fixture
def collector():
    """Whatever takes spans by OTLP over HTTP; tells what it was sent."""

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((self.path, ExportTraceServiceRequest.FromString(body)))
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.end_headers()

        def log_message(self, *_):
            pass

    received = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    server.received = received
    threading.Thread(target=server.serve_forever).start()
    yield server
    server.shutdown()
    server.server_close()


def test_watch__sends_spans_to_a_collector(database_url, tmp_path, collector):
    """As an operator sets it up: by the variables of OpenTelemetry alone; what is not sent yet is sent at the end."""
    program = "from api.app import create_app; create_app().test_client().get('/?case=secret-1')"
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "ONETHING_"))},
        "ONETHING_DATABASE_URL": database_url,
        "ONETHING_DATA_DIR": str(tmp_path),
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_port}",
        "OTEL_SERVICE_NAME": "hall",
    }

    subprocess.run([sys.executable, "-c", program], env=environ, check=True)

    assert {path for path, _ in collector.received} == {"/v1/traces"}
    resources = [each for _, sent in collector.received for each in sent.resource_spans]
    assert {a.value.string_value for r in resources for a in r.resource.attributes if a.key == "service.name"} == {"hall"}
    spans = [span for r in resources for scope in r.scope_spans for span in scope.spans]
    assert [span.name for span in spans if not span.parent_span_id] == ["GET /"]
    assert len(spans) > 1
    assert b"secret-1" not in b"".join(sent.SerializeToString() for _, sent in collector.received)
