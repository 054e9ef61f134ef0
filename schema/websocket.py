"""GraphQL over WebSocket, protocol graphql-transport-ws:
https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from contextlib import ExitStack, aclosing, suppress
from typing import Any, NoReturn
from urllib.parse import urlsplit

from graphql import OperationType
from starlette.types import Receive, Scope, Send

from app.away import expected
from app.bodies import decoded
from app.callers import Caller
from app.cors import allows
from app.errors import RequestError, RequestErrorCode, logged
from app.settings import Settings
from schema.masking import failure, refusal
from schema.operations import Answer, Operation, Operations, encoded, graphql_request

PROTOCOL = "graphql-transport-ws"
LONGEST_REASON = 123
"""In bytes: what fits in the frame that closes a WebSocket."""


class Closed(Exception):
    """The socket is to be closed, by what the client did."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason.encode()[:LONGEST_REASON].decode(errors="ignore")


class Gone(Exception):
    """The client has gone, or the server is about to."""


class Sockets:
    """Answers WebSockets, each on its own."""

    def __init__(self, operations: Operations, settings: Settings) -> None:
        self._operations, self._settings, self._origins = operations, settings, settings.origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()  # that a client wants to connect
        if not from_allowed_page(scope["headers"], self._origins):
            # A browser sends no preflight request first, as it does before it posts JSON to another origin.
            await send({"type": "websocket.close", "code": 1008, "reason": "Another origin"})
            return
        chosen = PROTOCOL if PROTOCOL in scope["subprotocols"] else None
        await send({"type": "websocket.accept", "subprotocol": chosen})
        try:
            if chosen is None:
                raise Closed(4406, "Subprotocol not acceptable")
            await Socket(self._operations, self._settings, dict(scope["headers"]), receive, send).serve()
        except Gone:
            pass
        except Closed as closed:
            await _close(send, closed)
        except Exception as error:
            await _close(send, Closed(4500, logged(error).message))


async def _close(send: Send, closed: Closed) -> None:
    with suppress(OSError):  # the client has gone
        await send({"type": "websocket.close", "code": closed.code, "reason": closed.reason})


def from_allowed_page(headers: Iterable[tuple[bytes, bytes]], origins: Collection[str]) -> bool:
    """Whether a page that opens a socket, where it is one, came from this very server or from one of the origins."""
    given = dict(headers)
    origin = given.get(b"origin")
    if origin is None or allows(origins, origin):
        return True
    return urlsplit(origin).netloc.lower() == given.get(b"host", b"").lower()


