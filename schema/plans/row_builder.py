"""Row builder: code generation for a selection.

[{"id": r0, "config": c0(r1), "job": None if r2 is None else {"id": r2}} for r0, r1, r2 in rows]

`r` are columns, `c` constants, `v` values of one run. The code is built as a syntax tree and never as text, so that no
input of a client is parsed as code: the client chooses keys only, which are constants in the tree.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Select, Text, func, literal_column
from sqlalchemy.engine import Dialect

from app.database.interface import Measure, TooLong
from app.models.columns import JsonText, instant_text
from app.models.sql import Sql, sql_of
from app.pipelines.budget import PARSED, ROW, VALUE, Budget, size_of
from schema.plans.encoding.codecs import LEAST, MOST, converter, integer
from schema.plans.selections import FieldDetailsList, Selections, name_of
from schema.plans.statements import CompiledStatement, Run

Row = Sequence[Any]
"""A tuple, or a driver's row."""
NULL = ast.Constant(None)
MOST_BYTES = 4 * 2**20
"""Maximum size of all texts of a page together, or of one object. Longer ones are built from rows, because SQLite
copies a text when it appends to it."""
MOST_LISTS = 16
"""Maximum total size of the texts of a page, as a multiple of the maximum size of one value."""


Builder = Callable[[Run], Callable[[Sequence[Row]], list[Any]]]
"""Returns, for one run, the function that builds objects from rows."""
FieldReader = Callable[[Any, FieldDetailsList], Any]
"""Reads a field with its selection: the code made by RowBuilder, or the parts of SQL made by JsonSqlBuilder."""


