"""Traces: a request is a span below its caller's, its statements are spans within, and without OpenTelemetry there is nothing."""

import subprocess
import sys

import pytest
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
