"""Request cache: decodes only the variables of a repeated body.

Clients send the same document again and again with other variables. The bytes before and after the variables are then
known, and so is their meaning.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import orjson

from app.errors import BadJson
from app.server.bodies.strict_json import decode
from schema.operations import GraphQLRequest, graphql_request

KNOWN, LONGEST = 256, 16 * 2**10
"""Number of cached bodies, and their maximum bytes around the variables."""
VARIABLES = b'"variables":'


class CachedBody(NamedTuple):
    """A body without its variables."""

    end: bytes
    """Bytes after the variables."""
    request: GraphQLRequest


class RequestCache:
    """Recent bodies, by the bytes before their variables."""

    def __init__(self, max_depth: int) -> None:
        self._max_depth = max_depth
        self._known: dict[bytes, CachedBody] = {}

    def request(self, body: bytes) -> GraphQLRequest:
        """Decode the request of a body. Raises RequestError, with every place of BadJson."""
        start = body[: body.find(VARIABLES) + len(VARIABLES)]
        known = self._known.get(start)
        if known is not None and body.endswith(known.end):
            try:
                variables = decode(body[len(start) : -len(known.end)], self._max_depth - 1)
            except BadJson:
                variables = ()  # report places relative to the whole body
            if variables is None or type(variables) is dict:
                return GraphQLRequest(known.request.query, variables, known.request.operation_name, known.request.hash)
        value = decode(body, self._max_depth)
        request = graphql_request(value)
        if known is None and VARIABLES in start:
            self._remember(start, body, value)
        return request

    def _remember(self, start: bytes, body: bytes, value: dict[str, Any]) -> None:
        rest = body[len(start) :].decode().lstrip()
        _, length = json.JSONDecoder().raw_decode(rest)
        end = rest[length:].encode()
        # The match may be variables of an object deeper in the body.
        is_whole = orjson.loads(start + b"0" + end) == {**value, "variables": 0}
        if is_whole and len(start) + len(end) <= LONGEST:
            if len(self._known) >= KNOWN:
                self._known.clear()
            self._known[start] = CachedBody(end, graphql_request({**value, "variables": None}))
