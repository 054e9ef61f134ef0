"""Documents, parsed and validated once."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    parse,
    validate,
)

from app.errors import RequestError, RequestErrorCode
from app.settings import Settings
from schema.rules import StorableValues

CACHED = 256
EMPTY = DocumentNode(definitions=())


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """A document that may be executed, unless it has errors."""

    tree: DocumentNode = EMPTY
    code: RequestErrorCode = RequestErrorCode.GRAPHQL_VALIDATION_FAILED
    errors: list[GraphQLError] = field(default_factory=list)
    _meant: dict[str | None, OperationDefinitionNode] = field(default_factory=dict)

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """The operation that `name` means. RequestError when it means none, or could mean several."""
        if name not in self._meant:
            self._meant[name] = self._find(name)
        return self._meant[name]

    def _find(self, name: str | None) -> OperationDefinitionNode:
        operations = [node for node in self.tree.definitions if isinstance(node, OperationDefinitionNode)]
        if name is not None:
            operations = [node for node in operations if node.name and node.name.value == name]
        if len(operations) == 1:
            return operations[0]
        if name is not None:
            message = f"The document has no operation named {name!r:.80}."
        elif operations:
            message = "The document has several operations: say which by `operationName`."
        else:
            message = "The document has no operation."
        raise RequestError(RequestErrorCode.OPERATION_RESOLUTION_FAILURE, message)


class Documents:
    """The documents that one schema has seen of late."""

    def __init__(self, schema: GraphQLSchema, settings: Settings) -> None:
        self._schema, self._settings = schema, settings
        self._prepared = lru_cache(CACHED)(self._prepare)

    def get(self, text: str) -> Document:
        """The document; RequestError when it is too long to be looked at."""
        limit = self._settings.max_document_bytes
        if len(text) > limit or len(text.encode()) > limit:
            raise RequestError(RequestErrorCode.PAYLOAD_TOO_LARGE, f"The document is longer than {limit:,} bytes.")
        return self._prepared(text)

    def _prepare(self, text: str) -> Document:
        try:
            tree = parse(text, max_tokens=self._settings.max_document_tokens)
            # First, because GraphQL's own rules read such values, and complain in Python's words.
            errors = validate(self._schema, tree, [StorableValues]) or validate(self._schema, tree)
        except GraphQLError as error:
            return Document(code=RequestErrorCode.GRAPHQL_PARSE_FAILED, errors=[error])
        except RecursionError:
            deep = GraphQLError("The document nests too deeply.")
            return Document(code=RequestErrorCode.GRAPHQL_PARSE_FAILED, errors=[deep])
        return Document(tree=tree, errors=errors)
