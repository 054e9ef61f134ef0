"""Bodies that are not JSON, or that cannot be stored exactly, are refused, with the path of each fault."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tests.api import Api
from tests.schema.requests import GRAPHQL, creating, post, refusals, stored

HEAD, _, TAIL = orjson.dumps(creating()).partition(b'"jobConfig":{}')


def with_config(config: bytes) -> bytes:
    """Build a body that creates a pipeline whose only configuration is `config`."""
    return HEAD + b'"jobConfig":' + config + TAIL


CONFIG = ["variables", "input", "elements", "0", "jobConfig"]


@pytest.mark.parametrize("accept", [GRAPHQL, "application/json"])
@pytest.mark.parametrize("body", [b'"abc"', b"1", b"null", b"[1,2]", b"true", b"-0.5", b"[]"])
async def test_a_body_that_is_no_object_is_refused(shared: Api, body: bytes, accept: str) -> None:
    [error] = refusals(await post(shared, body, accept=accept), 400, "BAD_REQUEST")
    assert "JSON object" in error["message"]


async def test_a_batch_is_refused_whole(shared: Api) -> None:
    refusals(await post(shared, [creating(), creating()]), 400, "BAD_REQUEST")
    assert await stored(shared) == 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"abc",
        b"{'query': '{ __typename }'}",
        b'{"query": "{ __typename }",}',
        b'{"query": "{ __typename }"} {}',
        b'{"query": "{ __typename }", "variables": {"a": NaN}}',
        b'{"query": "{ __typename }", "variables": {"a": -Infinity}}',
        b'{"query": "{ __typename }", "variables": {"a": 1e400}}',
        b'{"query": "{ __typename }", "variables": {"a": ' + b"9" * 5000 + b"}}",
        b'{"query": "{ __typename }", "variables": {"a": 01}}',
        b'{"query": "{ __typename }", "variables": {"a": "\n"}}',
        b"\xef\xbb\xbf" + orjson.dumps(creating()),
    ],
    ids=lambda body: body[:70].decode(errors="replace"),
)
async def test_a_body_that_is_no_json_is_refused(shared: Api, body: bytes) -> None:
    [error] = refusals(await post(shared, body), 400, "BAD_REQUEST")
    assert error["message"].startswith("The body is not JSON")
    assert await stored(shared) == 0


async def test_a_cut_emoji_is_refused_with_its_place(shared: Api) -> None:
    body = orjson.dumps(creating()).replace(b'"known"', b'"\\ud83c"')
    [error] = refusals(await post(shared, body), 400, "BAD_REQUEST")
    assert error["message"] == "The text at variables.input.elements.0.name holds an unpaired surrogate."
    assert error["extensions"]["field"] == ["variables", "input", "elements", "0", "name"]
    assert await stored(shared) == 0


@pytest.mark.parametrize(
    "body",
    [
        b"\xff",
        b'{"query": "\xff"}',
        with_config(b'{"\xed\xa0\x80": 1}'),
        orjson.dumps(creating()).decode().encode("utf-16"),
    ],
)
async def test_a_body_that_is_not_utf_8_is_refused(shared: Api, body: bytes) -> None:
    [error] = refusals(await post(shared, body), 400, "BAD_REQUEST")
    assert error["message"] == "The body is not UTF-8."
    assert await stored(shared) == 0


@pytest.mark.parametrize(
    ("config", "place"),
    [
        (b'{"a": 1, "a": 2}', ["a"]),
        (b'{"a": 1, "\\u0061": 1}', ["a"]),
        (b'{"": 0, "": 0}', [""]),
        (b'{"a": {"b": [{}, {"c": 1, "c": null}]}}', ["a", "b", "1", "c"]),
        (b'{"a": "\\u0000"}', ["a"]),
        (b'{"a\\u0000b": 1}', ["a\0b"]),
        (b'{"a": ["x", "x\\u0000"]}', ["a", "1"]),
        (b'{"a": 18446744073709551616}', ["a"]),
        (b'{"a": [-9223372036854775809]}', ["a", "0"]),
        (b'{"a": 100000000000000000000000}', ["a"]),
    ],
)
async def test_what_cannot_be_kept_is_named_by_its_place(shared: Api, config: bytes, place: list[str]) -> None:
    [error] = refusals(await post(shared, with_config(config)), 400, "BAD_REQUEST")
    assert error["extensions"]["field"] == CONFIG + place
    assert await stored(shared) == 0


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b'{"query": "{ __typename }", "query": "{ __typename }"}', ["query"]),
        (b'{"query": "{ __typename }", "variables": {}, "variables": {}}', ["variables"]),
        (b'{"query": "{ __typename }", "extensions": {"a": 1, "a": 1}}', ["extensions", "a"]),
        (b'{"query": "{ \\u0000 }"}', ["query"]),
        (b'[{"a": 1, "a": 1}]', ["0", "a"]),
    ],
)
async def test_the_same_holds_for_all_of_the_body(shared: Api, body: bytes, place: list[str]) -> None:
    [error] = refusals(await post(shared, body), 400, "BAD_REQUEST")
    assert error["extensions"]["field"] == place


async def test_every_fault_is_named_at_once(shared: Api) -> None:
    config = b'{"a": 1, "a": 1, "b": {"c": "\\u0000"}, "d": [99999999999999999999]}'
    errors = refusals(await post(shared, with_config(config)), 400, "BAD_REQUEST")
    places = [["a"], ["b", "c"], ["d", "0"]]
    assert [error["extensions"]["field"] for error in errors] == [CONFIG + place for place in places]


async def test_a_long_key_is_cut_short_in_what_is_said_of_it(shared: Api) -> None:
    twice = ",".join(['"a": 1'] * 200)
    answer = await post(shared, f'{{"{"k" * 1_000_000}": {{{twice}}}}}'.encode())
    assert len(refusals(answer, 400, "BAD_REQUEST")) == 100
    assert len(answer.content) < 100_000


@pytest.mark.parametrize(
    ("opening", "closing"),
    [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")],
)
@pytest.mark.parametrize("depth", [127, 200, 1023, 30_000])
async def test_deep_json_is_refused(shared: Api, opening: bytes, closing: bytes, depth: int) -> None:
    config = opening * depth + b"1" + closing * depth
    refusals(await post(shared, with_config(config)), 400, "BAD_REQUEST")
    refusals(await post(shared, opening * depth), 400, "BAD_REQUEST")
    assert await stored(shared) == 0


@pytest.mark.parametrize(
    "config",
    [
        b'{"a": 18446744073709551615, "b": -9223372036854775808}',
        b'{"a": 1.7976931348623157e308, "b": 5e-324, "c": -0.0, "d": 123456789012345678901234567890.5}',
        b'{"a": "\\"\\\\\\u0001\\ud83d\\ude00:: 99999999999999999999 {\\"a\\": 1, \\"a\\": 2}"}',
        b'{"z": 1, "10": 2, "2": 3, "": 4, "__proto__": {"constructor": null}}',
        '{"é": "\u2028 e\u0301", "e\u0301": "\U0001f600"}'.encode(),
    ],
)
async def test_what_only_looks_dangerous_is_kept(shared: Api, config: bytes) -> None:
    created = (await post(shared, with_config(config))).json()["data"]["createPipeline"]["pipeline"]
    query = "query ($id: ID!) { pipeline(id: $id) { elements { jobConfig } } }"
    [element] = (await shared.data(query, id=created["id"]))["pipeline"]["elements"]
    sent: dict[str, Any] = orjson.loads(config)
    assert list(element["jobConfig"].items()) == list(sent.items())
    await shared.run("DeletePipeline", id=created["id"])


async def test_more_lists_than_can_be_decoded_quickly_are_refused(shared: Api) -> None:
    refusals(await post(shared, with_config(b"[" + b"[]," * 100_000 + b"[]]")), 413, "PAYLOAD_TOO_LARGE")
    assert await stored(shared) == 0
