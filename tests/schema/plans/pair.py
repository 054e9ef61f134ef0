"""Both ways to answer an operation, by a plan and by the executor, over the same rows."""

from __future__ import annotations

import re
from copy import copy
from typing import Any

import orjson
from graphql.execution.values import VariableValues
from sqlalchemy.dialects import postgresql, sqlite

from app.auth.caller import LOCAL, Caller
from app.main import Voltgraph
from app.settings import Settings
from schema import graphql_schema
from schema.answers.answer import Answer, encoded
from schema.documents.documents import Documents
from schema.operations import GraphQLRequest, Operation
from schema.plans.planner import Planner, compiled


class Unset:
    """Marker of an argument without a value."""


UNSET = Unset()
SIGNED = re.compile(rb"(/downloads/[0-9a-f-]{36})\.\d+\.[\w-]+")
"""Signed address of a file, which holds the time."""


class Pair:
    """Answers of operations by plans, and by the executor alone."""

    def __init__(self, app: Voltgraph) -> None:
        self.caller = LOCAL
        self.operations = app.graphql.operations
        self.services = app.state.services
        assert self.operations.plans is not None
        self.plans: Planner = self.operations.plans

    def of(self, caller: Caller) -> Pair:
        """Return the pair for another caller."""
        other = copy(self)
        other.caller = caller
        return other

    def with_plans(self, plans: Planner) -> Pair:
        """Return the pair with other plans."""
        other = copy(self)
        other.plans = plans
        return other

    async def operation(
        self, query: str, variables: dict[str, Any] | None = None, name: str | None = None
    ) -> Operation:
        found = await self.operations.find(GraphQLRequest(query, variables, name), self.caller)
        assert isinstance(found, Operation), (query, found)
        return found._replace(plans=self.plans)

    async def answer(
        self, query: str, variables: dict[str, Any] | None = None, *, plans: Planner | Unset | None = UNSET
    ) -> Answer:
        """Return the answer with these plans, or without any."""
        operation = await self.operation(query, variables)
        return await (operation if isinstance(plans, Unset) else operation._replace(plans=plans)).answer()

    async def both(
        self, query: str, variables: dict[str, Any] | None = None, name: str | None = None
    ) -> tuple[bytes, bytes, bool]:
        """Return the executor's answer, the answer with plans, and whether a plan gave it."""
        operation = await self.operation(query, variables, name)
        alone = await operation._replace(plans=None).answer()
        served = self.plans.tally.plan
        answered = await operation.answer()
        return written(alone), written(answered), self.plans.tally.plan > served

    async def same(
        self, query: str, variables: dict[str, Any] | None = None, name: str | None = None, *, served: bool = True
    ) -> dict[str, Any]:
        """Return the answer, which must be equal both ways, and by a plan unless told otherwise."""
        alone, answered, by_plan = await self.both(query, variables, name)
        assert answered == alone, query
        assert by_plan is served, query
        [_, body] = orjson.loads(answered)
        found: dict[str, Any] = body
        return found


async def require_plan(name: str, text: str) -> None:
    """Compile an operation of a document for all databases. Raises Unplanned."""
    document = await Documents(graphql_schema, Settings()).get(text)
    for dialect in (sqlite.dialect(), postgresql.dialect()):  # type: ignore[no-untyped-call]
        compiled(document, name, VariableValues({}, {}), dialect)


def written(answer: Answer) -> bytes:
    """Encode an answer as it is sent: the order of keys matters, but not the times in signed addresses."""
    return b"[%b,%b]" % (orjson.dumps(answer.executed), SIGNED.sub(rb"\1", encoded(answer.body)))
