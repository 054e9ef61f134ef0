"""Runs of plans, and their selects, which are compiled to SQL once and run with different parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple, cast

from graphql.execution.values import VariableValues
from sqlalchemy import Select, String, bindparam, select
from sqlalchemy.engine import Dialect

from app.auth.caller import Caller
from app.models.columns import Binary
from app.models.sql import Sql
from app.pipelines.budget import Budget
from app.pipelines.results.parsed import ResultParser
from schema.types.context import Charge

CALLER = Caller(organization_id=cast(str, bindparam("organization_id", type_=Binary)))
"""Caller whose attributes are parameters, so that a statement serves all callers."""
IDS = "ids"


class Run:
    """One run of a plan: caller, variables, and the rows read so far."""

    __slots__ = ("budget", "caller", "charge", "computed", "found", "parse", "values")

    def __init__(self, caller: Caller, values: VariableValues, budget: Budget, charge: Charge | None = None) -> None:
        self.caller, self.values, self.budget, self.charge = caller, values, budget, charge
        self.found: dict[Any, Any] = {}
        """Rows by part of the plan; ChildRows hold lists by the parent's id."""
        self.parse: ResultParser | None = None
        self.computed: list[Any] = []
        """Places of values that are computed once the rows are read."""

    def copy(self) -> Run:
        """Return a copy with a copy of the budget and without rows, for work that may be restarted."""
        return Run(self.caller, self.values, self.budget.copy(), self.charge)

    def settle(self, copied: Run) -> None:
        """Take over the counts and the places of a copy."""
        self.budget.settle(copied.budget)
        self.computed += copied.computed

    def result_parser(self) -> ResultParser:
        """Return the parser of the results that this run reads."""
        self.parse = self.parse or ResultParser()
        return self.parse


class CompiledStatement:
    """A compiled select of one dialect."""

    def __init__(self, query: Select[Any], dialect: Dialect) -> None:
        compiled = query.compile(dialect=dialect)
        binds = {name: bind for bind, name in compiled.bind_names.items()}
        self.sql = str(compiled)
        names = compiled.positiontup or []
        self._constants = {name: value for name, value in compiled.params.items() if not binds[name].required}
        self._pick = itemgetter(*names) if len(names) > 1 else lambda values: tuple(values[name] for name in names)
        processors = (binds[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names)
        self._processed = [(place, process) for place, process in enumerate(processors) if process is not None]

    def __call__(self, values: Mapping[str, Any]) -> tuple[str, Sequence[Any]]:
        """Return the SQL and its parameters in order."""
        if self._constants:
            values = {**self._constants, **values}
        if not self._processed:
            return self.sql, self._pick(values)
        parameters = list(self._pick(values))
        for place, process in self._processed:
            parameters[place] = process(parameters[place])
        return self.sql, parameters


class GivenIds(NamedTuple):
    """Ids as one parameter: its expression, and its value."""

    stands: Any
    given: Callable[[list[str]], Any]


def given_ids(sql: Sql, *, one: bool) -> GivenIds:
    """Return a parameter for one id or any number of ids, so that the SQL does not depend on the number."""
    if one:
        return GivenIds([bindparam(IDS, type_=String)], itemgetter(0))
    return GivenIds(select(sql.ids(IDS)), sql.encode_ids)
