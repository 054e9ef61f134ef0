"""Execution of operations, shared by HTTP, server-sent events and WebSockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from functools import partial
from itertools import chain
from typing import Any, NamedTuple

from graphql import ExecutionResult, OperationType, execute

from app.auth.caller import Caller
from app.auth.revocation import Revocable
from app.database import telemetry
from app.errors import RequestError, RequestErrorCode
from app.pipelines.budget import Budget
from app.server.bodies.quota import BodyQuota
from app.server.observability.request_log import note_key
from app.server.services import Services
from app.server.timeouts import begin, finish_in_time, finish_with_timeout
from app.settings import Settings
from schema import graphql_schema
from schema.answers.answer import Answer, EncodedAnswer, answer_of, encode, encode_failure, refused_answer
from schema.answers.subscriptions import Subscribed, Subscriptions
from schema.documents.documents import MAX_ERRORS, Document, Documents, KnownOperation
from schema.documents.persisted import Persisted, named_hash
from schema.documents.trusted import ANONYMOUS, operation_names, read
from schema.errors import formatted, refusal
from schema.executor import BudgetedExecutor
from schema.plans.planner import Planner
from schema.plans.readers.computed import FieldsFailed
from schema.types.context import Charge, Context

QUERY = OperationType.QUERY


class GraphQLRequest(NamedTuple):
    """A GraphQL request."""

    query: str | None
    """The document; None if it is named by its hash only."""
    variables: dict[str, Any] | None
    operation_name: str | None
    hash: str | None = None


def graphql_request(body: Any) -> GraphQLRequest:
    """Read the request of a body. Raises RequestError if a part has the wrong type."""
    if not isinstance(body, dict):
        raise RequestError(RequestErrorCode.BAD_REQUEST, "The body must be one JSON object; there are no batches.")
    query, name, variables = body.get("query"), body.get("operationName"), body.get("variables")
    if name is not None and not isinstance(name, str):
        raise RequestError(RequestErrorCode.BAD_REQUEST, "`operationName` must be a string.")
    for part, value in (("variables", variables), ("extensions", body.get("extensions"))):
        if value is not None and not isinstance(value, dict):
            raise RequestError(RequestErrorCode.BAD_REQUEST, f"`{part}` must be an object.")
    hash = named_hash(body) if "extensions" in body or "documentId" in body else None
    if not isinstance(query, str) and (hash is None or query is not None):
        raise RequestError(RequestErrorCode.BAD_REQUEST, "`query` must be a string: the GraphQL document.")
    return GraphQLRequest(query, variables, name or None, hash)


class Operations:
    """Prepares the operation of a request, or explains why it cannot run."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        folders = settings.trusted_folders
        trusted = read(folders, Documents(graphql_schema, settings).check) if folders else None
        self._documents = Documents(graphql_schema, settings, trusted)
        self._persisted = Persisted(self._documents, settings, trusted)
        self._has_plans = settings.plans
        shipped = [file.read_text("utf-8") for folder in settings.shipped_folders for file in folder.glob("*.graphql")]
        self.known_names = {ANONYMOUS, *chain.from_iterable(map(operation_names, shipped))}
        """Names of the operations that the server ships or trusts."""
        if trusted is not None:
            self.known_names.update(trusted.names)

    def open(self, services: Services) -> None:
        """Set the services that operations use."""
        self._services, self._events = services, Subscriptions(services, self._settings)
        self.bodies: BodyQuota = services.bodies
        """Quota on the bytes of all request bodies."""
        self.plans = Planner(services, self._settings.max_answer_bytes) if self._has_plans else None

    async def caller(self, headers: Mapping[bytes, bytes]) -> Caller:
        """Authenticate a request. Raises RequestError."""
        caller = await self._services.authenticator.authenticate(headers)
        if caller.key is not None:
            note_key(caller.key)
        return caller

    async def listen(self) -> None:
        """Make sure that subscriptions hear of changes by other processes from now on. Idempotent."""
        await self._services.database.listen()

    def open_socket(self, caller: Caller, socket: Revocable) -> None:
        """Take a WebSocket of the caller's quota, and revoke it with the caller's API key. Raises RequestError if the
        quota is used up."""
        self._services.sockets.take(caller)
        self._services.revocations.add(caller, socket)

    def close_socket(self, caller: Caller, socket: Revocable) -> None:
        """End what `open_socket` began."""
        self._services.revocations.remove(caller, socket)
        self._services.sockets.give_back(caller)

    async def find(self, request: GraphQLRequest, caller: Caller) -> Operation | Answer:
        """Return the operation, or the answer to an invalid document. Raises RequestError for an invalid request."""
        document = self._documents.recent(request.query or "") if request.hash is None else None
        if document is None:
            document = await self._prepared(request, caller)
        if document.errors:
            return Answer({"errors": [formatted(error, document.code) for error in document.errors]}, executed=False)
        known = document.operation(request.operation_name)
        # A plan serves all callers, except those limited to projects.
        plans = self.plans if caller.projects is None else None
        cost = known.cost(request.variables, self._settings)
        left = None if caller.key is None else self._services.rate_limiter.spend(caller, cost)
        name, variables = request.operation_name, request.variables
        return Operation(
            known, document, name, variables, self._services, plans, caller, cost, left, self._settings, self._events
        )

    async def _prepared(self, request: GraphQLRequest, caller: Caller) -> Document:
        charge = partial(self._services.rate_limiter.charge, caller)
        if request.hash is not None:
            return await self._persisted.get(request.hash, request.query, charge)
        return await self._documents.get(request.query or "", charge)

    async def find_or_explain(self, request: GraphQLRequest, caller: Caller) -> Operation | Answer:
        """Like `find`, for transports without a status line: an invalid request gets an answer too."""
        try:
            return await self.find(request, caller)
        except RequestError as error:
            return Answer({"errors": refusal(error)}, executed=False)


