"""Size limits of documents: depth limit, fields and aliases, checked in one pass that visits each fragment once, before
any other rule."""

from __future__ import annotations

from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    OperationDefinitionNode,
    SelectionSetNode,
)

from app.settings import Settings

INTROSPECTION = ("__schema", "__type")
"""Introspection fields; a rule of graphql-core bounds their depth."""
MAX_WIDTH = 300
"""Maximum number of fields of one selection, fragments included. GraphQL's rules compare them in pairs."""


@dataclass(frozen=True, slots=True)
class Size:
    """Size of a selection with its fragments expanded."""

    depth: int = 0
    aliases: int = 0
    directives: int = 0
    width: int = 0
    """Number of top-level fields."""
    widest: int = 0
    """Maximum number of fields of a selection in it."""

    def beside(self, other: Size) -> Size:
        width = self.width + other.width
        return Size(
            max(self.depth, other.depth),
            self.aliases + other.aliases,
            self.directives + other.directives,
            width,
            max(self.widest, other.widest, width),
        )


class Sizes:
    """Sizes of a document's operations."""

    def __init__(self, document: DocumentNode) -> None:
        nodes = document.definitions
        self._fragments = {node.name.value: node for node in nodes if isinstance(node, FragmentDefinitionNode)}
        self._known: dict[str, Size] = {}
        operations = [node for node in nodes if isinstance(node, OperationDefinitionNode)]
        self.all = [(node, self._selection(node.selection_set)) for node in operations]

    def _selection(self, selections: SelectionSetNode) -> Size:
        size = Size()
        for node in selections.selections:
            if isinstance(node, FieldNode):
                inside = self._field(node)
            elif isinstance(node, FragmentSpreadNode):
                inside = self._fragment(node.name.value)
            else:
                inside = self._selection(node.selection_set)  # type: ignore[attr-defined]
            size = size.beside(inside).beside(Size(directives=len(node.directives or ())))
        return size

    def _field(self, node: FieldNode) -> Size:
        aliases = int(node.alias is not None)
        if node.selection_set is None or node.name.value in INTROSPECTION:
            return Size(1, aliases, width=1)
        inside = self._selection(node.selection_set)
        return Size(inside.depth + 1, inside.aliases + aliases, inside.directives, 1, inside.widest)

    def _fragment(self, name: str) -> Size:
        if name not in self._known:
            self._known[name] = Size()  # a fragment that spreads itself; GraphQL's rules refuse it
            if name in self._fragments:
                self._known[name] = self._selection(self._fragments[name].selection_set)
        return self._known[name]


def too_large(document: DocumentNode, settings: Settings) -> list[GraphQLError]:
    """Return an error for every exceeded limit of a document."""
    errors = []
    for node, size in Sizes(document).all:
        for what, found, most in (
            ("levels of fields", size.depth, settings.max_depth),
            ("aliases", size.aliases, settings.max_aliases),
            ("directives", size.directives + len(node.directives or ()), settings.max_directives),
            ("root fields", size.width, settings.max_root_fields),
            ("fields in one selection", size.widest, MAX_WIDTH),
        ):
            if found > most:
                errors.append(GraphQLError(f"The operation has {_shown(found)} {what}; {most} are allowed.", node))
    return errors


def _shown(number: int) -> str:
    """Format a number; fragments that spread fragments can double it at each level."""
    return str(number) if number < 10**6 else "over a million"
