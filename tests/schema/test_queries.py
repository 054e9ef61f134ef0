"""Files of `queries/`: each is one named operation that works against a new server."""

from pathlib import Path

import orjson
import pytest
from graphql import OperationDefinitionNode, parse

from tests.api import ROOT, Api, operation
from tests.schema.subscriptions import clients

FILES = sorted((ROOT / "queries").glob("*.graphql"))
WATCHING = [file for file in FILES if "\nsubscription " in file.read_text()]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_is_one_operation_named_as_its_file(file: Path) -> None:
    [definition] = parse(file.read_text()).definitions
    assert isinstance(definition, OperationDefinitionNode)
    assert definition.name
    assert definition.name.value == file.stem


@pytest.mark.parametrize("file", [file for file in FILES if file not in WATCHING], ids=lambda file: file.stem)
async def test_runs_with_its_example_variables(api: Api, file: Path) -> None:
    example = file.with_suffix(".variables.json")
    variables = orjson.loads(example.read_bytes()) if example.exists() else {}
    if "$id: ID!" in operation(file.stem):
        variables["id"] = (await api.create())["id"]
    result = await api.run(file.stem, **variables)
    assert result
    assert isinstance(result, list) or result.get("userErrors", []) == []


@pytest.mark.parametrize("file", [file for file in WATCHING if "pipeline" in file.stem.lower()], ids=lambda f: f.stem)
async def test_a_subscription_tells_what_happens(sqlite_url: str, file: Path) -> None:
    async with clients.live(sqlite_url) as live:
        id = (await live.api.create())["id"]
        async with clients.stream(live.http, operation(file.stem), id=id) as events:
            assert await anext(events.lines) == ":"
            await live.api.run("UpdatePipeline", id=id, input={"name": "changed"})
            assert (await events.data())["id"] == id
