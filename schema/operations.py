"""Operations, run: the same over HTTP, as server-sent events and over a WebSocket."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from graphql import DocumentNode, ExecutionResult, OperationType, execute
from graphql.execution import (
    Executor,
    create_source_event_stream,
    execute_subscription_event,
    map_source_to_response_event,
)

from app.callers import Caller
from app.errors import RequestError, RequestErrorCode
from app.services import Services
from app.settings import Settings
from schema import schema
from schema.context import Context
from schema.documents import Documents
from schema.masking import failure, formatted, masked, refusal


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """What a client asks."""

    query: str
    variables: dict[str, Any] | None
    operation_name: str | None


def graphql_request(body: Any) -> GraphQLRequest:
    """The request that a body makes. RequestError when a part of it is of the wrong kind."""
    if not isinstance(body, dict):
        raise RequestError(RequestErrorCode.BAD_REQUEST, "The body must be one JSON object; there are no batches.")
    query, name = body.get("query"), body.get("operationName")
    if not isinstance(query, str):
        raise RequestError(RequestErrorCode.BAD_REQUEST, "`query` must be a string: the GraphQL document.")
    if name is not None and not isinstance(name, str):
        raise RequestError(RequestErrorCode.BAD_REQUEST, "`operationName` must be a string.")
    for part in ("variables", "extensions"):
        if not isinstance(body.get(part), dict | None):
            raise RequestError(RequestErrorCode.BAD_REQUEST, f"`{part}` must be an object.")
    return GraphQLRequest(query, body.get("variables"), name)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client gets. One that was not executed has errors only."""

    body: dict[str, Any]
    executed: bool = True


class Operations:
    """Finds what a request asks for, and says why where it asks for nothing that can be run."""

    def __init__(self, settings: Settings) -> None:
        self.services: Services | None = None
        self._settings = settings
        self._documents = Documents(schema._schema, settings)

    async def caller(self, headers: Mapping[bytes, bytes]) -> Caller:
        """Who asks. RequestError when that is nobody who may."""
        assert self.services is not None
        return await self.services.callers.of(headers)

    async def find(self, request: GraphQLRequest, caller: Caller) -> Operation | Answer:
        """The operation, or the answer to a document that is wrong. RequestError when the request is."""
        document = await self._documents.get(request.query)
        if document.tree is None or document.errors:
            return Answer({"errors": [formatted(error, document.code) for error in document.errors]}, executed=False)
        known = document.operation(request.operation_name)
        known.cost(request.variables, self._settings)
        assert self.services is not None
        return Operation(known.kind, document.tree, request.operation_name, request.variables, self.services, caller)

    async def find_or_explain(self, request: GraphQLRequest, caller: Caller) -> Operation | Answer:
        """The same for where there is no status line: an answer also when the request is wrong."""
        try:
            return await self.find(request, caller)
        except RequestError as error:
            return Answer({"errors": refusal(error)}, executed=False)


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation that may be run."""

    kind: OperationType
    document: DocumentNode
    name: str | None
    variables: dict[str, Any] | None
    services: Services
    caller: Caller

    async def answer(self) -> Answer:
        """The answer to a query or a mutation."""
        result = execute(
            schema._schema,
            self.document,
            context_value=self._context(),
            variable_values=self.variables,
            operation_name=self.name,
        )
        return _answer(result if isinstance(result, ExecutionResult) else await result)

    async def answers(self) -> AsyncGenerator[Answer, None]:
        """The answers to any operation: those to a subscription come as things happen. Raises nothing."""
        try:
            if self.kind is not OperationType.SUBSCRIPTION:
                yield await self.answer()
                return
            executor = Executor.build(schema._schema, self.document, None, self._context(), self.variables, self.name)
            if isinstance(executor, list):
                yield _answer(ExecutionResult(None, executor))
                return
            source = create_source_event_stream(executor)
            if isinstance(source, Awaitable):
                source = await source
            if isinstance(source, ExecutionResult):
                yield Answer({"errors": [masked(error) for error in source.errors or []]}, executed=False)
                return
            async with aclosing(map_source_to_response_event(executor, source, self._event)) as results:
                async for result in results:
                    await self.services.callers.confirm(self.caller)
                    yield _answer(result)
        except Exception as error:
            yield Answer({"errors": failure(error)}, executed=False)

    def _event(self, executor: Executor[Any]) -> Any:
        executor.context_value = self._context()
        return execute_subscription_event(executor)

    def _context(self) -> Context:
        return Context(self.services, self.caller)


def _answer(result: ExecutionResult) -> Answer:
    """A field's error has a path. One without is of the request, which was not executed: it has no data then."""
    errors = result.errors or []
    if errors and not any(error.path for error in errors):
        bad_input = RequestErrorCode.BAD_USER_INPUT
        return Answer({"errors": [formatted(error, bad_input) for error in errors]}, executed=False)
    body: dict[str, Any] = {"data": result.data}
    return Answer({"errors": [masked(error) for error in errors], **body} if errors else body)
