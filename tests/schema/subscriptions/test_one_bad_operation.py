"""An operation with values that cannot be stored ends alone: other operations of its socket continue."""

from __future__ import annotations

import logging
from typing import Any

import orjson
import pytest

from tests.schema.subscriptions import clients
from tests.schema.subscriptions.clients import FOLLOW, Live, Socket

VIEWER = "{ viewer { organizationId } }"
COUNT = "query ($f: PipelineFilter) { pipelines(filter: $f) { totalCount } }"
VALUES = {
    "cut emoji": (r'"\ud83c"', "unpaired surrogate"),
    "other half": (r'"\udf89x"', "unpaired surrogate"),
    "NUL": (r'"a\u0000b"', "NUL"),
    "2 ** 64": ("18446744073709551616", "64 bits"),
    "5,000 digits": ("9" * 5000, ""),
    "key twice": ('{"a": 1, "a": 2}', "twice"),
    "deep": ("[" * 200 + "]" * 200, "deeper"),
    "many lists": ("[" + "[]," * 100_001 + "[]]", "more than"),
}


def message(value: str, id: str = "odd") -> str:
    return (
        f'{{"id": "{id}", "type": "subscribe", "payload": {{"query": {orjson.dumps(COUNT).decode()}, '
        f'"variables": {{"f": {{"nameContains": {value}}}}}}}}}'
    )


async def refused(socket: Socket, id: str = "odd") -> list[dict[str, Any]]:
    found = await socket.receive()
    assert (found["type"], found["id"]) == ("error", id)
    errors: list[dict[str, Any]] = found["payload"]
    return errors


@pytest.mark.parametrize("name", VALUES)
async def test_a_value_that_cannot_be_kept_is_an_error_of_its_operation(live: Live, socket: Socket, name: str) -> None:
    value, said = VALUES[name]
    await socket.subscribe(FOLLOW, "watch")
    await socket.settle()
    await socket.send(message(value))
    [error] = await refused(socket)
    assert error["extensions"]["code"] in ("BAD_REQUEST", "PAYLOAD_TOO_LARGE")
    assert said in error["message"]
    if said in ("unpaired surrogate", "NUL", "64 bits"):
        assert error["extensions"]["field"] == ["payload", "variables", "f", "nameContains"]
    id = (await live.api.create())["id"]
    assert (await socket.next("watch"))["pipelineId"] == id
    await socket.subscribe(VIEWER, "odd")  # the id can be reused
    assert await socket.next("odd") == {"organizationId": "local"}


async def test_type_may_come_first(socket: Socket) -> None:
    value = "[" + "[]," * 100_001 + "[]]"
    await socket.send(f'{{"type": "subscribe", "id": "odd", "payload": {{"variables": {{"a": {value}}}}}}}')
    assert (await refused(socket))[0]["extensions"]["code"] == "PAYLOAD_TOO_LARGE"


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({"query": VIEWER, "extensions": {"persistedQuery": {"version": 2}}}, "version"),
        ({"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "x"}}}, "SHA-256"),
        ({"query": VIEWER, "documentId": 7}, "documentId"),
    ],
)
async def test_a_hash_of_no_known_form_is_an_error_of_its_operation(
    socket: Socket, payload: dict[str, Any], said: str
) -> None:
    await socket.send({"id": "odd", "type": "subscribe", "payload": payload})
    assert said in (await refused(socket))[0]["message"]
    await socket.subscribe(VIEWER)
    assert await socket.next()


@pytest.mark.parametrize(
    "text",
    [
        message(r'"\ud83c"', r"\ud83c"),
        message(r'"\ud83c"', ""),
        message("1", r"a\u0000"),
        message(r'"\ud83c"').replace('"id": "odd"', '"id": 7'),
        message(r'"\ud83c"').replace('"id": "odd", ', '"id": "odd", "id": "other", '),
        message(r'"\ud83c"').replace("subscribe", "ping"),
        message(r'"\ud83c"')[:-1],
        message("NaN"),
        r'"\ud83c"',
    ],
)
async def test_what_has_no_readable_id_and_type_closes_the_socket(live: Live, text: str) -> None:
    async with clients.socket(live.url) as socket:
        await socket.send(text)
        assert (await socket.closed())[0] == 4400


async def test_the_rules_of_ids_hold_for_it_too(live: Live) -> None:
    async with clients.socket(live.url, ready=False) as socket:
        await socket.send(message(r'"\ud83c"'))
        assert (await socket.closed())[0] == 4401
    async with clients.socket(live.url) as socket:
        await socket.subscribe(FOLLOW, "odd")
        await socket.send(message(r'"\ud83c"'))
        assert (await socket.closed())[0] == 4409


async def test_an_empty_operation_name_counts_as_absent(live: Live, socket: Socket) -> None:
    body = {"query": VIEWER, "operationName": ""}
    await socket.send({"id": "1", "type": "subscribe", "payload": body})
    assert await socket.next() == {"organizationId": "local"}
    for _ in range(2):  # the head and the body of the second request are cached
        answer = await live.http.post("/graphql", json={**body, "variables": {}})
        assert answer.json() == {"data": {"viewer": {"organizationId": "local"}}}


@pytest.mark.parametrize("fragments", [[b"\xff\xfe"], [b'{"type":"pi\xc3', b'("}']], ids=["whole", "in fragments"])
async def test_invalid_utf_8_closes_the_socket_and_leaves_no_traceback(
    live: Live, caplog: pytest.LogCaptureFixture, fragments: list[bytes]
) -> None:
    async with clients.socket(live.url) as socket:
        for number, data in enumerate(fragments):
            first = (1 if number == 0 else 0) | (0x80 if number == len(fragments) - 1 else 0)
            socket.connection.transport.write(bytes([first, 0x80 | len(data)]) + b"\0\0\0\0" + data)
        assert (await socket.closed())[0] == 1007
    assert not [record for record in caplog.records if record.exc_info or record.levelno >= logging.ERROR]


async def test_a_character_may_be_split_between_fragments(socket: Socket) -> None:
    data = '{"type":"ping","payload":{"a":"é"}}'.encode()
    cut = data.index("é".encode()) + 1
    for first, part in ((0x01, data[:cut]), (0x80, data[cut:])):
        socket.connection.transport.write(bytes([first, 0x80 | len(part)]) + b"\0\0\0\0" + part)
    assert await socket.receive() == {"type": "pong", "payload": {"a": "é"}}