@dataclass(slots=True)
class CompileContext:
    """State of a compilation."""

    selections: Selections
    dialect: Dialect
    field: Callable[[str, str], FieldReader]
    """Returns how a field of a type is read. Raises Unplanned."""
    longest: int
    """Maximum bytes of a value that the database creates or returns."""
    has_texts: bool = True
    """Whether the database may encode JSON: for long values that takes several times as long as reading rows."""
    statements: int = 0
    """Maximum number of statements of the plan so far."""
    computes: bool = False
    """Whether values are computed once the rows are read."""

    @property
    def sql(self) -> Sql:
        """SQL of the dialect."""
        return sql_of(self.dialect)

    def limit_texts(self) -> None:
        """Limit each of the texts that one statement returns for many rows."""
        self.longest = min(self.longest, MOST_BYTES // MOST_LISTS)


class ByteMeasure:
    """Measure that counts the bytes of some columns against the budget of the answer."""

    __slots__ = ("_budget", "_weights", "places")

    def __init__(self, weights: Mapping[int, int], budget: Budget) -> None:
        self._weights, self._budget = weights, budget
        self.places = tuple(weights)

    def __call__(self, rows: Sequence[Row]) -> None:
        weights = self._weights.items()
        self._budget.take_bytes(sum(weight * sum(size_of(row[place]) for row in rows) for place, weight in weights))


class RowBuilder:
    """Rows of one statement: its columns, and the further statements for each row."""

    def __init__(self, compiling: CompileContext, *, one: bool = False, is_at_hand: bool = False) -> None:
        """Create rows. `one`: at most one row. `is_at_hand`: the row is in memory, and no statement reads it."""
        self.compiling, self.one, self.is_at_hand = compiling, one, is_at_hand
        self.columns: list[Any] = []
        self.children: list[Any] = []
        self.shared: dict[str, Any] = {}
        """Children that several fields of each row read, by a name."""
        self._constants: dict[str, Any] = {}
        self._values: dict[str, Callable[[Run], Any]] = {}
        self._texts: dict[int, int] = {}
        """Maximum bytes of JSON columns that the database encodes and may truncate, by column index."""
        self._weights: dict[int, int] = {}
        """Weights of columns that can be long, by column index: bytes of the answer per byte of the column."""
        self._parsed: set[int] = set()
        """Indexes of columns that are parsed."""

    def place(self, column: Any) -> int:
        """Add a column and return its index in each row."""
        for place, known in enumerate(self.columns):
            if known is column:
                return place
        self.columns.append(column)
        return len(self.columns) - 1

    def at(self, place: int) -> ast.expr:
        """Return the code for a column by index."""
        return _name(f"r{place}")

    def stored(self, column: Any) -> ast.expr:
        """Return the code for a column as stored."""
        return self.at(self.place(column))

    def column(self, column: Any) -> ast.expr:
        """Return the code for a column as the answer shows it."""
        convert, stored = converter(column.type, self.compiling.dialect), self.stored(column)
        if isinstance(column.type, JsonText | Text):
            self.weigh(column)
        if convert is None:
            return stored
        made: ast.expr = self.call(convert, stored)
        if convert in AS_IT_IS:
            made = ast.IfExp(AS_IT_IS[convert](stored), stored, made)
        return _unless_null(stored, made) if column.nullable else made

    def weigh(self, column: Any, weight: int = 1) -> None:
        """Count each byte of a column as `weight` bytes of the answer."""
        place = self.place(column)
        self._weights[place] = self._weights.get(place, 0) + weight

    def parsed_result(self, column: Any) -> ast.expr:
        """Return the code for a parsed result. The fields of a row share one parse, whose bytes are counted once."""
        place = self.place(column)
        if place not in self._parsed:
            self._parsed.add(place)
            self.weigh(column, PARSED)
        return ast.Call(self.value(Run.result_parser), [self.at(place)], [])

    def measure(self, run: Run) -> Measure | None:
        """Return the measure that counts the bytes of rows as they are read; None if no column can be long."""
        return ByteMeasure(self._weights, run.budget) if self._weights else None

    def check(self, rows: Sequence[Row], run: Run) -> None:
        """Count the bytes of rows that were read. Raises AnswerTooLarge, and TooLong if JSON was truncated."""
        if self._texts:
            for place, longest in self._texts.items():
                if any(row[place] is not None and len(row[place]) > longest for row in rows):
                    raise TooLong
        if self._weights:
            ByteMeasure(self._weights, run.budget)(rows)

    def has_large(self, columns: Collection[Any]) -> bool:
        """Return whether one of these columns is read."""
        return any(known is column for known in self.columns for column in columns)

    def column_or(self, column: Any, name: str) -> ast.expr:
        """Return the code for an enum's name, with a default for null."""
        return ast.BoolOp(ast.Or(), [self.stored(column), ast.Constant(name)])

    def is_among(self, column: Any, names: Collection[str]) -> ast.expr:
        return self.call(names.__contains__, self.stored(column))

    def name(self, name: str) -> ast.expr:
        return ast.Constant(name)

    def unless_null(self, column: Any, made: ast.expr) -> ast.expr:
        """Return the code for `made`, or null if a column is null."""
        return _unless_null(self.stored(column), made)

    def json(self, text: Any) -> ast.expr:
        """Return the code for JSON encoded by the database."""
        if not self.compiling.sql.limits_values:
            longest = self.compiling.longest if self.one else self.compiling.longest // MOST_LISTS
            text = func.substr(text, literal_column("1"), literal_column(str(longest + 1)))
            self._texts[self.place(text)] = longest
        return self.call(orjson.Fragment, self.stored(text))

    def constant(self, value: Any) -> ast.expr:
        name = f"c{len(self._constants)}"
        self._constants[name] = value
        return _name(name)

    def value(self, of: Callable[[Run], Any]) -> ast.expr:
        """Return the code for a value of each run."""
        name = f"v{len(self._values)}"
        self._values[name] = of
        return _name(name)

    def call(self, function: Callable[..., Any], *arguments: ast.expr) -> ast.expr:
        return ast.Call(self.constant(function), list(arguments), [])

    def object(self, type_name: str, details: FieldDetailsList) -> ast.expr:
        """Return the code for an object of a type."""
        field = self.compiling.field
        fields = self.compiling.selections.fields(type_name, details)
        return dictionary({key: field(type_name, name_of(each))(self, each) for key, each in fields.items()})

    def select_something(self) -> None:
        """Select at least one column, as SQL requires, even if only `__typename` is selected."""
        if not self.columns:
            self.place(literal_column("1"))

    def builder(self, made: ast.expr) -> Builder:
        """Compile the builder of `made`; call it once all columns are known."""
        self.select_something()
        row = ast.Tuple([_name(f"r{place}", ast.Store()) for place in range(len(self.columns))], ast.Store())
        each = ast.comprehension(row, _name("rows"), [], is_async=0)
        parameters = [ast.arg("rows"), *map(ast.arg, self._values)]
        function = ast.Lambda(ast.arguments([], parameters, None, [], [], None, []), ast.ListComp(made, [each]))
        code = compile(ast.fix_missing_locations(ast.Expression(function)), "<plan>", "eval")
        build = eval(code, {**self._constants, "__builtins__": {}})
        makers = list(self._values.values())
        if not makers:
            return lambda run: build

        def bind(run: Run) -> Callable[[Sequence[Row]], list[Any]]:
            values = [make(run) for make in makers]
            return lambda rows: build(rows, *values)

        return bind

    def select(self, query: Select[Any]) -> CompiledStatement:
        """Compile the query with these columns only."""
        self.compiling.statements += 1
        return CompiledStatement(
            query.with_only_columns(*self.columns, maintain_column_froms=True), self.compiling.dialect
        )

    def nested(self, query: Select[Any]) -> Any:
        """Return the rows as one value. None if the database has no such values, or needs none."""
        return self.compiling.sql.nested(query, self.columns)


def work_of(made: ast.expr) -> int:
    """Return the work of reading one row and building `made` from it."""
    return ROW + VALUE * sum(len(node.keys) for node in ast.walk(made) if isinstance(node, ast.Dict))


def dictionary(fields: dict[str, ast.expr]) -> ast.expr:
    return ast.Dict([ast.Constant(key) for key in fields], list(fields.values()))


def _unless_null(tested: ast.expr, made: ast.expr) -> ast.expr:
    return ast.IfExp(ast.Compare(tested, [ast.Is()], [NULL]), NULL, made)


def _fits(integer: ast.expr) -> ast.expr:
    return ast.Compare(ast.Constant(LEAST), [ast.LtE(), ast.LtE()], [integer, ast.Constant(MOST)])


def _has_fraction(instant: ast.expr) -> ast.expr:
    """Return the code that checks an instant for a fraction of a second; only then does orjson write the API's form."""
    return ast.Attribute(instant, "microsecond", ast.Load())


AS_IT_IS: dict[Callable[[Any], Any], Callable[[ast.expr], ast.expr]] = {integer: _fits, instant_text: _has_fraction}
"""Conditions under which a converter would return its value unchanged, so that no call is made."""


def _name(name: str, context: ast.expr_context | None = None) -> ast.Name:
    return ast.Name(name, context or ast.Load())
