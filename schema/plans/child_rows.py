"""Child rows: one statement per level, for all parents.

One statement for all levels would repeat each parent for each child, and sort rows with large configurations.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

from app.database.interface import Steps, measured
from app.models.tables import PipelineElement
from app.pipelines import repository
from schema.plans.row_builder import Builder, Row, RowBuilder, work_of
from schema.plans.statements import IDS, Run, given_ids

LARGE = [getattr(PipelineElement.__table__.c, name) for name in repository.LARGE]  # type: ignore[attr-defined]
"""Columns of elements that can be too long for the statement of their parents."""


class ChildRows:
    """Statement for the children of parents, and the builder of each row."""

    def __init__(
        self,
        parents: RowBuilder,
        parent_id: Any,
        query: Callable[[Any], Any],
        by: Any,
        make: Callable[[RowBuilder], ast.expr],
        more: Callable[[Run], dict[str, Any]] | None = None,
        limit: Any = None,
    ) -> None:
        """Create the children. `query` takes the ids; `by` is the column of the parents' ids; `make` is the code of
        each object; `more` names further parameters of the query; `limit` is the parameter that bounds its rows by the
        remaining work."""
        self._parent_id, self._parent = parent_id, parents.place(parent_id)
        self._given = given_ids(parents.compiling.sql, one=parents.one)
        self._rows = RowBuilder(parents.compiling)
        made = make(self._rows)
        self._by = None if parents.one else self._rows.place(by)
        self._work = work_of(made)
        self._build: Builder = self._rows.builder(made)
        self._more, self._limit = more, limit
        self._nested: int | None = None
        nested = self._rows.nested(query([parent_id])) if self._can_nest(parents) else None
        if nested is not None:
            self._nested = parents.place(nested)
        else:
            self._statement = self._rows.select(query(self._given.stands))
        parents.children.append(self)

    def _can_nest(self, parents: RowBuilder) -> bool:
        """Return whether children can be nested in their parent's statement, which saves round trips and a transaction.
        Drivers decode nested rows more slowly, so it is used for one parent only."""
        if not parents.one or self._rows.has_large(LARGE):
            return False
        return not (parents.is_at_hand or self._rows.children or self._more)

    def all(self, parents: RowBuilder) -> ast.expr:
        """Return the code for all children of a parent."""
        found = parents.value(lambda run: run.found[self].get)
        return ast.Call(found, [parents.stored(self._parent_id), parents.constant([])], [])

    def first(self, parents: RowBuilder) -> ast.expr:
        """Return the code for the first child of a parent; null without children."""
        found = parents.value(lambda run: {id: objects[0] for id, objects in run.found[self].items()}.get)
        return ast.Call(found, [parents.stored(self._parent_id)], [])

    def read(self, parents: Sequence[Row], run: Run) -> Steps[None]:
        ids = [row[self._parent] for row in parents]
        if self._nested is not None:
            nested = parents[0][self._nested]
            run.budget.take_work(self._work * len(nested))
            self._rows.check(nested, run)
            made = self._build(run)(nested)
            run.found[self] = {ids[0]: made} if made else {}
            return
        parameters = {"organization_id": run.caller.organization_id, IDS: self._given.given(ids)}
        if self._more is not None:
            parameters |= self._more(run)
        if self._limit is not None:
            parameters[self._limit.key] = run.budget.rows(self._work) + 1
        rows = yield measured(self._statement(parameters), self._rows.measure(run))
        run.budget.take_work(self._work * len(rows))
        if self._rows.children:
            yield from read_children(self._rows, rows, run)
        made = self._build(run)(rows)
        if self._by is None:
            run.found[self] = {ids[0]: made} if made else {}
        else:
            run.found[self] = grouped(rows, self._by, made)


def grouped(rows: Sequence[Row], by: int, made: list[Any]) -> dict[str, list[Any]]:
    """Group built rows by one of their columns."""
    found: dict[str, list[Any]] = {}
    for row, each in zip(rows, made, strict=True):
        try:
            found[row[by]].append(each)
        except KeyError:
            found[row[by]] = [each]
    return found


def read_children(rows: RowBuilder, found: Sequence[Row], run: Run) -> Steps[None]:
    """Read the children of rows."""
    for each in rows.children:
        if found:
            yield from each.read(found, run)
        else:
            run.found[each] = {}
