"""Answers to subscriptions. Subscribers with equal documents, variables and rights share the answer to an event.

Each subscriber has its own source of events, and so its own pace and its own end. An event carries the answers that
were made of it, by document and variables; it is read with rights, and only subscribers with the same rights get it
(`app.pipelines.feed.readings`). An answer is made for a caller that has the rights and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Hashable
from contextvars import Context as Variables
from functools import partial
from hashlib import sha256
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

import orjson
from graphql import ExecutionResult
from graphql.execution import Executor, create_source_event_stream, execute_subscription_event

from app.auth.caller import Caller
from app.database.availability import retry_until_available
from app.database.interface import Database
from app.pipelines.budget import Budget
from app.pipelines.feed.readings import Event
from app.server.services import Services
from app.settings import Settings
from schema import graphql_schema
from schema.answers.answer import Answer, EncodedAnswer, answer_of, encode, encode_failure, refused_answer
from schema.documents.documents import MAX_ERRORS, Document
from schema.errors import masked
from schema.executor import BudgetedExecutor
from schema.types.context import Context


class Subscribed(NamedTuple):
    """Operation of one subscriber."""

    document: Document
    name: str | None
    variables: dict[str, Any] | None
    caller: Caller


class Subscriptions:
    """Answers to the events of all subscriptions of a server."""

    def __init__(self, services: Services, settings: Settings) -> None:
        self._services, self._settings = services, settings
        self._executors: WeakValueDictionary[Hashable, Executor[Any]] = WeakValueDictionary()
        """Executors of events by rights, and by operation and variables."""
        self._making: set[asyncio.Task[EncodedAnswer]] = set()

    async def answers(self, operation: Subscribed) -> AsyncGenerator[EncodedAnswer, None]:
        """Yield the answers to a subscription, one per event. One that was not executed is the last. Raises nothing."""
        try:
            executor = self._executor(operation)
            if isinstance(executor, Answer):
                yield encode(executor, self._settings.max_answer_bytes)
                return
            source = await _source(executor)
            if isinstance(source, Answer):
                yield encode(source, self._settings.max_answer_bytes)
                return
            caller, rights = operation.caller, operation.caller.rights()
            executor = self._shared_executor(executor, operation, rights)
            del operation  # free its variables: the subscription may last for days
            try:
                async for event in source:
                    answer = await self._answer(executor, rights, event)
                    await retry_until_available(partial(self._services.authenticator.confirm, caller))
                    yield answer
                    if answer.errors is not None:
                        return
                    del event, answer  # free them while waiting
            finally:
                await source.aclose()
        except Exception as error:
            yield encode_failure(error)

    def _executor(self, operation: Subscribed) -> Executor[Any] | Answer:
        executor = BudgetedExecutor.build(
            graphql_schema,
            operation.document.tree,
            context_value=self._context(self._services.database, operation.caller),
            raw_variable_values=operation.variables,
            operation_name=operation.name,
            max_coercion_errors=MAX_ERRORS,
            hide_suggestions=not self._settings.has_suggestions,
        )
        return refused_answer(executor) if isinstance(executor, list) else executor

    def _shared_executor(self, executor: Executor[Any], operation: Subscribed, rights: Caller) -> Executor[Any]:
        """Return the executor of equal subscriptions, which is this one if there are none."""
        executor.context_value = None  # each event has a context of its own
        if not self._settings.shared_answers:
            return executor
        variables = sha256(orjson.dumps(operation.variables or {}, option=orjson.OPT_SORT_KEYS)).digest()
        return self._executors.setdefault((rights, operation.document, operation.name, variables), executor)

    async def _answer(self, executor: Executor[Any], rights: Caller, event: Any) -> EncodedAnswer:
        """Return the answer to an event: the one that another subscriber has begun, if any."""
        if not isinstance(event, Event):
            return await self._make(executor, rights, event)
        if not self._settings.shared_answers:
            return await self._make(executor, rights, event.payload)
        key = (executor, event.variant)
        made = event.reading.answers.get(key)
        if made is None:  # outside of the request, whose id would be in the log of all subscribers
            made = asyncio.create_task(self._make_shared(executor, rights, event), context=Variables())
            event.reading.answers[key] = made
            self._making.add(made)
            made.add_done_callback(self._making.discard)
        return made.result() if made.done() else await asyncio.shield(made)

    async def _make_shared(self, executor: Executor[Any], rights: Caller, event: Event) -> EncodedAnswer:
        answer = await self._make(executor, rights, event.payload)
        event.reading.keep(len(answer.text))
        return answer

    async def _make(self, executor: Executor[Any], rights: Caller, payload: Any) -> EncodedAnswer:
        """Execute the operation for one event."""
        try:
            once = executor.build_per_event_executor(payload)
            context = once.context_value = self._context(self._services.feed.database, rights)
            result = execute_subscription_event(once)
            result = result if isinstance(result, ExecutionResult) else await result
            context.budget.check()
            return encode(answer_of(result), self._settings.max_answer_bytes)
        except Exception as error:
            return encode_failure(error)

    def _context(self, database: Database, caller: Caller) -> Context:
        return Context(self._services, caller, Budget(self._settings.max_answer_bytes), database)


async def _source(executor: Executor[Any]) -> AsyncGenerator[Any, None] | Answer:
    """Return the events of a subscription, or its refusal."""
    source: AsyncIterable[Any] | ExecutionResult | Awaitable[Any] = create_source_event_stream(executor)
    if isinstance(source, Awaitable):
        source = await source
    if isinstance(source, ExecutionResult):
        return Answer({"errors": [masked(error) for error in source.errors or []]}, executed=False)
    assert isinstance(source, AsyncGenerator)
    return source
