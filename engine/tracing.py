"""Tracing (追踪): a span for each statement, when OpenTelemetry is installed (`onething[otel]`) and told where to send spans.

Nothing of it is imported otherwise.  Its own instrumentation of SQLAlchemy does not know version 2.1 yet; two events are all that it takes.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, event

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

#: OpenTelemetry's own variables, any of which turns it on.
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def wanted() -> bool:
    """Whether somebody wants traces, and they can be made."""
    return any(os.environ.get(name) for name in _ENDPOINTS) and find_spec("opentelemetry.sdk") is not None


def export() -> Tracer:
    """Begin to send spans where the variables of OpenTelemetry say (`OTEL_SERVICE_NAME` says who we are)."""
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: os.environ.get("OTEL_SERVICE_NAME", "onething")}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return provider.get_tracer("onething")


def statements(bind: Engine, tracer: Tracer) -> None:
    """Make a span for every statement; what it is given stays out of it, which is people's data."""
    system = "postgresql" if bind.dialect.name == "postgresql" else "sqlite"

    @event.listens_for(bind, "before_cursor_execute")
    def _begin(_connection: Any, _cursor: Any, statement: str, _parameters: Any, context: Any, _many: bool) -> None:
        attributes = {"db.system.name": system, "db.query.text": statement}
        context.span = tracer.start_span(statement.split(maxsplit=1)[0], attributes=attributes)

    @event.listens_for(bind, "after_cursor_execute")
    def _end(_connection: Any, _cursor: Any, _statement: str, _parameters: Any, context: Any, _many: bool) -> None:
        context.span.end()

    @event.listens_for(bind, "handle_error")
    def _fail(found: Any) -> None:
        if (span := getattr(found.execution_context, "span", None)) is not None:
            span.set_attribute("error.type", type(found.original_exception).__name__)
            span.end()
