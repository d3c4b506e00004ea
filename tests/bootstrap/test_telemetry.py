"""Traces come to a real collector over OTLP, and nothing waits for one that is away."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from mes_engine.bootstrap import telemetry as module
from mes_engine.bootstrap.telemetry import Silent, telemetry
from mes_engine.core.errors import SettingsError
from tests.faults.harness import NOWHERE, EngineProcess, an_engine

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = "00f067aa0ba902b7"
COMMAND = {
    "Idempotency-Key": "the-first-one",
    "X-Person": "Ada",
    "traceparent": f"00-{TRACE}-{CALLER}-01",
}


class Collector:
    """What was sent to it.

    Attributes:
        spans: Every span, in the order of its end.
        resources: What each batch says of who sent it.
    """

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.resources: list[dict[str, str]] = []
        self.is_hung = threading.Event()

    def receive(self, body: bytes) -> None:
        asked = trace_service_pb2.ExportTraceServiceRequest.FromString(body)
        for resource in asked.resource_spans:
            found = {
                one.key: one.value.string_value for one in resource.resource.attributes
            }
            self.resources.append(found)
            for scope in resource.scope_spans:
                self.spans.extend(scope.spans)

    def named(self, name: str) -> list[Span]:
        return [one for one in self.spans if one.name == name]


@contextmanager
def a_collector(*, is_deaf: bool = False) -> Iterator[tuple[Collector, str]]:
    """Run one; a deaf one takes what is sent and never answers."""
    collector, ending = Collector(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.receive(self.rfile.read(int(self.headers["Content-Length"])))
            if is_deaf:
                ending.wait()
                return
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield collector, f"http://127.0.0.1:{server.server_port}"
    finally:
        ending.set()
        server.shutdown()
        thread.join()
        server.server_close()


async def hold_what_comes(engine: EngineProcess) -> httpx.Response:
    async with httpx.AsyncClient(base_url=engine.url) as client:
        await client.get("/readyz")
        return await client.post(
            "/api/v1/holds",
            json={
                "scope": "lot",
                "mode": "future",
                "reason": "looked at",
                "query": {"supplier_lot": "S-1"},
            },
            headers=COMMAND,
        )


async def test_a_command_is_a_span_in_the_trace_of_who_asked(tmp_path: Path) -> None:
    with a_collector() as (collector, url):
        told = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": url,
            "OTEL_RESOURCE_ATTRIBUTES": "site=north",
        }
        async with an_engine(tmp_path, token="t", environment=told) as engine:
            await engine.start()
            answer = await hold_what_comes(engine)
            assert answer.status_code == 200, answer.text
            assert await engine.stop() == 0

    (request,) = collector.named("POST /api/v1/holds")
    (command,) = collector.named("OpenHold")
    assert request.trace_id.hex() == command.trace_id.hex() == TRACE
    assert request.parent_span_id.hex() == CALLER
    assert command.parent_span_id == request.span_id
    attributes = {one.key: one.value.string_value for one in command.attributes}
    assert attributes == {"mes.cause": "http:the-first-one", "mes.outcome": "accepted"}
    assert any(
        command.start_time_unix_nano <= one.end_time_unix_nano
        for one in collector.named("commit")
    )
    assert not [one for one in collector.spans if "readyz" in one.name]
    (known, *_) = collector.resources
    assert known["service.name"] == "mes-engine"
    assert known["service.version"]
    assert known["site"] == "north"


@pytest.mark.parametrize("is_there", [False, True])
async def test_a_collector_that_does_not_answer_holds_nothing_up(
    tmp_path: Path, *, is_there: bool
) -> None:
    with a_collector(is_deaf=True) as (_, url):
        where = url if is_there else f"http://127.0.0.1:{NOWHERE}"
        told = {"OTEL_EXPORTER_OTLP_ENDPOINT": where}
        async with an_engine(tmp_path, token="t", environment=told) as engine:
            await engine.start()
            answer = await hold_what_comes(engine)
            assert answer.status_code == 200, answer.text
            began = monotonic()
            assert await engine.stop() == 0
            assert monotonic() - began < 10


def test_without_the_extra_it_is_said_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def without(_: str) -> Any:
        raise ModuleNotFoundError(name="opentelemetry.sdk")

    monkeypatch.setattr(module, "import_module", without)
    asked = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://here/v1/traces"}

    with pytest.raises(SettingsError, match="asks for traces") as caught:
        telemetry("1", asked)

    assert "mes-engine[opentelemetry]" in str(caught.value.hint)


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://here", "OTEL_SDK_DISABLED": "true"},
    ],
)
def test_nothing_is_traced_unasked(environment: dict[str, str]) -> None:
    with telemetry("1", environment) as found:
        assert isinstance(found, Silent)
