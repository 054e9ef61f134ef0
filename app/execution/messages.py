"""Messages between the worker and its child processes: JSON objects, each after its length in four bytes. The samples
of a series follow its message."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Annotated, Any, Literal, NotRequired

import orjson
from pydantic import Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from app.execution.executor import Series
from app.execution.streams.samples import SIZE, Allowance, Sampled, told

DESCRIPTORS = ("STDOUT", "STDERR", "WARNING", "status")
"""Descriptors that the worker passes with each connection: write ends of pipes for the three streams of the job's log,
and for the fork server's report of how the process ended."""
LENGTH = struct.Struct("!I")
LONGEST = 1 << 28
"""Maximum bytes of a child's message; a longer one is a protocol violation."""

LAST_ITERATION = 2**31 - 1
"""Largest number that an integer of GraphQL, and the column of checkpoints on PostgreSQL, can hold."""


class ProtocolViolation(ConnectionError):
    """A child process sent a message that violates the protocol. Treat the process as compromised by the configuration
    that it ran."""


class Began(TypedDict):
    kind: Literal["began"]
    pid: int


class Reported(TypedDict):
    kind: Literal["progress"]
    iteration: Annotated[int, Field(ge=0, le=LAST_ITERATION)] | None
    cost: float | None
    best_cost: float | None
    parameters: dict[str, Any]


class Resulted(TypedDict):
    kind: Literal["result"]
    result: dict[str, Any]


class Failed(TypedDict):
    kind: Literal["failed"]
    code: Literal[
        "CONFIGURATION_ERROR",
        "MODEL_ERROR",
        "SOLVER_ERROR",
        "EXECUTION_TIMEOUT",
        "SUBMISSION_FAILED",
        "INTERNAL_ERROR",
    ]
    message: str
    detail: dict[str, Any] | None
    traceback: NotRequired[str]


class Found(TypedDict):
    message: str
    path: list[str]


class Checked(TypedDict):
    kind: Literal["faults"]
    faults: list[list[Found]]


class Column(TypedDict):
    name: str
    unit: str | None
    min: float | None
    max: float | None
    missing: int


class Ingested(TypedDict):
    kind: Literal["ingested"]
    rows: int
    columns: list[Column]
    changes: list[str]
    steps: dict[str, list[Any]] | None
    cycles: dict[str, list[Any]] | None
    preview: dict[str, list[float | None]]
    parquet: str
    steps_parquet: str | None


_messages: TypeAdapter[Any] = TypeAdapter(
    Annotated[Began | Reported | Sampled | Resulted | Failed | Checked | Ingested, Field(discriminator="kind")]
)


class WorkerGone(BaseException):
    """The worker closed the connection: it canceled the job or has ended. No executor catches this error as one of its
    own."""


def send(connection: socket.socket, message: dict[str, Any]) -> None:
    """Send a message to the worker. Raises WorkerGone."""
    _send_all(connection, packed(message))


def send_series(connection: socket.socket, series: Series, allowance: Allowance) -> None:
    """Send a series of a job. Raises ValueError if the worker would refuse it, and WorkerGone."""
    message, samples = told(series)
    _messages.validate_python(message, strict=True)
    allowance.take(message)
    send(connection, message)
    for channel in samples:
        _send_all(connection, channel)


def receive(connection: socket.socket) -> dict[str, Any]:
    """Return the worker's next message. Raises WorkerGone."""
    (length,) = LENGTH.unpack(_exactly(connection, LENGTH.size))
    message: dict[str, Any] = orjson.loads(_exactly(connection, length))
    return message


async def hear(reader: asyncio.StreamReader, allowance: Allowance) -> dict[str, Any]:
    """Return a child's next message; a series comes with its `samples`, bytes for each channel. Raises
    asyncio.IncompleteReadError if the child is gone, ProtocolViolation if the message violates the protocol."""
    (length,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
    if length > LONGEST:
        raise ProtocolViolation(f"a message of {length} bytes")
    body = await reader.readexactly(length)
    try:
        message: dict[str, Any] = _messages.validate_python(orjson.loads(body), strict=True)
    except (orjson.JSONDecodeError, ValidationError) as error:
        raise ProtocolViolation("a message of no known form") from error
    if b"\\u0000" in body or not isinstance((message.get("result") or {}).get("parameter_values") or {}, dict):
        raise ProtocolViolation("a message that cannot be stored")
    if message["kind"] == "series":
        message["samples"] = await _samples(reader, message, allowance)
    return message


async def _samples(reader: asyncio.StreamReader, message: dict[str, Any], allowance: Allowance) -> list[bytes]:
    try:
        allowance.take(message)
    except ValueError as error:
        raise ProtocolViolation(str(error)) from error
    return [await reader.readexactly(SIZE * message["rows"]) for _ in message["channels"]]


def packed(message: dict[str, Any]) -> bytes:
    body = orjson.dumps(message)
    return LENGTH.pack(len(body)) + body


def _send_all(connection: socket.socket, data: bytes | memoryview) -> None:
    try:
        connection.sendall(data)
    except (BrokenPipeError, ConnectionResetError) as error:
        raise WorkerGone from error


def _exactly(connection: socket.socket, size: int) -> bytes:
    chunks = bytearray()
    while len(chunks) < size:
        try:
            chunk = connection.recv(min(size - len(chunks), 1 << 20))
        except ConnectionResetError as error:
            raise WorkerGone from error
        if not chunk:
            raise WorkerGone
        chunks += chunk
    return bytes(chunks)
