"""Protocol graphql-transport-ws."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import orjson
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from app.models.enums import PipelineStatus
from app.server.connections.message_limit import LONGEST_UNKNOWN
from tests.api import operation
from tests.schema.subscriptions import clients
from tests.schema.subscriptions.clients import FOLLOW, PROTOCOL, WATCH, Live, Socket

VIEWER = "{ viewer { organizationId } }"


async def test_speaks_the_protocol_that_the_client_names(live: Live) -> None:
    async with clients.socket(live.url, subprotocols=["other", PROTOCOL]) as socket:
        assert socket.connection.subprotocol == PROTOCOL


@pytest.mark.parametrize("offered", [["graphql-ws"], ["other"], None])
async def test_refuses_other_protocols(live: Live, offered: Any) -> None:
    async with clients.socket(live.url, ready=False, subprotocols=offered) as socket:
        assert await socket.closed() == (4406, "Subprotocol not acceptable")


@pytest.mark.parametrize("origin", ["http://elsewhere.test", "null", "http://[::1", "http://127.0.0.1:1"])
async def test_refuses_pages_of_other_origins(live: Live, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with clients.socket(live.url, origin=origin):
            pass
    assert refused.value.response.status_code == 403


async def test_takes_pages_of_its_own(live: Live) -> None:
    async with clients.socket(live.url, origin=live.url) as socket:
        await socket.subscribe(VIEWER)
        assert await socket.next() == {"organizationId": "local"}


async def test_is_only_at_its_path(live: Live) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with clients.socket(live.url + "/elsewhere"):
            pass
    assert refused.value.response.status_code == 403


async def test_closes_what_does_not_initialise_in_time(sqlite_url: str) -> None:
    async with (
        clients.live(sqlite_url, socket_init_timeout=1) as live,
        clients.socket(live.url, ready=False) as silent,
        clients.socket(live.url) as ready,
    ):
        await silent.send({"type": "ping"})
        assert await silent.receive() == {"type": "pong"}
        assert await silent.closed() == (4408, "Connection initialisation timeout")
        await ready.subscribe(VIEWER)
        assert await ready.next()


async def test_is_initialised_once(socket: Socket) -> None:
    await socket.send({"type": "connection_init"})
    assert await socket.closed() == (4429, "Too many initialisation requests")


async def test_runs_nothing_before_it_is_initialised(live: Live) -> None:
    async with clients.socket(live.url, ready=False) as socket:
        await socket.subscribe(VIEWER)
        assert await socket.closed() == (4401, "Unauthorized")


async def test_answers_pings_with_their_payload_and_takes_pongs(socket: Socket) -> None:
    await socket.send({"type": "pong"})
    await socket.send({"type": "pong", "payload": {"a": 1}})
    await socket.send({"type": "ping", "payload": {"at": 1}})
    assert await socket.receive() == {"type": "pong", "payload": {"at": 1}}
    await socket.send({"type": "ping"})
    assert await socket.receive() == {"type": "pong"}


async def test_runs_queries_and_mutations_too(socket: Socket) -> None:
    elements = [{"name": "a", "elementType": "DIRECT_ENTRY", "jobConfig": {}}]
    await socket.subscribe(operation("CreatePipeline"), input={"projectId": "p", "elements": elements})
    payload = await socket.next()
    assert payload["userErrors"] == []
    assert await socket.receive() == {"type": "complete", "id": "1"}
    await socket.subscribe(operation("Pipeline"), id=payload["pipeline"]["id"])
    assert (await socket.next())["projectId"] == "p"
    assert await socket.receive() == {"type": "complete", "id": "1"}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { a: pipelinesUpdated { kind } b: pipelinesUpdated { kind } }", "GRAPHQL_VALIDATION_FAILED"),
        ("query A { viewer { email } } query B { viewer { email } }", "OPERATION_RESOLUTION_FAILURE"),
        ("query ($id: ID!) { pipeline(id: $id) { id } }", "BAD_USER_INPUT"),
        ("subscription ($id: ID!) { pipelineUpdated(id: $id) { id } }", "BAD_USER_INPUT"),
        ("#" * 200_000 + VIEWER, "PAYLOAD_TOO_LARGE"),
    ],
)
async def test_a_wrong_operation_is_an_error_and_no_more(socket: Socket, query: str, code: str) -> None:
    await socket.subscribe(query)
    message = await socket.receive()
    assert (message["type"], message["id"]) == ("error", "1")
    assert [error["extensions"]["code"] for error in message["payload"]][:1] == [code]
    await socket.subscribe(VIEWER)
    assert await socket.next()


async def test_an_error_in_a_field_is_part_of_the_result(socket: Socket) -> None:
    await socket.subscribe("{ viewer { email } pipelines(first: 0) { totalCount } }")
    message = await socket.receive()
    assert message["type"] == "next"
    assert message["payload"]["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert await socket.receive() == {"type": "complete", "id": "1"}


async def test_an_id_is_used_by_one_operation_at_a_time(socket: Socket) -> None:
    await socket.subscribe(FOLLOW)
    await socket.subscribe(VIEWER)
    assert await socket.closed() == (4409, "Subscriber for 1 already exists")


async def test_a_completed_subscription_says_no_more_and_frees_its_id(live: Live, socket: Socket) -> None:
    id = (await live.api.create())["id"]
    await socket.subscribe(WATCH, id=id)
    await socket.next()
    await socket.send({"type": "complete", "id": "1"})
    await socket.send({"type": "complete", "id": "1"})
    await socket.send({"type": "complete", "id": "never heard of"})
    await socket.settle()
    assert not live.database.broker._subscribers
    await live.move(id, PipelineStatus.RUNNING)
    await socket.subscribe(WATCH, id=id)
    assert (await socket.next())["status"] == "RUNNING"


async def test_a_client_that_goes_leaves_nothing_behind(live: Live) -> None:
    id = (await live.api.create())["id"]
    async with clients.socket(live.url) as socket:
        await socket.subscribe(WATCH, "1", id=id)
        await socket.next()
        await socket.subscribe(FOLLOW, "2")
        await socket.settle()
    async with clients.socket(live.url) as socket:
        await socket.subscribe(WATCH, id=id)
        await socket.next()
        await socket.send({"type": "ping"})
        socket.connection.transport.abort()  # while a response is pending
    await asyncio.sleep(0.2)
    assert not live.database.broker._subscribers
    assert not live.server.server_state.tasks


async def test_a_mutation_is_finished_though_its_client_has_gone(live: Live) -> None:
    elements = [{"name": "a", "elementType": "DIRECT_ENTRY", "jobConfig": {}}]
    async with clients.socket(live.url) as socket:
        await socket.subscribe(operation("CreatePipeline"), input={"projectId": "left", "elements": elements})
        await socket.send({"type": "complete", "id": "1"})
    found = None
    for _ in range(50):
        found = (await live.api.run("Pipelines", filter={"projectId": "left"}))["totalCount"]
        if found:
            break
        await asyncio.sleep(0.02)
    assert found == 1


async def test_runs_so_many_operations_at_a_time_and_no_more(sqlite_url: str) -> None:
    async with clients.live(sqlite_url, max_socket_operations=3) as live, clients.socket(live.url) as socket:
        for key in "1234":
            await socket.subscribe(FOLLOW, key)
        message = await socket.receive()
        assert (message["type"], message["id"]) == ("error", "4")
        assert message["payload"][0]["extensions"]["code"] == "TOO_MANY_OPERATIONS"
        await socket.send({"type": "complete", "id": "2"})
        await socket.settle()
        await socket.subscribe(VIEWER, "4")
        assert await socket.next("4")


QUERY = {"query": VIEWER}
GARBAGE: list[Any] = [
    "",
    "nonsense",
    "null",
    "1",
    '"subscribe"',
    "[]",
    "{}",
    b"\xff\xfe",
    orjson.dumps({"type": "ping"}),
    '{"type": "ping", "type": "ping"}',
    '{"type": "ping", "payload": {"a": 99999999999999999999999}}',
    '{"type": "ping", "payload": ' + '{"a":' * 300 + "1" + "}" * 300 + "}",
    {"type": 1},
    {"type": None},
    {"type": "start", "id": "1", "payload": QUERY},
    {"type": "next", "id": "1", "payload": {}},
    {"type": "connection_ack"},
    {"type": "ping", "payload": "x"},
    {"type": "pong", "payload": []},
    {"type": "connection_init", "payload": 1},
    {"type": "complete"},
    {"type": "complete", "id": 1},
    {"type": "subscribe", "payload": QUERY},
    {"type": "subscribe", "id": 1, "payload": QUERY},
    {"type": "subscribe", "id": "", "payload": QUERY},
    {"type": "subscribe", "id": "1"},
    {"type": "subscribe", "id": "1", "payload": None},
    {"type": "subscribe", "id": "1", "payload": []},
    {"type": "subscribe", "id": "1", "payload": {}},
    {"type": "subscribe", "id": "1", "payload": {"query": 1}},
    {"type": "subscribe", "id": "1", "payload": QUERY | {"variables": []}},
    {"type": "subscribe", "id": "1", "payload": QUERY | {"operationName": 1}},
    {"type": "subscribe", "id": "1", "payload": QUERY | {"extensions": "x"}},
]


async def test_closes_at_whatever_the_protocol_does_not_know(live: Live) -> None:
    for message in GARBAGE:
        async with clients.socket(live.url) as socket:
            await socket.send(message)
            code, reason = await socket.closed()
        assert code == 4400, message
        assert reason
        assert reason.startswith("Invalid message: "), message


async def test_closes_at_a_message_that_is_too_long(sqlite_url: str) -> None:
    async with clients.live(sqlite_url, max_body_bytes=5000) as live, clients.socket(live.url) as socket:
        await socket.send({"type": "ping", "payload": {"a": "x" * 5000}})
        assert (await socket.closed())[0] == 1009


@pytest.mark.parametrize("parts", [1, 5])
async def test_before_it_is_known_who_sends_it_a_message_is_short(live: Live, parts: int) -> None:
    long = "x" * (LONGEST_UNKNOWN + 1)
    text = orjson.dumps({"type": "ping", "payload": {"a": long}}).decode()
    size = -(-len(text) // parts)
    async with clients.socket(live.url, ready=False) as socket:
        await socket.send({"type": "ping", "payload": {"a": "x" * 1000}})
        assert (await socket.receive())["type"] == "pong"
        with suppress(ConnectionClosed):
            await socket.connection.send([text[start : start + size] for start in range(0, len(text), size)])
        assert (await socket.closed())[0] == 1009
    async with clients.socket(live.url) as socket:
        await socket.send(text)
        assert (await socket.receive())["payload"] == {"a": long}


async def test_is_closed_as_restarting_when_the_server_ends(sqlite_url: str) -> None:
    async with clients.live(sqlite_url) as live, clients.socket(live.url) as socket:
        await socket.subscribe(FOLLOW)
        await socket.settle()
        live.server.should_exit = True
        assert (await socket.closed())[0] == 1012


async def test_a_socket_keeps_nothing_of_its_handshake(live: Live) -> None:
    async with clients.socket(live.url, additional_headers={"x-other": "1"}) as socket:
        await socket.settle()
        connections: set[Any] = live.server.server_state.connections
        [protocol] = [each for each in connections if hasattr(each, "conn")]
        assert not hasattr(protocol, "request")
        assert not hasattr(protocol, "response")
        assert protocol.scope.keys() == {"type", "path", "root_path"}
        await socket.subscribe("{ viewer { organizationId } }")  # its caller is authenticated again
        assert await socket.next()
