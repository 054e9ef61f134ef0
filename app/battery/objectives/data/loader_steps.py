"""Steps table of a measurement: rows of the data that `first_step` and `last_step` select.

A step is given by its row in the table, by `{"cycle": n}` or `{"step": n}`, or by a query. ionworksdata passes queries
to Polars; this module parses a small subset of SQL itself, because Polars' SQL can open files:

    SELECT * FROM steps WHERE "Cycle count" = 2 AND "Step type" = 'Rest' ORDER BY "Step count" DESC LIMIT 1
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from app.battery.checks.fields import Path, is_number, shown
from app.battery.objectives.data.loader import STEP_COUNT, CannotLoad, Step
from app.battery.objectives.data.loader_options import STEP_OPTIONS, Options

MAX_CELLS = 1_000_000
START, END, CYCLE, KIND = "Start index", "End index", "Cycle count", "Step type"
FORM = 'SELECT * FROM steps WHERE "Cycle count" = 2 ORDER BY "Step count" LIMIT 1'
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
TOKEN = re.compile(r"""\s*("[^"]*"|'[^']*'|[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|[A-Za-z_]\w*|<=|>=|<>|!=|==|[*,;=<>])""")

Columns = Mapping[str, list[Any]]


def chosen_steps(steps: Any, path: Path, options: Options, rows: int) -> list[Step] | None:
    """Return the selected steps of a steps table, in order; None without a table. Raises CannotLoad."""
    given = [name for name in STEP_OPTIONS if options[name] is not None]
    if steps is None or (isinstance(steps, dict) and not {START, END} & set(steps) and not needs_steps(options)):
        if given:
            raise CannotLoad(f"`{given[0]}` needs `steps` beside `time_series`.", options.at(given[0]))
        return None
    columns = _columns(steps, path, rows)
    count = len(columns[START])
    first = _row(options["first_step"], options.at("first_step"), columns, 0)
    last = _row(options["last_step"], options.at("last_step"), columns, count - 1)
    if last < first:
        at = options.at("last_step") or options.at("first_step")
        raise CannotLoad(f"`last_step` ({last}) must not be less than `first_step` ({first}).", at)
    start = first if first >= 0 else count + first
    if not 0 <= start < count:
        raise CannotLoad(f"Step {first} does not exist: the table has {count}.", options.at("first_step"))
    return _steps(columns, range(start, min(count, start + last - first + 1)))


def needs_steps(options: Options) -> bool:
    """Return whether an option reads the steps table."""
    return bool(options["rest_to_ocp"]) or any(options[name] is not None for name in STEP_OPTIONS)


def _columns(steps: Any, path: Path, rows: int) -> Columns:
    if not isinstance(steps, dict) or not all(isinstance(column, list) for column in steps.values()):
        raise CannotLoad(f"`steps` must be an object of columns, not {shown(steps)}.", path)
    if len({len(column) for column in steps.values()}) > 1 or sum(map(len, steps.values())) > MAX_CELLS:
        message = f"The columns of `steps` must be as long as each other, with {MAX_CELLS} values at most."
        raise CannotLoad(message, path)
    for name in (START, END):
        if name not in steps:
            raise CannotLoad(f"`steps` lacks `{name}`.", (*path, name))
        for row, value in enumerate(steps[name]):
            if not is_number(value) or value != int(value) or not 0 <= value < rows:
                message = f"`{name}` must name a row of the data, 0 to {rows - 1}, not {shown(value)}."
                raise CannotLoad(message, (*path, name, row))
    if not steps[START]:
        raise CannotLoad("`steps` has no rows: no data are left.", path)
    return steps


def _steps(columns: Columns, chosen: range) -> list[Step]:
    counts, kinds = columns.get(STEP_COUNT), columns.get(KIND)
    return [
        Step(
            int(columns[START][row]),
            int(columns[END][row]),
            None if kinds is None else kinds[row],
            counts[row] if counts is not None and is_number(counts[row]) else None,
        )
        for row in chosen
    ]


