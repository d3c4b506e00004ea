"""Spans of requests, commands and commits, sent over OTLP by OpenTelemetry's SDK.

A request goes on with the trace of whoever asked (``traceparent``). Below it is a span
for its command, with the same cause that the journal and the log have. A commit has
messages of many, and is a trace of its own.

Spans wait in a queue of bounded length, and a thread sends them; a collector that is
away costs spans, and no command waits for it.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from fastapi import FastAPI
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Tracer, format_trace_id

from mes_engine.core.messages import Answer, Commanded
from mes_engine.core.state import State
from mes_engine.runtime.engine import Note
from mes_engine.web.parts import EngineFace

NAME = "mes-engine"
SEND_S = 1.0
"""For one attempt to send, unless the environment says; the last ones are four."""
UNTRACED = "/healthz,/readyz,/metrics,/static/,/facts/stream"


@contextmanager
def exporting(version: str) -> Iterator["Spans"]:
    """Send spans until this ends, and then what is left."""
    known = Resource.create({"service.name": NAME, "service.version": version})
    provider = TracerProvider(resource=known.merge(OTELResourceDetector().detect()))
    timeout = None if "OTEL_EXPORTER_OTLP_TIMEOUT" in os.environ else SEND_S
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=timeout)))
    try:
        yield Spans(provider)
    finally:
        provider.shutdown()


class Spans:
    """Makes spans of what an engine does: ``telemetry.Telemetry``."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer(NAME)

    def noting(self, note: Note) -> Note:
        """Return ``note``, made to tell of each commit as well."""

        def told(*, messages: int, seconds: float) -> None:
            note(messages=messages, seconds=seconds)
            ended = time.time_ns()
            span = self._tracer.start_span(
                "commit",
                attributes={"mes.messages": messages},
                start_time=ended - round(seconds * 1_000_000_000),
            )
            span.end(ended)

        return told

    def commanded(self, engine: EngineFace) -> EngineFace:
        """Return the engine, with a span for each command."""
        return _Traced(engine, self._tracer)

    def requested(self, app: FastAPI) -> FastAPI:
        """Return the app, with a span for each request but those of monitors."""
        FastAPIInstrumentor.instrument_app(
            app,
            tracer_provider=self._provider,
            excluded_urls=UNTRACED,
            exclude_spans=["receive", "send"],
            server_request_hook=_bind,
        )
        return app


class _Traced:
    """An engine whose commands are spans: ``EngineFace``."""

    def __init__(self, engine: EngineFace, tracer: Tracer) -> None:
        self._engine = engine
        self._tracer = tracer

    @property
    def committed(self) -> State:
        return self._engine.committed

    @property
    def is_accepting(self) -> bool:
        return self._engine.is_accepting

    @property
    def outage(self) -> str:
        return self._engine.outage

    async def submit(self, commanded: Commanded) -> Answer:
        attributes = {"mes.cause": f"{commanded.origin}:{commanded.key}"}
        with self._tracer.start_as_current_span(
            type(commanded.command).__name__,
            kind=SpanKind.INTERNAL,
            attributes=attributes,
        ) as span:
            answer = await self._engine.submit(commanded)
            span.set_attribute("mes.outcome", answer.outcome.value)
            return answer


def _bind(span: Span, _: dict[str, Any]) -> None:
    """Have the log name the trace beside the request."""
    trace = format_trace_id(span.get_span_context().trace_id)
    structlog.contextvars.bind_contextvars(trace=trace)