class Socket:
    """One client, and the operations that it runs."""

    def __init__(
        self, operations: Operations, settings: Settings, headers: dict[bytes, bytes], receive: Receive, send: Send
    ) -> None:
        self._operations, self._settings, self._receive, self._send = operations, settings, receive, send
        self._headers = headers
        self._acknowledged = False
        self._held = ExitStack()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._tasks: dict[asyncio.Task[None], Operation] = {}

    async def serve(self) -> None:
        """Do what the client's messages ask for. Raises Closed or Gone, never returns."""
        try:
            await self._initialise()
            while True:
                await self._handle(await self._message())
        finally:
            self._running.clear()
            for task, operation in self._tasks.items():
                _stop(task, operation)
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._held.close()

    async def _initialise(self) -> None:
        try:
            async with asyncio.timeout(self._settings.socket_init_timeout):
                while not self._acknowledged:
                    await self._handle(await self._message())
        except TimeoutError:
            raise Closed(4408, "Connection initialisation timeout") from None

    async def _message(self) -> dict[str, Any]:
        event = await self._receive()
        if event["type"] == "websocket.disconnect":
            raise Gone
        text = event.get("text")
        if text is None:
            _invalid("only text is understood")
        raw = text.encode()
        if len(raw) > self._settings.max_body_bytes:
            raise Closed(1009, f"Longer than {self._settings.max_body_bytes:,} bytes")
        try:
            message = await decoded(raw, self._settings)
        except RequestError as error:
            _invalid(error.message)
        if not isinstance(message, dict):
            _invalid("it must be an object")
        return message

    async def _handle(self, message: dict[str, Any]) -> None:
        kind, payload = message.get("type"), message.get("payload")
        if kind not in ("subscribe", "complete") and not isinstance(payload, dict | None):
            _invalid("`payload` must be an object")
        match kind:
            case "connection_init":
                if self._acknowledged:
                    raise Closed(4429, "Too many initialisation requests")
                self._headers |= _as_headers(payload or {})
                self._hold(await self._caller())
                self._acknowledged = True
                await self._say("connection_ack")
            case "ping":
                await self._say("pong", payload=payload)
            case "pong":
                pass
            case "subscribe":
                await self._subscribe(_id(message), payload)
            case "complete":
                self._complete(_id(message))
            case _:
                _invalid("`type` is none that a client sends")

    async def _subscribe(self, id: str, payload: Any) -> None:
        try:
            request = graphql_request(payload)
        except RequestError as error:
            _invalid(f"`payload`: {error.message}")
        if not self._acknowledged:
            raise Closed(4401, "Unauthorized")
        if id in self._running:
            raise Closed(4409, f"Subscriber for {id} already exists")
        operation = self._too_many() or await self._operations.find_or_explain(request, await self._caller())
        if isinstance(operation, Answer):
            await self._say("error", id, operation.body["errors"])
            return
        task = self._running[id] = asyncio.create_task(self._run(id, operation))
        self._tasks[task] = operation
        task.add_done_callback(self._tasks.pop)

    async def _caller(self) -> Caller:
        """Who is at the other end, by the headers of the socket and what its first message said."""
        try:
            return await self._operations.caller(self._headers)
        except RequestError as error:
            raise Closed(4403, error.message) from None
        except Exception as error:
            if (refused := expected(error)) is None:
                raise
            raise Closed(1013, refused.message) from None  # API keys cannot be looked up now: try again later

    def _hold(self, caller: Caller) -> None:
        try:
            self._held.enter_context(self._operations.socket(caller))
        except RequestError as error:
            raise Closed(4429, error.message) from None

    def _too_many(self) -> Answer | None:
        most = self._settings.max_socket_operations
        if len(self._tasks) < most:
            return None
        message = f"A socket runs at most {most} operations at a time."
        return Answer({"errors": refusal(RequestError(RequestErrorCode.TOO_MANY_OPERATIONS, message))}, executed=False)

    def _complete(self, id: str) -> None:
        """The client wants no more of it. An id that is not known is of an operation that has just ended."""
        task = self._running.pop(id, None)
        if task is not None:
            _stop(task, self._tasks[task])

    async def _run(self, id: str, operation: Operation) -> None:
        task = asyncio.current_task()
        try:
            with operation.slot():
                errors = await self._tell(id, operation)
        except Gone:
            return
        except Exception as error:
            errors = failure(error)
        if self._running.get(id) is task:
            del self._running[id]  # first: the client may use the id again at once
            with suppress(Gone):
                await self._say("error" if errors else "complete", id, errors)

    async def _tell(self, id: str, operation: Operation) -> list[dict[str, Any]] | None:
        """Send what an operation answers, while the client wants it. The errors that end it, where some do."""
        task = asyncio.current_task()
        async with aclosing(operation.answers()) as answers:
            async for answer in answers:
                if self._running.get(id) is not task:
                    break
                if not answer.executed:
                    errors: list[dict[str, Any]] = answer.body["errors"]
                    return errors
                await self._say("next", id, answer.body)
        return None

    async def _say(self, kind: str, id: str | None = None, payload: Any = None) -> None:
        fields = {"id": id, "type": kind, "payload": payload}
        text = encoded({name: value for name, value in fields.items() if value is not None}).decode()
        try:
            await self._send({"type": "websocket.send", "text": text})
        except OSError:
            raise Gone from None


def _stop(task: asyncio.Task[None], operation: Operation) -> None:
    """A query or a mutation ends by itself: whether it was done must not depend on who listens."""
    if operation.kind is OperationType.SUBSCRIPTION:
        task.cancel()


def _as_headers(payload: dict[str, Any]) -> dict[bytes, bytes]:
    """What a first message says of its sender. Browsers cannot set headers of a WebSocket."""
    names = {"x-api-key", "authorization", "x-organization-id"}
    said = {name.lower(): value for name, value in payload.items() if isinstance(value, str)}
    return {name.encode(): said[name].encode() for name in names & said.keys()}


def _id(message: dict[str, Any]) -> str:
    id = message.get("id")
    if not isinstance(id, str) or not id:
        _invalid("`id` must be a string that is not empty")
    return id


def _invalid(reason: str) -> NoReturn:
    raise Closed(4400, f"Invalid message: {reason}")
