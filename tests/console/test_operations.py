"""Operations of the console: each is one named operation that a server trusts and a plan serves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from graphql import (
    FieldNode,
    GraphQLObjectType,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    parse,
    visit,
)

from app.settings import CONSOLE_OPERATIONS, QUERIES, Settings
from schema import graphql_schema
from schema.documents.documents import Documents
from tests.api import ROOT
from tests.schema.plans.pair import require_plan

FILES = sorted(CONSOLE_OPERATIONS.glob("*.graphql"))
SOURCES = ROOT / "app" / "server" / "pages" / "console" / "src"
NODE = graphql_schema.type_map["Node"]


def operation(file: Path) -> str:
    return file.read_text()


def definition(file: Path) -> OperationDefinitionNode:
    [found] = [each for each in parse(file.read_text()).definitions if isinstance(each, OperationDefinitionNode)]
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_is_one_operation_named_as_its_file(file: Path) -> None:
    name = definition(file).name
    assert name
    assert name.value == file.stem
    assert file.stem.startswith("Console")
    assert not (QUERIES / file.name).exists()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_is_valid_within_the_limits_of_a_new_server(file: Path) -> None:
    assert Documents(graphql_schema, Settings()).check(file.read_text()) == []


@pytest.mark.parametrize(
    "file",
    [file for file in FILES if definition(file).operation is not OperationType.SUBSCRIPTION],
    ids=lambda file: file.stem,
)
async def test_has_a_plan(file: Path) -> None:
    await require_plan(file.stem, operation(file))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_object_with_an_id_is_read_with_it(file: Path) -> None:
    info = TypeInfo(graphql_schema)
    lacking = Lacking(info)
    visit(parse(file.read_text()), TypeInfoVisitor(info, lacking))
    assert lacking.found == []


class Lacking(Visitor):
    """Selections without the id by which normalised caches know their object."""

    def __init__(self, info: TypeInfo) -> None:
        super().__init__()
        self.found: list[str] = []
        self._info = info

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        kind = get_named_type(self._info.get_type())
        names = {each.name.value for each in chosen(node) if isinstance(each, FieldNode)}
        is_object = isinstance(kind, GraphQLObjectType) and NODE in kind.interfaces
        if (is_object or kind is NODE) and "id" not in names:
            self.found.append(f"{node.name.value} {sorted(names)}")


def chosen(node: FieldNode) -> tuple[SelectionNode, ...]:
    return node.selection_set.selections if node.selection_set else ()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_screen_uses_it(file: Path) -> None:
    name = f"{file.stem}Document"
    assert any(name in source.read_text() for source in SOURCES.rglob("*.ts*") if "generated" not in source.parts)


def test_a_server_of_trusted_documents_trusts_them(tmp_path: Path) -> None:
    assert CONSOLE_OPERATIONS in Settings(trusted_documents=str(tmp_path)).trusted_folders
    assert CONSOLE_OPERATIONS not in Settings(trusted_documents=str(tmp_path), console=False).trusted_folders
