"""Request cache: cached bodies decode to the same requests as uncached ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import RequestError
from app.server.bodies.strict_json import decode
from schema.operations import GraphQLRequest, graphql_request
from schema.transport import request_cache
from schema.transport.request_cache import RequestCache

DEPTH = 16
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5)
JSON = st.recursive(st.none() | st.integers(-9, 9) | TEXT, lambda inner: st.dictionaries(TEXT, inner, max_size=3))
VARIABLES = st.dictionaries(st.sampled_from(["id", "variables", "query"]), JSON, max_size=3)
QUERIES = st.sampled_from(["{ a }", 'query ($variables: ID) { a(b: "\\"variables\\":") }', "é"])
EXTENSIONS = st.none() | st.dictionaries(st.sampled_from(["variables", "x"]), JSON, max_size=2)
WRITERS: list[Callable[[Any], bytes]] = [orjson.dumps, lambda body: json.dumps(body).encode()]


def outcome(make: Callable[[], GraphQLRequest]) -> Any:
    """Decode a request, or return why it is invalid."""
    try:
        return make()
    except RequestError as error:
        return error.code, str(error), getattr(error, "problems", ())


def same(remembering: RequestCache, body: bytes) -> Any:
    """Return the request of a body, which must equal that of the uncached body."""
    found = outcome(lambda: remembering.request(body))
    assert found == outcome(lambda: graphql_request(decode(body, DEPTH))), body
    return found


@st.composite
def sent(draw: st.DrawFn) -> bytes:
    parts = {"query": draw(QUERIES), "variables": draw(st.none() | VARIABLES), "extensions": draw(EXTENSIONS)}
    names = draw(st.permutations(list(parts)))
    write: Callable[[Any], bytes] = draw(st.sampled_from(WRITERS))
    return write({name: parts[name] for name in names[: draw(st.integers(1, 3))]})


@given(st.lists(sent(), max_size=20))
def test_requests_are_as_if_each_body_were_the_first(all_sent: list[bytes]) -> None:
    remembering = RequestCache(DEPTH)
    for body in all_sent:
        same(remembering, body)


@pytest.mark.parametrize(
    "hostile",
    [
        b"",
        b"}",
        b"1,",
        b'{"id":1,"id":2}',
        b'{"id":1},"variables":{"id":2}',
        b'{"id":1},"query":"{ b }"',
        b'{"id":1}}',
        b'{"id":18446744073709551616}',
        b'{"id":"\\u0000"}',
        b'{"a":' * DEPTH + b"1" + b"}" * DEPTH,
        b"[]",
        b"null",
        b' {"id": 3} ',
        b'"variables":{}',
    ],
)
@pytest.mark.parametrize(("start", "end"), [(b'{"query":"{ a }",', b"}"), (b"{", b',"query":"{ a }"}')])
def test_what_follows_a_known_beginning_is_not_trusted(start: bytes, hostile: bytes, end: bytes) -> None:
    remembering = RequestCache(DEPTH)
    for variables in (b'{"id":1}', hostile, b'{"id":1}'):
        same(remembering, start + b'"variables":' + variables + end)


@pytest.mark.parametrize("value", [b"null", b"{}"])
def test_the_variables_of_something_deeper_are_none(value: bytes) -> None:
    remembering = RequestCache(DEPTH)
    for deeper in (value, b'{"id":1}'):
        body = b'{"extensions":{"variables":%b},"query":"{ a }","variables":%b}'
        assert same(remembering, body % (deeper, value)).variables == orjson.loads(value)


def test_the_rest_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    remembering, read = RequestCache(DEPTH), list[bytes]()

    def noting(raw: bytes, max_depth: int) -> Any:
        read.append(raw)
        return decode(raw, max_depth)

    monkeypatch.setattr(request_cache, "decode", noting)
    for number in (b"1", b"2"):
        remembering.request(b'{"query":"{ a }","variables":{"id":%b}}' % number)
    assert read == [b'{"query":"{ a }","variables":{"id":1}}', b'{"id":2}']


def test_no_more_is_remembered_than_there_is_room_for() -> None:
    remembering = RequestCache(DEPTH)
    for number in range(request_cache.KNOWN + 5):
        same(remembering, b'{"query":"{ a%d }","variables":{}}' % number)
        assert len(remembering._known) <= request_cache.KNOWN
    long = b'{"query":"%b","variables":{}}' % (b"a" * request_cache.LONGEST)
    same(remembering, long)
    assert not any(len(start) > request_cache.LONGEST for start in remembering._known)
