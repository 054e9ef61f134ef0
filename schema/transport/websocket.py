"""WebSocket endpoint of GraphQL (protocol graphql-transport-ws).

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from functools import lru_cache
from typing import Any, NamedTuple, NoReturn

import orjson
from graphql import OperationType
from starlette.types import Message, Receive, Scope, Send

from app.auth.caller import NO_LONGER_VALID, Caller
from app.database import telemetry
from app.errors import RequestError, RequestErrorCode
from app.server.bodies.quota import Holding
from app.server.bodies.reading import decoded
from app.server.connections.message_limit import LONGEST_UNKNOWN, lift
from app.server.cors import is_from_allowed_page
from app.server.faults import find_refusal, log_fault
from app.server.observability.spans import note_errors, operation_span
from app.settings import Settings
from schema.answers.answer import Answer, encoded
from schema.errors import failure, refusal
from schema.operations import GraphQLRequest, Operation, Operations, graphql_request
from schema.transport.messages import is_well_formed, refused_subscribe

PROTOCOL = "graphql-transport-ws"
TRY_AGAIN_LATER = 1013
"""Close code after which clients reconnect (RFC 6455, 7.4.1, and IANA's registry)."""
LONGEST_REASON = 123
"""Maximum bytes of a close reason."""
CREDENTIALS = {b"host", b"x-api-key", b"authorization", b"x-organization-id"}
"""Headers that the authenticator reads."""
Packed = tuple[tuple[bytes, bytes], ...]
"""Names and values of headers."""
KEPT = {"type", "path", "root_path", "route", "extensions"}
"""Parts of the scope that are needed after the handshake, for logs, traces and limits."""
LAST_WORDS = 0.5
"""Seconds between the end of a revoked key's subscriptions and the close of its socket."""


class CloseSocket(Exception):
    """Protocol error of the client; closes the socket."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason.encode()[:LONGEST_REASON].decode(errors="ignore")


class ClientDisconnected(Exception):
    """The client disconnected, or the server is shutting down."""


class Sockets:
    """WebSocket endpoint."""

    def __init__(self, operations: Operations, settings: Settings) -> None:
        self._operations, self._settings, self._origins = operations, settings, settings.origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()  # the connect event
        headers = dict(scope["headers"])
        if not is_from_allowed_page(headers, self._origins):
            # Browsers send no preflight request before a WebSocket handshake.
            await send({"type": "websocket.close", "code": 1008, "reason": "Another origin"})
            return
        chosen = PROTOCOL if PROTOCOL in scope["subprotocols"] else None
        await send({"type": "websocket.accept", "subprotocol": chosen})
        try:
            if chosen is None:
                raise CloseSocket(4406, "Subprotocol not acceptable")
            credentials = _packed({name: headers[name] for name in CREDENTIALS & headers.keys()})
            _forget(scope)
            del headers
            await Socket(self._operations, self._settings, scope, credentials, receive, send).serve()
        except ClientDisconnected:
            pass
        except CloseSocket as closed:
            await _close(send, closed)
        except Exception as error:
            await _close(send, CloseSocket(4500, log_fault(error).message))


def _forget(scope: Scope) -> None:
    """Free most of the scope, such as the other headers: the socket may last for days."""
    kept = {name: scope[name] for name in KEPT & scope.keys()}
    scope.clear()
    scope.update(kept)


async def _close(send: Send, closed: CloseSocket) -> None:
    with suppress(OSError):  # the client disconnected
        await send({"type": "websocket.close", "code": closed.code, "reason": closed.reason})


def _packed(headers: dict[bytes, bytes]) -> Packed:
    """Return headers in a form that takes less memory than a dictionary: a socket keeps them as long as it is open."""
    return tuple(map(_shared, headers, headers.values()))


def _shared(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    return _host(value) if name == b"host" else (name, value)


@lru_cache(64)
def _host(value: bytes) -> tuple[bytes, bytes]:
    """Return an equal Host header, which all sockets share."""
    return b"host", value


class Running(NamedTuple):
    """An operation whose task has not ended."""

    task: asyncio.Task[None]
    kind: OperationType


class Socket:
    """Connection of one client and its running operations."""

    __slots__ = (
        "_caller",
        "_ending",
        "_headers",
        "_lifetime",
        "_operations",
        "_receive",
        "_running",
        "_scope",
        "_send",
        "_settings",
    )

    def __init__(
        self,
        operations: Operations,
        settings: Settings,
        scope: Scope,
        headers: Packed,
        receive: Receive,
        send: Send,
    ) -> None:
        self._operations, self._settings, self._receive, self._send = operations, settings, receive, send
        self._scope, self._headers = scope, headers
        self._caller: Caller | None = None
        """Caller of an acknowledged connection."""
        self._lifetime = asyncio.timeout(None)
        self._running: dict[str, Running] = {}
        self._ending: tuple[Running, ...] = ()
        """Operations whose id is free again, but whose task has not ended."""

    async def serve(self) -> None:
        """Handle the client's messages until it disconnects. Raises CloseSocket, and ClientDisconnected."""
        try:
            async with self._lifetime:
                await self._initialise()
                # Without an exception, whose frames of many sockets that close at once would take memory.
                while (event := await self._receive())["type"] != "websocket.disconnect":
                    await self._take(event)
                    del event  # free it while waiting
        except TimeoutError:
            if not self._lifetime.expired():
                raise
            await self._last_words()
            raise CloseSocket(4403, NO_LONGER_VALID) from None
        finally:
            operations = self._all()
            self._running.clear()
            for operation in operations:
                _stop(*operation)
            await asyncio.gather(*(each.task for each in operations), return_exceptions=True)
            if self._caller is not None:
                self._operations.close_socket(self._caller, self)

    def revoke(self) -> None:
        """End the socket after its key was revoked."""
        with suppress(RuntimeError):  # the socket is already ending
            self._lifetime.reschedule(0)

    async def _last_words(self) -> None:
        """Wait until the running operations have sent the error about the revoked key, at most `LAST_WORDS` seconds."""
        if operations := self._all():
            await asyncio.wait([each.task for each in operations], timeout=LAST_WORDS)

    def _all(self) -> list[Running]:
        return [*self._running.values(), *self._ending]

    async def _initialise(self) -> None:
        try:
            async with asyncio.timeout(self._settings.socket_init_timeout):
                while self._caller is None:
                    await self._take(await self._receive())
        except TimeoutError:
            raise CloseSocket(4408, "Connection initialisation timeout") from None
        await self._operations.listen()
        await self._say("connection_ack")

    async def _take(self, event: Message) -> None:
        """Handle one message."""
        with self._operations.bodies.hold() as held:
            await self._handle(await self._message(event, held), held)

    async def _message(self, event: Message, held: Holding) -> dict[str, Any]:
        if event["type"] == "websocket.disconnect":
            raise ClientDisconnected
        text = event.get("text")
        if text is None:
            _invalid("only text is understood")
        raw = text.encode()
        longest = self._settings.max_body_bytes
        longest = longest if self._caller is not None else min(longest, LONGEST_UNKNOWN)
        if len(raw) > longest:
            raise CloseSocket(1009, f"Longer than {longest:,} bytes")
        try:
            held.add(len(raw))
        except RequestError as error:
            raise CloseSocket(TRY_AGAIN_LATER, error.message) from None
        try:
            message = await decoded(raw, self._settings)
        except RequestError as error:
            message = await asyncio.to_thread(refused_subscribe, text, error)
            if message is None:
                _invalid(error.message)
        if not isinstance(message, dict):
            _invalid("it must be an object")
        return message

    async def _handle(self, message: dict[str, Any], held: Holding) -> None:
        kind, payload = message.get("type"), message.get("payload")
        if kind not in ("subscribe", "complete") and not isinstance(payload, dict | None):
            _invalid("`payload` must be an object")
        match kind:
            case "connection_init":
                if self._caller is not None:
                    raise CloseSocket(4429, "Too many initialisation requests")
                self._headers = _packed(dict(self._headers) | _as_headers(payload or {}))
                self._open(await self._first_caller())
                lift(self._scope)
            case "ping":
                await self._say("pong", payload=payload)
            case "pong":
                pass
            case "subscribe":
                await self._subscribe(_id(message), payload, held)
            case "complete":
                self._complete(_id(message))
            case _:
                _invalid("`type` is none that a client sends")

    async def _subscribe(self, id: str, payload: Any, held: Holding) -> None:
        request = _request(payload)
        if self._caller is None:
            raise CloseSocket(4401, "Unauthorized")
        if id in self._running:
            raise CloseSocket(4409, f"Subscriber for {id} already exists")
        try:
            operation = self._too_many() or await self._find(request)
        except CloseSocket:
            raise
        except Exception as error:
            await self._say("error", id, failure(error))
            return
        if isinstance(operation, Answer):
            await self._say("error", id, operation.body["errors"])
            return
        work = self._answer(id, operation) if telemetry.tracer is None else self._trace(id, operation)
        task = asyncio.create_task(work)
        self._running[id] = Running(task, operation.kind)
        task.add_done_callback(self._ended)
        if operation.kind is not OperationType.SUBSCRIPTION:  # subscriptions may last for days
            kept = held.hand_over()
            task.add_done_callback(lambda _: kept.close())

    async def _find(self, request: GraphQLRequest | RequestError) -> Operation | Answer:
        caller = await self._authenticate()
        if isinstance(request, RequestError):
            raise request
        return await self._operations.find_or_explain(request, caller)

    async def _first_caller(self) -> Caller:
        """Authenticate the client of a new connection, which has to try again later if API keys cannot be read now."""
        try:
            return await self._authenticate()
        except Exception as error:
            if isinstance(error, CloseSocket) or (refused := find_refusal(error)) is None:
                raise
            raise CloseSocket(TRY_AGAIN_LATER, refused.message) from None

    async def _authenticate(self) -> Caller:
        """Authenticate the client by the headers of the socket and its connection_init."""
        try:
            return await self._operations.caller(dict(self._headers))
        except RequestError as error:
            raise CloseSocket(4403, error.message) from None

    def _open(self, caller: Caller) -> None:
        try:
            self._operations.open_socket(caller, self)
        except RequestError as error:
            raise CloseSocket(TRY_AGAIN_LATER, error.message) from None
        self._caller = caller

    def _too_many(self) -> Answer | None:
        most = self._settings.max_socket_operations
        if len(self._running) + len(self._ending) < most:
            return None
        message = f"A socket runs at most {most} operations at a time."
        return Answer({"errors": refusal(RequestError(RequestErrorCode.TOO_MANY_OPERATIONS, message))}, executed=False)

    def _complete(self, id: str) -> None:
        """End an operation at the client's request. An unknown id belongs to an operation that has just ended."""
        if id in self._running:
            _stop(*self._free(id))

    def _free(self, id: str) -> Running:
        """Free the id of a running operation, which the client may reuse at once."""
        operation = self._running.pop(id)
        self._ending += (operation,)
        return operation

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Forget an operation whose task has ended."""
        self._ending = tuple(each for each in self._ending if each.task is not task)
        for id, each in self._running.items():
            if each.task is task:
                del self._running[id]
                break

    def _is_running(self, id: str, task: object) -> bool:
        operation = self._running.get(id)
        return operation is not None and operation.task is task

    async def _trace(self, id: str, operation: Operation) -> None:
        with operation_span(self._scope["path"], operation.label, operation.kind.value):
            await self._answer(id, operation)

    async def _answer(self, id: str, operation: Operation) -> None:
        """Send the answers of an operation until it ends or the client completes it."""
        task, errors = asyncio.current_task(), None
        try:
            operation.open()
            try:
                async with aclosing(operation.stream()) as answers:
                    operation = operation._replace(variables=None)  # free them: a subscription may last for days
                    async for answer in answers:
                        if not self._is_running(id, task):
                            break
                        if answer.errors is not None:
                            errors = answer.errors
                            break
                        await self._write(_next(id, answer.payload))
                        del answer  # free it while waiting
            finally:
                operation.close()
        except ClientDisconnected:
            return
        except Exception as error:
            errors = failure(error)
        note_errors(errors)
        if self._is_running(id, task):
            self._free(id)
            with suppress(ClientDisconnected):
                await self._say("error" if errors else "complete", id, errors)

    async def _say(self, kind: str, id: str | None = None, payload: Any = None) -> None:
        fields = {"id": id, "type": kind, "payload": payload}
        await self._write(encoded({name: value for name, value in fields.items() if value is not None}).decode())

    async def _write(self, text: str) -> None:
        try:
            await self._send({"type": "websocket.send", "text": text})
        except OSError:
            raise ClientDisconnected from None


def _next(id: str, payload: str) -> str:
    """Return the message of an answer."""
    return f'{{"id":{orjson.dumps(id).decode()},"type":"next","payload":{payload}}}'


def _stop(task: asyncio.Task[None], kind: OperationType) -> None:
    """Cancel a subscription. Queries and mutations end by themselves: a mutation must not depend on its listener."""
    if kind is OperationType.SUBSCRIPTION:
        task.cancel()


def _as_headers(payload: dict[str, Any]) -> dict[bytes, bytes]:
    """Return the headers in the payload of connection_init, because browsers cannot set headers of a WebSocket. The
    headers are in the payload itself or in its `headers`, as Hasura's clients send them."""
    names = {"x-api-key", "authorization", "x-organization-id"}
    nested = payload.get("headers")
    given = {**(nested if isinstance(nested, dict) else {}), **payload}
    said = {name.lower(): value for name, value in given.items() if isinstance(value, str)}
    return {name.encode(): said[name].encode() for name in names & said.keys()}


def _request(payload: Any) -> GraphQLRequest | RequestError:
    """Return the request of a `subscribe` message, or the error of an invalid value in it. Raises Closed if the payload
    is malformed."""
    try:
        return payload if isinstance(payload, RequestError) else graphql_request(payload)
    except RequestError as error:
        if is_well_formed(payload):
            return error
        _invalid(f"`payload`: {error.message}")


def _id(message: dict[str, Any]) -> str:
    id = message.get("id")
    if not isinstance(id, str) or not id:
        _invalid("`id` must be a string that is not empty")
    return id


def _invalid(reason: str) -> NoReturn:
    raise CloseSocket(4400, f"Invalid message: {reason}")
