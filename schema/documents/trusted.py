"""Trusted documents: if folders are configured, only their documents run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    Visitor,
    parse,
    print_ast,
    visit,
)

from app.errors import WrongDocuments

ANONYMOUS = "anonymous"
"""Label of an operation without a name."""
SUFFIXES = (".graphql", ".gql")


class Trusted:
    """Set of trusted documents. White space, comments and `__typename` are ignored, since many clients add the latter
    to every selection."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._normal: set[bytes] = set()
        self.by_hash: dict[str, str] = {}
        """Documents by the SHA-256 of their file, and of graphql-js's print of it."""
        for text in texts:
            tree = parse(text, allow_empty_selection_sets=False)
            self._normal.add(_normal(tree))
            self.by_hash |= {_hash(each).hex(): text for each in (text, text.strip(), print_ast(tree))}

    @property
    def names(self) -> Iterator[str]:
        """Names of their operations."""
        return chain.from_iterable(map(operation_names, self.by_hash.values()))

    def has(self, tree: DocumentNode) -> bool:
        """Return whether a document is trusted."""
        return _normal(tree) in self._normal


@lru_cache(1024)  # a start asks for each shipped text once, and for each trusted text under three hashes
def operation_names(text: str) -> tuple[str, ...]:
    """Return the names of a document's operations."""
    operations = [node for node in parse(text).definitions if isinstance(node, OperationDefinitionNode)]
    return tuple(node.name.value if node.name else ANONYMOUS for node in operations)


def read(folders: Iterable[Path], check: Callable[[str], list[GraphQLError]]) -> Trusted:
    """Read the documents of folders, recursively. Raises WrongDocuments, naming every unreadable folder and every
    document in which `check` finds errors."""
    texts, faults = [], []
    for folder in folders:
        if not folder.is_dir():
            faults.append(f"{folder} is no folder.")
        for file in sorted(each for each in folder.rglob("*") if each.suffix in SUFFIXES):
            try:
                texts.append(file.read_text("utf-8"))
            except (OSError, UnicodeDecodeError) as error:
                faults.append(f"{file}: {error}")
            else:
                faults += [f"{file}{_place(error)}: {error.message}" for error in check(texts[-1])]
    if faults:
        raise WrongDocuments(faults)
    return Trusted(texts)


def _place(error: GraphQLError) -> str:
    return "".join(f":{at.line}:{at.column}" for at in (error.locations or [])[:1])


def _normal(tree: DocumentNode) -> bytes:
    return _hash(print_ast(visit(tree, _WithoutTypename())))


def _hash(text: str) -> bytes:
    return sha256(text.encode()).digest()


class _WithoutTypename(Visitor):
    def enter_selection_set(self, node: SelectionSetNode, *_: Any) -> SelectionSetNode | None:
        rest = tuple(each for each in node.selections if not _is_typename(each))
        return SelectionSetNode(selections=rest) if 0 < len(rest) < len(node.selections) else None


def _is_typename(node: SelectionNode) -> bool:
    return isinstance(node, FieldNode) and node.name.value == "__typename" and not (node.alias or node.directives)
