"""How the worker and its children talk: JSON objects, each after its length in four bytes."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any

import orjson

LENGTH = struct.Struct("!I")
LONGEST = 1 << 28
"""Of a child's messages: a child that says more is not believed."""


def send(connection: socket.socket, message: dict[str, Any]) -> None:
    connection.sendall(packed(message))


def receive(connection: socket.socket) -> dict[str, Any]:
    """The next message. EOFError when the other side is gone."""
    (length,) = LENGTH.unpack(_exactly(connection, LENGTH.size))
    message: dict[str, Any] = orjson.loads(_exactly(connection, length))
    return message


async def receive_async(reader: asyncio.StreamReader) -> dict[str, Any]:
    """The next message. asyncio.IncompleteReadError when the other side is gone, ConnectionError when it is mad."""
    (length,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
    if length > LONGEST:
        raise ConnectionError(f"a message of {length} bytes")
    message: dict[str, Any] = orjson.loads(await reader.readexactly(length))
    return message


def packed(message: dict[str, Any]) -> bytes:
    body = orjson.dumps(message)
    return LENGTH.pack(len(body)) + body


def _exactly(connection: socket.socket, size: int) -> bytes:
    chunks = bytearray()
    while len(chunks) < size:
        chunk = connection.recv(min(size - len(chunks), 1 << 20))
        if not chunk:
            raise EOFError
        chunks += chunk
    return bytes(chunks)
