"""Attack: the bytes sent over a connection, and the allowed responses."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

REFUSED = frozenset({400, 401, 403, 404, 405, 406, 408, 411, 413, 414, 415, 417, 422, 429, 431, 501})
ANSWERS = REFUSED | {100, 200, 201}
SMALL = 2**20
"""Maximum bytes of an attack that may block the event loop only briefly."""


@dataclass(frozen=True, slots=True)
class Attack:
    """`raw` are all bytes sent. `answers` are the allowed statuses; 0 allows the end of the connection without an
    answer."""

    name: str
    raw: bytes
    size: int
    """Bytes of the decompressed body."""
    answers: frozenset[int] = ANSWERS


def request(
    name: str,
    body: bytes = b"",
    *,
    method: str = "POST",
    target: str = "/graphql",
    headers: dict[str, str] | None = None,
    answers: frozenset[int] = ANSWERS,
    size: int | None = None,
) -> Attack:
    """Build a well-formed request with any body."""
    given = {"host": "localhost", "content-type": "application/json", "content-length": str(len(body))}
    lines = "".join(f"{key}: {value}\r\n" for key, value in (given | (headers or {})).items() if value)
    head = f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode("latin-1")
    return Attack(name, head + body, len(body) if size is None else size, answers)


def document(name: str, query: str, **variables: Any) -> Attack:
    """A GraphQL document."""
    return request(name, orjson.dumps({"query": query, "variables": variables}))


def packed(name: str, body: bytes, encoding: str = "gzip") -> Attack:
    return request(name, gzip.compress(body, 6), headers={"content-encoding": encoding}, size=len(body))


async def strike(port: int, attack: Attack, patience: float = 30) -> int:
    """Return the status of the answer, 0 for none."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**26)
    try:
        sending = asyncio.create_task(_send(writer, attack.raw))
        async with asyncio.timeout(patience):
            line = await reader.readline()
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        return int(line.split()[1]) if line else 0
    except ConnectionError:
        return 0
    finally:
        writer.transport.abort()


async def _send(writer: asyncio.StreamWriter, raw: bytes) -> None:
    for part in _parts(raw):
        writer.write(part)
        await writer.drain()


def _parts(raw: bytes) -> Iterator[bytes]:
    for start in range(0, len(raw), 2**18):
        yield raw[start : start + 2**18]
