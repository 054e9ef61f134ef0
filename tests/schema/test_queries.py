"""Every file of `queries/` is one named operation that works against a fresh server."""

from pathlib import Path

import orjson
import pytest
from graphql import OperationDefinitionNode, parse

from tests.api import ROOT, Api, operation

FILES = sorted((ROOT / "queries").glob("*.graphql"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_is_one_operation_named_as_its_file(file: Path) -> None:
    [definition] = parse(file.read_text()).definitions
    assert isinstance(definition, OperationDefinitionNode)
    assert definition.name
    assert definition.name.value == file.stem


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
async def test_runs_with_its_example_variables(api: Api, file: Path) -> None:
    example = file.with_suffix(".variables.json")
    variables = orjson.loads(example.read_bytes()) if example.exists() else {}
    if "$id: ID!" in operation(file.stem):
        variables["id"] = (await api.create())["id"]
    result = await api.run(file.stem, **variables)
    assert result
    assert isinstance(result, list) or result.get("userErrors", []) == []
