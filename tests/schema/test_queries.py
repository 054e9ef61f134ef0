"""Files of `queries/`: each is one named operation that works against a new server."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from graphql import (
    DocumentNode,
    FieldNode,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    is_composite_type,
    parse,
    visit,
)

from schema import graphql_schema
from tests.api import ADMIN, ROOT, Api, operation
from tests.schema.plans.pair import require_plan
from tests.schema.subscriptions import clients

FILES = sorted((ROOT / "queries").glob("*.graphql"))
WATCHING = [file for file in FILES if "\nsubscription " in file.read_text()]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_is_one_operation_named_as_its_file(file: Path) -> None:
    [definition] = parse(file.read_text()).definitions
    assert isinstance(definition, OperationDefinitionNode)
    assert definition.name
    assert definition.name.value == file.stem


@pytest.mark.parametrize(
    "file",
    [file for file in FILES if file not in WATCHING and file.stem not in ADMIN],
    ids=lambda file: file.stem,
)
async def test_runs_with_its_example_variables(api: Api, file: Path) -> None:
    example = file.with_suffix(".variables.json")
    variables = orjson.loads(example.read_bytes()) if example.exists() else {}
    if "$ids: [ID!]!" in operation(file.stem):
        variables["ids"] = [await _made(api, file) for _ in range(2)]
    if "$id: ID!" in operation(file.stem):
        variables["id"] = await _made(api, file)
    if file.stem == "CreateCellInstance":
        variables["input"]["cellSpecificationId"] = await _cell(api, "CellSpecification")
    if file.stem == "Projects":
        await api.create()
    result = await api.run(file.stem, **variables)
    assert result
    assert isinstance(result, list) or result.get("userErrors", []) == []


@pytest.mark.parametrize("file", [file for file in FILES if file not in WATCHING], ids=lambda file: file.stem)
async def test_has_a_plan(file: Path) -> None:
    await require_plan(file.stem, operation(file.stem))


def lacking_ids(document: DocumentNode) -> list[str]:
    """Return the selections that have an `id` to select and do not, as paths: caches cannot merge their objects."""
    types, found = TypeInfo(graphql_schema), []

    class Selections(Visitor):
        def enter_field(self, node: FieldNode, *_: Any) -> None:
            kind = get_named_type(types.get_type())
            if node.selection_set is None or not is_composite_type(kind) or "id" not in getattr(kind, "fields", {}):
                return
            names = {each.name.value for each in node.selection_set.selections if isinstance(each, FieldNode)}
            if "id" not in names:
                found.append(f"{node.name.value} of type {kind.name}")

    visit(document, TypeInfoVisitor(types, Selections()))
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_selection_has_its_id(file: Path) -> None:
    assert lacking_ids(parse(file.read_text())) == []


def test_a_selection_without_its_id_is_found() -> None:
    assert lacking_ids(parse("{ pipelines { nodes { name elements { id } } } }")) == ["nodes of type Pipeline"]


async def _made(api: Api, file: Path) -> str:
    """Create what an operation is about: a cell, a measurement that waits to be completed, or a pipeline."""
    if "Cell" in file.stem:
        return await _cell(api, file.stem.removeprefix("Update").removeprefix("Delete"))
    if "Measurement" not in file.stem:
        id = str((await api.create())["id"])
        if file.stem == "RerunPipeline":
            await api.run("CancelPipeline", id=id)
        return id
    made = await api.run("CreateMeasurement", input={"projectId": "cells", "name": "1C", "format": "CSV"})
    answer = await api.http.put(made["upload"]["url"], content=b"Time [s],Voltage [V]\n0,4.2\n")
    assert answer.status_code == 200
    return str(made["measurement"]["id"])


async def _cell(api: Api, kind: str) -> str:
    """Create a cell specification, or a cell instance with its own one."""
    made = await api.run("CreateCellSpecification", input={"projectId": "cells", "name": "M50"})
    if kind == "CellInstance":
        made = await api.run(
            f"Create{kind}", input={"cellSpecificationId": made["cellSpecification"]["id"], "name": "1"}
        )
    return str(made[kind[0].lower() + kind[1:]]["id"])


SUBJECTS = ("pipeline", "measurement")


@pytest.mark.parametrize(
    "file",
    [file for file in WATCHING if any(each in file.stem.lower() for each in SUBJECTS)],
    ids=lambda file: file.stem,
)
async def test_a_subscription_tells_what_happens(sqlite_url: str, file: Path) -> None:
    async with clients.live(sqlite_url) as live:
        id = await _made(live.api, file)
        async with clients.stream(live.http, operation(file.stem), id=id) as events:
            assert await anext(events.lines) == ":"
            update = "UpdateMeasurement" if "Measurement" in file.stem else "UpdatePipeline"
            await live.api.run(update, id=id, input={"name": "changed"})
            told = await events.data()
            assert told.get("pipelineId", told.get("id")) == id
