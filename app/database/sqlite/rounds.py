"""Rounds: inserts and mutations in one transaction of SQLite, without the ORM. Each succeeds or fails alone.

Savepoints cost as much as the inserts, so they are used only after a failure: the round is undone and runs again.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import groupby
from typing import Any

import apsw

from app.database.changes import Change
from app.database.sqlite.driver import BUSY_TIMEOUT
from app.database.sqlite.inserts import insert_rows
from app.database.writes.inserts import PipelineInsert
from app.database.writes.mutations import Batchable, Memory, Mutation, Pace, Steps
from app.database.writes.statements import CompiledWrite, CompiledWrites
from app.errors import NotUnique, VoltgraphError

Outcome = tuple[Any, list[Change]]
"""Result of a write, or its error, and its changes; those of inserts are added later."""
Item = PipelineInsert | Mutation
MOST_HERE = 4_000_000
"""Maximum size of a batch written on the event loop, as `PipelineInsert.size` counts it: one to two milliseconds."""
UNIQUE = (apsw.SQLITE_CONSTRAINT_PRIMARYKEY, apsw.SQLITE_CONSTRAINT_UNIQUE)


class Unfinished(VoltgraphError):
    """A mutation failed after it had written something, or may take too long for the event loop."""


class Round:
    """Round of writes over the writer's connection."""

    def __init__(
        self,
        connection: apsw.Connection,
        inserts: list[str],
        compiled: CompiledWrites,
        batch: list[Item],
        lasting: dict[Any, Any],
    ) -> None:
        """Create a round; `lasting` is the memory of all rounds."""
        self._connection, self._inserts, self._compiled, self._batch = connection, inserts, compiled, batch
        self._lasting = lasting
        self._written: list[Outcome] = []
        self._is_here = False
        self._memory: dict[Any, Any] = {}

    def begin_here(self) -> bool:
        """Write a few rows on the event loop, without the COMMIT, which waits for the disk. Return False, with nothing
        written, if there are too many, the file is locked, a write fails, or a mutation may take long.

        A thread takes longer: it releases the interpreter at each row and waits to get it back.
        """
        if sum(item.size for item in self._batch) > MOST_HERE:
            return False
        self._connection.set_busy_timeout(0)
        self._is_here = True
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._written = self._together(self._batch)
        except (apsw.Error, Unfinished):
            self._roll_back()
            return False
        except BaseException:
            self._roll_back()
            raise
        finally:
            self._connection.set_busy_timeout(BUSY_TIMEOUT)
            self._is_here = False
        return True

    def finish(self) -> list[Outcome]:
        """Commit what was written on the event loop; returns as `commit` does."""
        try:
            self._connection.execute("COMMIT")
        except apsw.Error:
            self._roll_back()
            return self.commit()
        return self._written

    def commit(self) -> list[Outcome]:
        """Store the batch in one transaction; return the outcome of each item."""
        try:
            return self._in_transaction(self._together)
        except (apsw.Error, Unfinished):
            return self._in_transaction(lambda batch: list(map(self._alone, batch)))

    def _in_transaction(self, write: Callable[[list[Item]], list[Outcome]]) -> list[Outcome]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            outcomes = write(self._batch)
            self._connection.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        return outcomes

    def _roll_back(self) -> None:
        """Roll back a transaction, unless SQLite already did. If that fails, the transaction stays open, and the
        connection is replaced before its next use."""
        self._lasting.clear()
        if self._connection.in_transaction:
            with suppress(apsw.Error):
                self._connection.execute("ROLLBACK")

    def _together(self, batch: list[Item]) -> list[Outcome]:
        """Write items in their order. Raises Unfinished if a mutation failed after it had written something."""
        self._memory = {}
        outcomes: list[Outcome] = []
        for kind, items in groupby(batch, _kind):
            alike: list[Any] = list(items)
            outcomes += self._insert(alike) if kind is PipelineInsert else self._mutate(alike)
        return outcomes

    def _insert(self, batch: list[Any]) -> list[Outcome]:
        is_small = sum(new.size for new in batch) <= MOST_HERE
        for place, text in enumerate(self._inserts):
            rows = [row for new in batch for row in new.by_table[place]]
            if is_small:
                insert_rows(self._connection, text, rows)
            else:  # one by one: SQLite copies the values of a statement
                self._connection.executemany(text, rows)
        return [(None, []) for _ in batch]

    def _mutate(self, alike: list[Mutation]) -> list[Outcome]:
        """Run mutations of one kind: several share their statements."""
        before = self._connection.total_changes()
        try:
            return self._run_together(alike) if len(alike) > 1 else [self._run(alike[0])]
        except (apsw.Error, Unfinished):
            raise
        except Exception as error:
            self._memory = {}
            if self._connection.total_changes() != before:
                raise Unfinished("a mutation failed after a write") from error
            if len(alike) > 1:
                return [self._mutate([each])[0] for each in alike]
            return [(error, [])]

    def _run_together(self, alike: list[Mutation]) -> list[Outcome]:
        """Run batchable mutations of one kind. The first one has the changes of all."""
        begun: list[Any] = [each.begin for each in alike]
        steps = begun[0].run(*begun[0].arguments, [each.item for each in begun])
        results, changes = self._run_steps(steps, sum(each.size for each in alike))
        return [(result, [] if place else changes) for place, result in enumerate(results)]

    def _run(self, mutation: Mutation) -> Outcome:
        return self._run_steps(mutation.begin(), mutation.size)

    def _run_steps(self, steps: Steps[Any], size: int) -> Outcome:
        changes: list[Change] = []
        rows = None
        memory, self._memory = self._memory, {}
        try:
            while True:
                step, rows = steps.send(rows), None
                if isinstance(step, Change):
                    changes.append(step)
                elif step is Memory.MEMORY:
                    rows = self._memory = memory
                elif step is Memory.LASTING:
                    rows = self._lasting
                elif step is Pace.LONG:
                    if self._is_here:
                        raise Unfinished("a mutation may take long")
                else:
                    rows = self._execute(*step, is_small=size <= MOST_HERE)
        except StopIteration as done:
            return done.value, changes

    def _execute(self, query: Any, values: Any, *, is_small: bool) -> Any:
        compiled = self._compiled(query)
        if isinstance(values, list):
            self._execute_many(compiled, values, is_small=is_small)
            return None
        return compiled.rows(self._connection.execute(compiled.sql, compiled.parameters(values)).fetchall())

    def _execute_many(self, compiled: CompiledWrite, values: list[Any], *, is_small: bool) -> None:
        if compiled.is_row and is_small:
            insert_rows(self._connection, compiled.sql, list(map(compiled.parameters, values)))
        else:
            self._connection.executemany(compiled.sql, map(compiled.parameters, values))

    def _alone(self, item: Item) -> Outcome:
        """Write one item in a savepoint. Raises the error if SQLite rolled the whole transaction back."""
        self._memory = {}
        self._connection.execute("SAVEPOINT one")
        try:
            [outcome] = self._insert([item]) if isinstance(item, PipelineInsert) else [self._run(item)]
        except Exception as error:
            if not self._connection.in_transaction:
                raise
            self._connection.execute("ROLLBACK TO one")
            self._lasting.clear()
            outcome = NotUnique() if getattr(error, "extendedresult", None) in UNIQUE else error, []
        self._connection.execute("RELEASE one")
        return outcome


def _kind(item: Item) -> object:
    """Return the kind of an item: equal ones that are next to each other are written together."""
    if isinstance(item, PipelineInsert):
        return PipelineInsert
    return (item.begin.run, item.begin.arguments) if isinstance(item.begin, Batchable) else id(item)
