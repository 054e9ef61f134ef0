"""Plans read the selected columns only."""

from __future__ import annotations

import re
from typing import Any

import pytest

from app.auth.caller import LOCAL
from app.database.interface import Steps
from app.pipelines.budget import Budget
from schema.plans.statements import Run
from tests.schema.plans.data import id_of
from tests.schema.plans.pair import Pair

READ = re.compile(r"\b(pipeline|pipeline_element|checkpoint)\.(\w+)")


async def statements(pair: Pair, query: str) -> list[str]:
    """Return the statements of a query."""
    operation = await pair.operation(query)
    plan, values = pair.plans.find(operation.document, None, None)
    texts: list[str] = []

    def spied() -> Steps[Any]:  # started again if it takes long
        run = plan(Run(LOCAL, values, Budget(2**26)))
        texts.clear()
        try:
            statement = next(run)
            while True:
                texts.append(statement[0])
                statement = run.send((yield statement))
        except StopIteration as done:
            return done.value

    await pair.services.database.run(spied, plan.pace)
    return texts


def selected(statement: str) -> set[str]:
    """Return the columns between each SELECT and its FROM."""
    found = re.findall(r"SELECT((?:(?!SELECT).)*?)FROM", f"SELECT {statement}", re.DOTALL)
    return {f"{table}.{column}" for each in found for table, column in READ.findall(each)}


async def test_only_what_is_selected_is_read(pair: Pair) -> None:
    query = f'{{ pipeline(id: "{id_of(1, 9)}") {{ name elements {{ status }} }} }}'
    [whole] = await statements(pair, query)
    one, _, nested = whole.partition("(SELECT")
    assert {"pipeline.id", "pipeline.name"} >= selected(f"{one} FROM") >= {"pipeline.name"}
    assert selected(nested) - {"pipeline_element.element_order"} == {"pipeline_element.status"}


@pytest.mark.parametrize("column", ["jobConfig", "result", "errorDetail"])
async def test_large_columns_are_read_where_they_are_selected(pair: Pair, column: str) -> None:
    *_, children = await statements(pair, f"{{ pipelines {{ nodes {{ elements {{ {column} }} }} }} }}")
    large = {"job_config", "result", "error_detail"}
    read = {name.partition(".")[2] for name in selected(children)} & large
    assert read == {re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", column)}


async def test_nothing_is_counted_or_looked_for_unasked(pair: Pair) -> None:
    assert len(await statements(pair, "{ pipelines(first: 2) { nodes { id } } }")) == 1
    both = await statements(pair, "{ pipelines(first: 2) { totalCount pageInfo { hasPreviousPage } } }")
    assert ["count(" in statement for statement in both] == [False, True]  # a first page has no previous one
    last = await statements(pair, "{ pipelines(last: 2) { totalCount pageInfo { hasPreviousPage } } }")
    assert sum("count(" in statement for statement in last) == 1


async def test_the_number_of_statements_does_not_grow_with_rows(pair: Pair) -> None:
    query = "{{ pipelines(first: {}) {{ nodes {{ elements {{ job {{ trace {{ at }} progress {{ at }} }} }} }} }} }}"
    few, many = await statements(pair, query.format(2)), await statements(pair, query.format(10))
    assert len(few) == len(many) == 4
    assert few == many
