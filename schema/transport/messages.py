"""Errors of graphql-transport-ws messages with unacceptable values: end one operation instead of the socket.

The protocol closes a socket for a message of an unknown type or form. If type and id of a message are readable, its
form is valid, and a value that cannot be stored is an error of that one operation.
"""

from __future__ import annotations

import json
import re
from typing import Any

from app.errors import BadJson, RequestError

SUBSCRIBE = "subscribe"
_TEXT = r'"(?:[^"\\]|\\.)*+"'
_TYPE = rf'"type"\s*:\s*"{SUBSCRIBE}"'
LEADING = re.compile(
    rf'\s*\{{\s*(?:"id"\s*:\s*({_TEXT})\s*,\s*{_TYPE}|{_TYPE}\s*,\s*"id"\s*:\s*({_TEXT}))\s*,\s*"payload"\s*:'
)
"""Start of a `subscribe` message up to its payload, as clients write it."""


def refused_subscribe(text: str, error: RequestError) -> dict[str, Any] | None:
    """Return a `subscribe` message whose payload is the error, for a text that was refused with it. Returns None if the
    message's id and type are unreadable or themselves invalid."""
    id = _id_of_refused(text) if isinstance(error, BadJson) else _leading_id(text)
    faulty = {problem.path[:1] for problem in error.problems} if isinstance(error, BadJson) else set()
    if id is None or faulty & {(), ("id",), ("type",)}:
        return None
    return {"type": SUBSCRIBE, "id": id, "payload": error}


def is_well_formed(payload: Any) -> bool:
    """Return whether the payload of a `subscribe` message has the form that the protocol requires, or names a document
    by its hash instead of the query."""
    if not isinstance(payload, dict):
        return False
    query, has_hash = payload.get("query"), "documentId" in payload or "extensions" in payload
    return (
        (isinstance(query, str) or (query is None and has_hash))
        and isinstance(payload.get("operationName"), str | None)
        and all(isinstance(payload.get(name), dict | None) for name in ("variables", "extensions"))
    )


def _id_of_refused(text: str) -> str | None:
    try:
        message = json.loads(text, parse_int=float, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    id = message.get("id") if isinstance(message, dict) and message.get("type") == SUBSCRIBE else None
    return id if isinstance(id, str) else None


def _leading_id(text: str) -> str | None:
    """Return the id of a text that is refused without decoding."""
    match = LEADING.match(text)
    try:
        id = json.loads(match[1] or match[2]) if match else None
    except ValueError:
        return None
    return id if isinstance(id, str) and id.isprintable() else None


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON.")