class Operation(NamedTuple):
    """An operation that can run."""

    known: KnownOperation
    document: Document
    name: str | None
    variables: dict[str, Any] | None
    services: Services
    plans: Planner | None
    caller: Caller
    cost: int
    left: int | None
    """Cost that the caller's key may still spend; None without keys."""
    settings: Settings
    events: Subscriptions

    @property
    def kind(self) -> OperationType:
        return self.known.kind

    @property
    def label(self) -> str:
        """Name of the operation in its document."""
        return self.known.label

    def open(self) -> None:
        """Take a subscription of the caller's quota, if this is one. Raises RequestError if the quota is used up."""
        if self.kind is OperationType.SUBSCRIPTION:
            self.services.subscriptions.take(self.caller)

    def close(self) -> None:
        """Give back what `open` took."""
        if self.kind is OperationType.SUBSCRIPTION:
            self.services.subscriptions.give_back(self.caller)

    async def answer(self) -> Answer:
        """Execute a query or a mutation. Raises RequestError with TIMEOUT."""
        known, timeout = self.known, self.settings.request_timeout
        if known.checks and (errors := known.checks.errors(self.variables)):
            return refused_answer(errors)
        try:
            if known.kind is QUERY:
                begun = begin(self._read())
                answer = begun if isinstance(begun, Answer) else await finish_in_time(timeout, begun)
            else:
                answer = await finish_with_timeout(timeout, self._change())
        except TimeoutError:
            message = f"The answer took longer than {timeout:g} s. A mutation that has begun is completed."
            raise RequestError(RequestErrorCode.TIMEOUT, message) from None
        if self.left is not None:
            answer.body["extensions"] = {"cost": {"requested": self.cost, "left": self.left}}
        return answer

    async def _read(self) -> Answer:
        data = None
        if self.plans is not None:
            planned = self.plans.data(self.document, self.name, self.variables, self.caller, self._charge())
            try:
                data = await (planned if telemetry.tracer is None else telemetry.wait("plan", planned))
            except FieldsFailed as failed:
                return answer_of(failed.result)
        if data is None:  # resolvers use asyncio's timeouts, which need a Task
            return await asyncio.create_task(self._execute())
        return Answer({"data": data})

    async def _change(self) -> Answer:
        if self.plans is None:
            return await self._execute()
        context = self._context()
        planned = self.plans.changed(self.document, self.name, self.variables, context)
        result = await (planned if telemetry.tracer is None else telemetry.wait("plan", planned))
        if result is None:
            return await self._execute()
        context.budget.check()
        return answer_of(result)

    async def _execute(self) -> Answer:
        with telemetry.span("executor"):
            return await self._executed()

    async def _executed(self) -> Answer:
        context = self._context()
        result = execute(
            graphql_schema,
            self.document.tree,
            context_value=context,
            variable_values=self.variables,
            operation_name=self.name,
            executor_class=BudgetedExecutor,
            max_coercion_errors=MAX_ERRORS,
            hide_suggestions=not self.settings.has_suggestions,
        )
        result = result if isinstance(result, ExecutionResult) else await result
        context.budget.check()
        return answer_of(result)

    def stream(self) -> AsyncGenerator[EncodedAnswer, None]:
        """Return the answers to any operation; a subscription has one per event. An answer that is too long is replaced
        by an error, which is the last. The answers raise nothing."""
        checks = self.known.checks
        if self.kind is not OperationType.SUBSCRIPTION or (checks and checks.errors(self.variables)):
            return self._one_answer()
        return self.events.answers(Subscribed(self.document, self.name, self.variables, self.caller))

    async def _one_answer(self) -> AsyncGenerator[EncodedAnswer, None]:
        """Yield the answer to a query or a mutation, or to an operation with wrong variables."""
        try:
            yield encode(await self.answer(), self.settings.max_answer_bytes)
        except Exception as error:
            yield encode_failure(error)

    def _context(self) -> Context:
        return Context(self.services, self.caller, self._budget(), charge=self._charge())

    def _charge(self) -> Charge:
        return Charge(self.cost, self.left, self.settings.max_cost, self.settings.rate_limit)

    def _budget(self) -> Budget:
        return Budget(self.settings.max_answer_bytes)
