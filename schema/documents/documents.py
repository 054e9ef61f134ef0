"""Documents: parsed, measured and validated once."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from time import thread_time
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    ValidationRule,
    parse,
    specified_rules,
    validate,
)

from app.errors import RequestError, RequestErrorCode
from app.settings import Settings
from schema.documents.argument_checks import Checks
from schema.documents.cost import OperationCost
from schema.documents.input_limits import InputLimits
from schema.documents.size_limits import too_large
from schema.documents.trusted import ANONYMOUS, Trusted
from schema.documents.validation_rules import StorableValues, list_limit

CACHED = 256
LONG = 2_000
"""Characters of a document above which a thread prepares it."""
WRONG_AGAIN = 0.0002
"""CPU time in seconds of answering a wrong document from the cache."""
Charge = Callable[[float], None]
"""Called with CPU time in seconds. Raises RequestError if the caller's balance was negative before."""
MAX_ERRORS = 20
"""Maximum number of reported errors of one document, or of its variables; validation stops after them."""
NOT_TRUSTED = GraphQLError("This server runs trusted documents only, and this is none.")


class KnownOperation:
    """One operation of a valid document."""

    def __init__(self, schema: GraphQLSchema, tree: DocumentNode, operation: OperationDefinitionNode) -> None:
        self.node, self.kind = operation, operation.operation
        self.label = operation.name.value if operation.name else ANONYMOUS
        """Name of the operation in its document."""
        self._cost, self._inputs = OperationCost(tree, operation), InputLimits(schema, operation)
        self.checks = Checks(schema, tree, operation) or None

    def cost(self, variables: Mapping[str, Any] | None, settings: Settings) -> int:
        """Compute the cost with these variables. Raises RequestError if it exceeds the limit, or if a list or an object
        in them is too long."""
        if self._inputs.looks:
            for message in self._inputs.errors(variables, settings.max_list_input):
                raise RequestError(RequestErrorCode.BAD_USER_INPUT, message)
        cost = self._cost.of(variables) if self._cost.fixed is None else self._cost.fixed
        if cost > settings.max_cost:
            message = f"The operation costs {cost:,}; the most is {settings.max_cost:,}. Ask for less at a time."
            raise RequestError(RequestErrorCode.TOO_COMPLEX, message)
        return cost


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """A prepared document; executable if it has no errors."""

    tree: DocumentNode = field(default_factory=DocumentNode)
    code: RequestErrorCode = RequestErrorCode.GRAPHQL_VALIDATION_FAILED
    errors: list[GraphQLError] = field(default_factory=list)
    operations: dict[str | None, KnownOperation] = field(default_factory=dict)
    """Operations by name."""
    seconds: float = 0.0
    """CPU time in seconds of its preparation."""

    def operation(self, name: str | None) -> KnownOperation:
        """Return the operation with `name`. Raises RequestError if none matches or several do."""
        if name is None and len(self.operations) == 1:
            return next(iter(self.operations.values()))
        if name in self.operations and name is not None:
            return self.operations[name]
        if name is not None:
            message = f"The document has no operation named {name!r:.80}."
        elif self.operations:
            message = "The document has several operations: say which by `operationName`."
        else:
            message = "The document has no operation."
        raise RequestError(RequestErrorCode.OPERATION_RESOLUTION_FAILURE, message)


class Documents:
    """Cache of recent documents of one schema."""

    def __init__(self, schema: GraphQLSchema, settings: Settings, trusted: Trusted | None = None) -> None:
        self._schema, self._settings, self._trusted = schema, settings, trusted
        self._rules = [*specified_rules, *([] if settings.introspection else [NoSchemaIntrospectionCustomRule])]
        self._first_rules: list[type[ValidationRule]] = [StorableValues, list_limit(settings.max_list_input)]
        self._kept: OrderedDict[str, Document] = OrderedDict()

    def recent(self, text: str) -> Document | None:
        """Return a document from the cache; None if it is not there, or wrong."""
        document = self._kept.get(text)
        if document is None or document.errors:
            return None
        self._kept.move_to_end(text)
        return document

    async def get(self, text: str, charge: Charge | None = None) -> Document:
        """Return the prepared document. Raises RequestError if it is too long. `charge` is called with the CPU time of
        the preparation if the document is wrong or long; a short valid one is charged by the cost of its operation."""
        if (document := self._kept.get(text)) is not None:
            self._kept.move_to_end(text)
            if document.errors and charge is not None:
                charge(WRONG_AGAIN)
            return document
        self._check_length(text)
        if charge is not None:
            charge(0.0)
        # A long document takes 0.1 s; other requests continue meanwhile.
        document = self._prepare(text) if len(text) < LONG else await asyncio.to_thread(self._prepare, text)
        if charge is not None and (document.errors or len(text) >= LONG):
            charge(document.seconds)
        self._kept[text] = document
        if len(self._kept) > CACHED:
            self._kept.popitem(last=False)
        return document

    def check(self, text: str) -> list[GraphQLError]:
        """Return all errors of a document."""
        try:
            self._check_length(text)
        except RequestError as error:
            return [GraphQLError(error.message)]
        return self._prepare(text).errors

    def _check_length(self, text: str) -> None:
        limit = self._settings.max_document_bytes
        if len(text) > limit or len(text.encode()) > limit:
            raise RequestError(RequestErrorCode.PAYLOAD_TOO_LARGE, f"The document is longer than {limit:,} bytes.")

    def _prepare(self, text: str) -> Document:
        began = thread_time()
        document = self._prepared(text)
        return replace(document, seconds=thread_time() - began)

    def _prepared(self, text: str) -> Document:
        try:
            tree = parse(text, max_tokens=self._settings.max_document_tokens, allow_empty_selection_sets=False)
            if self._trusted is not None and not self._trusted.has(tree):
                return Document(code=RequestErrorCode.DOCUMENT_NOT_TRUSTED, errors=[NOT_TRUSTED])
            if errors := too_large(tree, self._settings):
                return Document(code=RequestErrorCode.TOO_COMPLEX, errors=errors)
            # First, because GraphQL's own rules evaluate such literals and report Python's messages.
            errors = validate(self._schema, tree, self._first_rules, max_errors=MAX_ERRORS) or self._validated(tree)
        except GraphQLError as error:
            return Document(code=RequestErrorCode.GRAPHQL_PARSE_FAILED, errors=[error])
        except RecursionError:
            deep = GraphQLError("The document nests too deeply.")
            return Document(code=RequestErrorCode.GRAPHQL_PARSE_FAILED, errors=[deep])
        return Document(tree=tree, errors=errors, operations={} if errors else self._operations(tree))

    def _validated(self, tree: DocumentNode) -> list[GraphQLError]:
        hides = not self._settings.has_suggestions
        return validate(self._schema, tree, self._rules, max_errors=MAX_ERRORS, hide_suggestions=hides)

    def _operations(self, tree: DocumentNode) -> dict[str | None, KnownOperation]:
        nodes = [node for node in tree.definitions if isinstance(node, OperationDefinitionNode)]
        return {node.name.value if node.name else None: KnownOperation(self._schema, tree, node) for node in nodes}
