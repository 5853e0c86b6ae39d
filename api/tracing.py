"""Traces of requests: a span for each, below that of its caller (`traceparent`), when somebody wants them (`engine.tracing`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, Response, g, request

from engine import tracing
from engine.database import Database

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer


def watch(app: Flask, database: Database) -> None:
    """Trace requests and statements; nothing happens, and nothing is imported, unless somebody wants it."""
    if tracing.wanted():
        follow(app, database, tracing.export())


def follow(app: Flask, database: Database, tracer: Tracer) -> None:
    """Make a span for every request, and those of its statements within it."""
    from opentelemetry import context, propagate, trace

    def begin() -> None:
        if "span" in g:  # it is the same request, which begins anew (`api.repeats`)
            return
        route = request.url_rule.rule if request.url_rule else request.method
        attributes = {"http.request.method": request.method, "http.route": route, "onething.request": g.request_id}
        above = propagate.extract({name.lower(): value for name, value in request.headers.items()})
        g.span = tracer.start_span(f"{request.method} {route}", context=above, kind=trace.SpanKind.SERVER, attributes=attributes)
        g.trace_token = context.attach(trace.set_span_in_context(g.span, above))

    def note(answer: Response) -> Response:
        g.span.set_attribute("http.response.status_code", answer.status_code)
        return answer

    def end(_error: BaseException | None) -> None:
        if "span" in g:
            context.detach(g.trace_token)
            g.span.end()

    tracing.statements(database.bind, tracer)
    app.before_request(begin)
    app.after_request(note)
    app.teardown_request(end)
