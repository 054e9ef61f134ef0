"""Rows that belong to the rows of another statement: a statement a level, whatever the number of parents. One statement
for all levels would repeat each parent for each child, and sort rows that have configurations in them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

from app.readers import Steps
from schema.plans.rows import Builder, Row, Rows, Run
from schema.plans.statements import IDS, given_ids


class Children:
    """What is read for the ids of parents, and what becomes of each row."""

    def __init__(
        self,
        parents: Rows,
        parent_id: Any,
        query: Callable[[Any], Any],
        by: Any,
        make: Callable[[Rows], ast.expr],
        more: Callable[[Run], dict[str, Any]] | None = None,
    ) -> None:
        """`query` takes the ids, `by` is the column that has them there, `make` says what each row becomes, and `more`
        which parameters the query has besides."""
        self._one = parents.one
        self._given = given_ids(parents.compiling.dialect, one=self._one)
        self._parent_id, self._parent = parent_id, parents.place(parent_id)
        self._rows = Rows(parents.compiling)
        made = make(self._rows)
        self._by = None if self._one else self._rows.place(by)
        self._build: Builder = self._rows.builder(made)
        self._statement = self._rows.select(query(self._given.stands))
        self._more = more
        parents.children.append(self)

    def all(self, parents: Rows) -> ast.expr:
        """All that belong to a parent."""
        found = parents.value(lambda run: run.found[self].get)
        return ast.Call(found, [parents.stored(self._parent_id), parents.constant([])], [])

    def first(self, parents: Rows) -> ast.expr:
        """The first that belongs to a parent; null where none does."""
        found = parents.value(lambda run: {id: objects[0] for id, objects in run.found[self].items()}.get)
        return ast.Call(found, [parents.stored(self._parent_id)], [])

    def read(self, parents: Sequence[Row], run: Run) -> Steps[None]:
        ids = [row[self._parent] for row in parents]
        parameters = {"organization_id": run.caller.organization_id, IDS: self._given.given(ids)}
        if self._more is not None:
            parameters |= self._more(run)
        rows = yield self._statement(parameters)
        if self._rows.children:
            yield from read_children(self._rows, rows, run)
        made = self._build(run)(rows)
        if self._by is None:
            run.found[self] = {ids[0]: made} if made else {}
        else:
            run.found[self] = grouped(rows, self._by, made)


def grouped(rows: Sequence[Row], by: int, made: list[Any]) -> dict[str, list[Any]]:
    """What was made of rows, by one of their columns."""
    found: dict[str, list[Any]] = {}
    for row, each in zip(rows, made, strict=True):
        try:
            found[row[by]].append(each)
        except KeyError:
            found[row[by]] = [each]
    return found


def read_children(rows: Rows, found: Sequence[Row], run: Run) -> Steps[None]:
    """Read what belongs to rows that were found."""
    for each in rows.children:
        if found:
            yield from each.read(found, run)
        else:
            run.found[each] = {}
