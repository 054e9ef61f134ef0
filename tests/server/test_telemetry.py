"""Traces, received by a collector that speaks OTLP over HTTP."""

from __future__ import annotations

import gzip
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from websockets import Subprotocol
from websockets.sync.client import ClientConnection, connect

from app.database import telemetry
from app.database.connect import database_url as parsed
from app.database.telemetry import WrongTelemetry, is_wanted, tracing
from app.models.sql import is_file
from tests import servers

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
CREATE = """mutation Create($input: CreatePipelineInput!) {
  createPipeline(input: $input) { pipeline { id } userErrors { message } }
}"""
START = "mutation Start($id: ID!) { startPipeline(id: $id) { pipeline { status } } }"
WATCH = "subscription Watch($id: ID!) { pipelineUpdated(id: $id) { status } }"
GET = "query Get($id: ID!) { pipeline(id: $id) { status } }"


class Collector:
    """Spans by name, with their attributes."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.spans: list[Any] = []

    def take(self, body: bytes) -> None:
        request = ExportTraceServiceRequest.FromString(body)
        self.spans += [span for each in request.resource_spans for scope in each.scope_spans for span in scope.spans]

    def find(self, name: str, **attributes: str) -> Any:
        """Wait for a span with a name and attributes."""
        end = monotonic() + 20
        while monotonic() < end:
            for span in list(self.spans):
                given = {each.key: each.value.string_value for each in span.attributes}
                if span.name == name and attributes.items() <= given.items():
                    return span
            sleep(0.05)
        raise AssertionError(f"no span {name} with {attributes} among {[span.name for span in self.spans]}")

    def children(self, parent: Any) -> list[Any]:
        return [each for each in self.spans if each.parent_span_id == parent.span_id]


@contextmanager
def collecting() -> Iterator[Collector]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            collector.take(gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as receiver:
        collector = Collector(receiver.server_port)
        threading.Thread(target=receiver.serve_forever, daemon=True).start()
        yield collector
        receiver.shutdown()


def send(url: str, query: str, headers: dict[str, str] | None = None, **variables: Any) -> Any:
    answer = httpx.post(
        f"{url}/graphql", json={"query": query, "variables": variables}, headers=headers, trust_env=False, timeout=20
    ).json()
    assert "errors" not in answer, answer
    return answer["data"]


def test_spans_of_a_request_a_run_and_a_job_have_the_right_parents(database_url: str) -> None:
    with collecting() as collector, ExitStack() as running:
        variables = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_BSP_SCHEDULE_DELAY": "100",
            "VOLTGRAPH_EXECUTOR": "app.execution.fake:FakeExecutor",
        }
        has_worker = not is_file(parsed(database_url))
        if has_worker:
            running.enter_context(servers.working(database_url, **variables))
        workers = "0" if has_worker else "1"
        server = running.enter_context(servers.serving(database_url, **variables, VOLTGRAPH_WORKERS=workers))
        elements = [{"name": "known", "elementType": "DIRECT_ENTRY", "jobConfig": {"values": {"a": 1}}}]
        created = send(server.url, CREATE, input={"projectId": "p", "elements": elements})
        id = created["createPipeline"]["pipeline"]["id"]
        headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "x-request-id": "request-7"}
        send(server.url, START, headers, id=id)
        send(server.url, GET, {"traceparent": f"00-{TRACE}-{PARENT}-01"}, id=id)

        job = collector.find("job DIRECT_ENTRY", **{telemetry.PIPELINE: id, telemetry.ELEMENT: "known"})
        run = collector.find("run", **{telemetry.PIPELINE: id})
        request = collector.find("POST /graphql", **{"graphql.operation.name": "Start"})
        enqueue = collector.find("enqueue", **{telemetry.PIPELINE: id})
        get = collector.find("POST /graphql", **{"graphql.operation.name": "Get"})

    assert (request.trace_id.hex(), request.parent_span_id.hex()) == (TRACE, PARENT)
    assert "request-7" in str(request.attributes)
    assert enqueue.trace_id.hex() == TRACE
    [link] = enqueue.links
    assert (link.trace_id, link.span_id) == (run.trace_id, run.span_id)
    assert run.parent_span_id == b""
    assert run.trace_id.hex() != TRACE
    assert (job.trace_id, job.parent_span_id) == (run.trace_id, run.span_id)
    assert {each.name for each in collector.children(job)} == {"write"}
    [plan] = collector.children(request)
    assert plan.name == "plan"
    assert [each.name for each in collector.children(get)] == ["plan"]
    assert enqueue.parent_span_id == plan.span_id
    assert [each.name for each in collector.children(enqueue)] == ["write"]
    create = collector.find("POST /graphql", **{"graphql.operation.name": "Create"})
    [plan] = collector.children(create)
    assert [each.name for each in collector.children(plan)] == ["write"]


def subscribe(socket: ClientConnection, number: int, query: str, **variables: Any) -> list[Any]:
    """Run an operation over a WebSocket; return its messages."""
    payload = {"query": query, "variables": variables}
    socket.send(json.dumps({"id": str(number), "type": "subscribe", "payload": payload}))
    messages = [json.loads(socket.recv(20))]
    while messages[-1]["type"] == "next":
        messages.append(json.loads(socket.recv(20)))
    return messages


def test_each_operation_of_a_websocket_has_a_span_of_its_own() -> None:
    with collecting() as collector, ExitStack() as running:
        folder = running.enter_context(TemporaryDirectory())
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "100"}
        server = running.enter_context(servers.serving(f"sqlite:///{folder}/x.db", **variables, VOLTGRAPH_WORKERS="0"))
        address = f"{server.url.replace('http', 'ws', 1)}/graphql"
        headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "x-request-id": "request-8"}
        with connect(address, subprotocols=[Subprotocol("graphql-transport-ws")], additional_headers=headers) as socket:
            socket.send('{"type": "connection_init"}')
            assert json.loads(socket.recv(20))["type"] == "connection_ack"
            elements = [{"name": "e", "elementType": "DIRECT_ENTRY", "jobConfig": {"values": {"a": 1}}}]
            created, _ = subscribe(socket, 1, CREATE, input={"projectId": "p", "elements": elements})
            id = created["payload"]["data"]["createPipeline"]["pipeline"]["id"]
            got, _ = subscribe(socket, 2, GET, id=id)
            assert got["payload"] == {"data": {"pipeline": {"status": "PENDING"}}}
            [wrong] = subscribe(socket, 3, WATCH, id="00000000-0000-7000-8000-000000000000")
            assert wrong["type"] == "error"
            name = "WEBSOCKET /graphql"
            create = collector.find(name, **{"graphql.operation.name": "Create"})
            get = collector.find(name, **{"graphql.operation.name": "Get", "graphql.operation.type": "query"})
            code = wrong["payload"][0]["extensions"]["code"]
            watch = collector.find(name, **{"graphql.operation.name": "Watch", "voltgraph.code": code})
    assert len({span.trace_id for span in (create, get, watch)} | {bytes.fromhex(TRACE)}) == 4
    assert [span.parent_span_id for span in (create, get, watch)] == [b""] * 3
    assert "voltgraph.code" not in str(get.attributes)
    assert all("request-8" in str(span.attributes) for span in (create, get, watch))
    [plan] = collector.children(create)
    assert [each.name for each in collector.children(plan)] == ["write"]
    assert [each.name for each in collector.children(get)] == ["plan"]


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "x"}, False),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}, False),
        ({"OTEL_SDK_DISABLED": "TRUE", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://x"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": "console"}, True),
    ],
)
def test_the_standard_variables_turn_them_on(variables: dict[str, str], wanted: bool) -> None:
    assert is_wanted(variables) is wanted


@pytest.mark.parametrize(
    "variables",
    [
        {"OTEL_TRACES_EXPORTER": "zipkin"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
    ],
)
def test_exporters_that_do_not_exist_are_refused(variables: dict[str, str]) -> None:
    with pytest.raises(WrongTelemetry, match="OTEL_TRACES_EXPORTER may be"), tracing(variables):
        pass
    assert telemetry.tracer is None


def test_a_missing_extra_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.resources", None)
    with (
        pytest.raises(WrongTelemetry, match="Install the extra `telemetry`"),
        tracing({"OTEL_TRACES_EXPORTER": "otlp"}),
    ):
        pass


def test_off_nothing_of_opentelemetry_is_imported_by_spans() -> None:
    with tracing({}), telemetry.span("work") as span, telemetry.run_span("id", 1), telemetry.enqueue_span("id"):
        assert span is None
        assert telemetry.tracer is None