def _row(given: Any, path: Path, columns: Columns, default: int) -> int:
    """Return the row of the table that an option names; negative numbers count from the end."""
    if given is None:
        return default
    if isinstance(given, int):
        return given
    if isinstance(given, dict):
        if "step" in given:
            return int(given["step"])
        _require(columns, (CYCLE, STEP_COUNT), path)
        found = [row for row, cycle in enumerate(columns[CYCLE]) if cycle == given["cycle"]]
        if not found:
            raise CannotLoad(f"No step belongs to cycle {given['cycle']}.", path)
        return _count(columns, found[0 if default == 0 else -1], path)
    found = _queried(given, path, columns)
    if len(found) != 1:
        raise CannotLoad(f"The query must find one step; it finds {len(found)}.", path)
    return _count(columns, found[0], path)


def _count(columns: Columns, row: int, path: Path) -> int:
    _require(columns, (STEP_COUNT,), path)
    count = columns[STEP_COUNT][row]
    if not is_number(count) or count != int(count):
        raise CannotLoad(f"`{STEP_COUNT}` of step {row} must be a whole number, not {shown(count)}.", path)
    return int(count)


def _require(columns: Columns, names: tuple[str, ...], path: Path) -> None:
    if missing := [name for name in names if name not in columns]:
        raise CannotLoad(f"`steps` lacks {' and '.join(map(shown, missing))}.", path)


def _queried(query: str, path: Path, columns: Columns) -> list[int]:
    """Return the rows that a query finds, in its order."""
    try:
        return _Query(query, columns).run()
    except (ValueError, TypeError) as error:
        raise CannotLoad(f"The query is not supported: {error}. Write it as {FORM}", path) from None


class _Query:
    """Parser and evaluator of the supported queries. Raises ValueError with the unsupported part."""

    def __init__(self, query: str, columns: Columns) -> None:
        self._tokens = self._split(query)
        self._columns = columns

    @staticmethod
    def _split(query: str) -> list[str]:
        tokens, end = [], 0
        query = query.strip()
        while end < len(query):
            match = TOKEN.match(query, end)
            if match is None:
                raise ValueError(f"{shown(query[end:])} cannot be read")
            tokens.append(match.group(1))
            end = match.end()
        return tokens

    def run(self) -> list[int]:
        self._selected()
        self._expect("FROM")
        self._expect("steps")
        found = list(range(len(next(iter(self._columns.values())))))
        if self._took("WHERE"):
            found = self._condition(found)
            while self._took("AND"):
                found = self._condition(found)
        if self._took("ORDER"):
            self._expect("BY")
            found = self._ordered(found)
        if self._took("LIMIT"):
            found = found[: int(self._next())]
        self._took(";")
        if self._tokens:
            raise ValueError(f"{shown(' '.join(self._tokens))} is left over")
        return found

    def _selected(self) -> None:
        self._expect("SELECT")
        names = [self._next()]
        while self._took(","):
            names.append(self._next())
        if names != ["*"] and STEP_COUNT not in [self._known(name) for name in names]:
            raise ValueError(f'it must select * or "{STEP_COUNT}"')

    def _condition(self, rows: list[int]) -> list[int]:
        column, word = self._columns[self._known(self._next())], self._next()
        if word not in OPERATORS:
            raise ValueError(f"{shown(word)} is no comparison")
        value = self._value(self._next())
        return [row for row in rows if column[row] is not None and OPERATORS[word](column[row], value)]

    def _ordered(self, rows: list[int]) -> list[int]:
        keys = []
        while True:
            column = self._columns[self._known(self._next())]
            falls = self._took("DESC")
            self._took("ASC")
            keys.append((column, falls))
            if not self._took(","):
                break
        for column, falls in reversed(keys):  # sorting is stable: the last key first
            rows = sorted(rows, key=lambda row, column=column: column[row], reverse=falls)  # type: ignore[misc]
        return rows

    def _known(self, token: str) -> str:
        name = token.strip('"')
        if name not in self._columns:
            raise ValueError(f"the steps have no column {shown(name)}")
        return name

    @staticmethod
    def _value(token: str) -> Any:
        return token[1:-1] if token.startswith("'") else float(token)

    def _next(self) -> str:
        if not self._tokens:
            raise ValueError("it ends too soon")
        return self._tokens.pop(0)

    def _expect(self, word: str) -> None:
        token = self._next()
        if token.upper() != word.upper():
            raise ValueError(f"{shown(token)} is there instead of {word}")

    def _took(self, word: str) -> bool:
        if self._tokens and self._tokens[0].upper() == word:
            self._tokens.pop(0)
            return True
        return False
