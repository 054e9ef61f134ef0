"""Table of clients in docs: it lists exactly the tests."""

from __future__ import annotations

import importlib
import inspect
import re
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.clients.python.graphql_client import TRANSPORTS
from tests.clients.python.official import ionworks
from tests.clients.python.test_ionworks_elsewhere import CALLS

HERE = Path(__file__).parent
README = (HERE.parent / "README.md").read_text()
OFFICIAL, GQL = re.findall(r"^### (?:ionworks-api|gql) .*?(?=^##|\Z)", README, re.MULTILINE | re.DOTALL)
CARRIERS = {"delete", "get", "patch", "post", "post_multipart", "redirect_url", "request", "request_raw"}
CARRIERS |= {"upload_multipart"}
"""Methods of the client that send the requests of all others."""
DATA = {"api_key", "api_url", "organization_id", "project_id", "request_timeout", "session", "token"}


def rows(table: str) -> list[list[str]]:
    """Return the cells of a table's rows, below its head."""
    lines = [line for line in table.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line[1:].split("|")][:-1] for line in lines[1:]]


def module(client: str, name: str) -> ModuleType:
    return importlib.import_module(f"tests.clients.python.test_{client}_{name}")


def stated(client: str) -> dict[str, Any]:
    """Return the tests of a client as `file: statement`."""
    found = {}
    for file in HERE.glob(f"test_{client}_*.py"):
        name = file.stem.removeprefix(f"test_{client}_")
        for each, function in inspect.getmembers(module(client, name), inspect.isfunction):
            if each.startswith("test_"):
                found[f"{name}: {each.removeprefix('test_').replace('_', ' ')}"] = function
    return found


def transports(function: Any) -> set[str]:
    [mark] = [each for each in function.pytestmark if each.name == "parametrize" and each.args[0] == "transport"]
    return set(mark.args[1])


def public(thing: Any) -> set[str]:
    return {name for name in dir(thing) if not name.startswith("_")}


def test_its_rows_for_the_official_client_are_the_tests() -> None:
    named = [
        f"{file}: {each}"
        for _, cell in rows(OFFICIAL)
        for file, _, states in [cell.partition(": ")]
        for each in states.split(", ")
    ]
    assert sorted(named) == sorted(stated("ionworks"))


@pytest.mark.parametrize("row", rows(OFFICIAL), ids=lambda row: row[0])
def test_what_a_row_names_is_used_by_its_tests(row: list[str]) -> None:
    offered, cell = row
    source = inspect.getsource(module("ionworks", cell.partition(":")[0]))
    assert all(f".{name}" in source for name in re.findall(r"`([\w.]+)`", offered))


def test_its_rows_for_gql_are_the_tests_with_their_transports() -> None:
    ticked = {
        row[0]: {name for name, cell in zip(TRANSPORTS, row[1:], strict=True) if cell == "✓"} for row in rows(GQL)
    }
    assert ticked == {name: transports(function) for name, function in stated("gql").items()}


def test_all_that_the_official_client_offers_is_named() -> None:
    client = ionworks.Ionworks(api_key="any", api_url="http://127.0.0.1")
    named = {name for offered, _ in rows(OFFICIAL) for name in re.findall(r"`([\w.]+)`", offered)}
    assert {
        f"{part}.{each}" for part in ("pipeline", "job") for each in public(getattr(client, part)) - {"client"}
    } <= named
    ours = {name.partition(".")[0] for name in named}
    elsewhere = set(re.findall(r"`(\w+)`", README[README.index("raised as") : README.index("is deprecated")]))
    assert elsewhere == set(CALLS)
    assert public(client) - DATA - CARRIERS - ours == elsewhere | {"urls"}
    client.session.close()


@pytest.mark.parametrize("package", ["ionworks-api", "gql"])
def test_its_versions_are_those_that_are_tested(package: str) -> None:
    major, minor, *_ = version(package).split(".")
    assert f"### {package} {major}.{minor}\n" in README
