"""Variations of operations: existing values as arguments, values moved into variables, and selections aliased, merged,
put into fragments, and included or skipped."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from random import Random
from typing import Any

import graphql
from graphql import (
    ArgumentNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    NamedTypeNode,
    NameNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableDefinitionNode,
    VariableNode,
    value_from_ast_untyped,
)
from hypothesis_graphql import nodes

from schema import graphql_schema
from tests.schema.plans import stored
from tests.schema.plans.data import CURSORS, IDS, PIPELINES, TIMES

CORE = graphql_schema
BAD_CURSORS = ["", "x", "é", "W10", CURSORS["NAME", "ASC"][0]]
LISTS = {
    "measurements": "Measurement",
    "cellSpecifications": "CellSpecification",
    "cellInstances": "CellInstance",
    "auditLog": "AuditEntry",
    "usedBy": "Users",
}
NAMES = ["a [m]", "b [m]", "c"]


@dataclass
class Varied:
    """Operation that is being varied."""

    random: Random
    definitions: list[VariableDefinitionNode] = field(default_factory=list)
    variables: dict[str, Any] = field(default_factory=dict)
    fragments: list[FragmentDefinitionNode] = field(default_factory=list)
    count: int = 0

    def document(self, operation: OperationDefinitionNode) -> tuple[str, dict[str, Any]]:
        root = CORE.get_root_type(operation.operation)
        assert root is not None
        selections = self.selections(operation.selection_set, root)
        made = OperationDefinitionNode(
            operation=operation.operation,
            name=NameNode(value="Varied"),
            variable_definitions=tuple(self.definitions),
            selection_set=selections,
        )
        return graphql.print_ast(DocumentNode(definitions=(made, *self.fragments))), self.variables

    def chance(self, of: float) -> bool:
        return self.random.random() < of

    def new(self, letter: str) -> str:
        self.count += 1
        return f"{letter}{self.count}"

    def selections(self, given: SelectionSetNode, parent: Any) -> SelectionSetNode:
        is_root = parent in (CORE.query_type, CORE.mutation_type)
        found = [self.selection(each, parent) for each in given.selections]
        if self.chance(0.2):
            found.insert(self.random.randrange(len(found) + 1), FieldNode(name=NameNode(value="__typename")))
        if self.chance(0.1) and parent is not CORE.mutation_type:
            found.append(self.random.choice(found))
        if self.chance(0.2) and not is_root:
            found = [self.fragment(found, parent)]
        elif self.chance(0.3) and len(found) > 1:
            at = self.random.randrange(len(found))
            found[at] = self.fragment([found[at]], parent)
        return SelectionSetNode(selections=tuple(found))

    def selection(self, given: SelectionNode, parent: Any) -> SelectionNode:
        if isinstance(given, InlineFragmentNode):
            kind = CORE.type_map[given.type_condition.name.value] if given.type_condition else parent
            inner = self.selections(given.selection_set, kind)
            return InlineFragmentNode(
                type_condition=given.type_condition, selection_set=inner, directives=self.directives()
            )
        assert isinstance(given, FieldNode)
        definition = CORE.get_field(parent, given.name.value)
        assert definition is not None
        aimed = self.arguments(given.arguments or (), definition, given.name.value)
        alias = NameNode(value=self.new("a")) if self.chance(0.15) else given.alias
        below = given.selection_set
        deeper = below and self.selections(below, graphql.get_named_type(definition.type))
        return FieldNode(
            name=given.name, alias=alias, arguments=aimed, selection_set=deeper, directives=self.directives()
        )

    def fragment(self, selections: list[SelectionNode], parent: Any) -> SelectionNode:
        condition = NamedTypeNode(name=NameNode(value=parent.name))
        inner = SelectionSetNode(selections=tuple(selections))
        if self.chance(0.5):
            kind = condition if self.chance(0.7) else None
            return InlineFragmentNode(type_condition=kind, selection_set=inner, directives=self.directives())
        name = NameNode(value=self.new("F"))
        self.fragments.append(FragmentDefinitionNode(name=name, type_condition=condition, selection_set=inner))
        return FragmentSpreadNode(name=name, directives=self.directives())

    def directives(self) -> tuple[DirectiveNode, ...]:
        if not self.chance(0.1):
            return ()
        name, truth = self.random.choice(["include", "skip"]), self.chance(0.6)
        truth = truth if name == "include" else not truth
        value: ValueNode = nodes.Boolean(truth)
        if self.chance(0.6):
            value = self.variable("Boolean!", truth)
        return (DirectiveNode(name=NameNode(value=name), arguments=(argument("if", value),)),)

    def variable(self, kind: str, value: Any, default: Any = None) -> VariableNode:
        node = VariableNode(name=NameNode(value=self.new("v")))
        self.definitions.append(
            VariableDefinitionNode(variable=node, type=graphql.parse_type(kind), default_value=default)
        )
        if default is None:
            self.variables[node.name.value] = value
        return node

    def arguments(self, given: Any, definition: Any, field: str) -> tuple[ArgumentNode, ...]:
        values = {each.name.value: each.value for each in given}
        if "first" in values and self.chance(0.9):
            values.pop("last", None)
        cursors = {name for name in values if str(definition.args[name].type) == "String"}
        aimed = {
            # `after` of a log is the number of a line, and no cursor
            name: value if name == "after" and name not in cursors else self.aimed(name, value, values, field)
            for name, value in values.items()
        }
        return tuple(argument(name, self.moved(value, definition.args[name].type)) for name, value in aimed.items())

    def moved(self, value: ValueNode, kind: Any) -> ValueNode:
        """Return a variable or the value itself; the variable is given, omitted, null, of a wrong type, or has the
        value as its default."""
        if not self.chance(0.4):
            return value
        plain = value_from_ast_untyped(value)
        if self.chance(0.03):
            return self.variable(str(kind), {"wrong": [plain]})
        if self.chance(0.2) and not isinstance(value, graphql.NullValueNode):
            return self.variable(str(kind), None, default=value)
        node = self.variable(str(kind), plain)
        if self.chance(0.1) and not graphql.is_non_null_type(kind):
            del self.variables[node.name.value]
        return node

    def aimed(self, name: str, value: ValueNode, beside: dict[str, ValueNode], field: str) -> ValueNode:
        """Return a value that probably occurs in the rows."""
        pick = self.random.choice
        match name:
            case "id":
                return value if self.chance(0.1) else nodes.String(pick(ids_of(field)))
            case "projectId":
                return nodes.String(pick("ab"))
            case "cellSpecificationId":
                return nodes.String(pick(ids_of("cellSpecification")))
            case "ids":
                return nodes.List([nodes.String(pick(ids_of(field))) for _ in range(self.random.randrange(5))])
            case "first" | "last":
                return nodes.Int(pick([0, 101, -1]) if self.chance(0.05) else pick([1, 2, 3, 5, 100]))
            case "after" | "before":
                return nodes.String(pick(BAD_CURSORS if self.chance(0.1) else cursors(field, beside.get("orderBy"))))
            case "maxPoints":
                return nodes.Int(pick([0, 5001]) if self.chance(0.05) else pick([1, 2, 3, 7, 5000]))
            case "format":  # others take a child process
                return nodes.Enum(pick(["PYBAMM", "CSV"]))
            case "input" if field == "checkPipeline":  # other inputs take a child process
                project = nodes.String(pick(["a", " "]))
                return nodes.Object(
                    [
                        graphql.ObjectFieldNode(name=NameNode(value="projectId"), value=project),
                        graphql.ObjectFieldNode(name=NameNode(value="elements"), value=nodes.List([])),
                    ]
                )
            case "objective":
                return nodes.String(pick(["o", "é", "none"]))
            case "columns":
                return nodes.List([nodes.String(pick(["Time [s]", "é", "Voltage [V] (data)"])) for _ in range(2)])
            case "names":
                return nodes.List([nodes.String(pick(NAMES)) for _ in range(self.random.randrange(4))])
            case "filter" if isinstance(value, graphql.ObjectValueNode):
                return self.filter_of(value)
        return value

    def filter_of(self, value: graphql.ObjectValueNode) -> ValueNode:
        return nodes.Object([self.filtered(each) for each in value.fields if self.chance(0.6)])

    def some(self, texts: list[str]) -> ValueNode:
        return nodes.List([nodes.String(self.random.choice(texts)) for _ in range(self.random.randrange(4))])

    def filtered(self, given: graphql.ObjectFieldNode) -> graphql.ObjectFieldNode:
        pick, name = self.random.choice, given.name.value
        value = given.value
        if not isinstance(value, graphql.NullValueNode):
            match name:
                case "projectId":
                    value = nodes.String(pick("ab"))
                case "projectIds":
                    value = self.some(["a", "b", "none"])
                case "ids":
                    value = self.some(IDS[:PIPELINES])
                case "cellInstanceId":
                    value = nodes.String(pick(ids_of("cellInstance")))
                case "objectId":
                    value = nodes.String(pick(ids_of("measurement")))
                case "key":
                    value = nodes.String(pick(["vg_0", "vg_1", "none"]))
                case "labelsAll" | "labelsAny" | "tagsAll" | "tagsAny":
                    value = self.some(["STRASSE", "b", " B ", "none"])
                case "and" | "or" if isinstance(value, graphql.ListValueNode):
                    inner = [each for each in value.values if isinstance(each, graphql.ObjectValueNode)]
                    value = nodes.List([self.filter_of(each) for each in inner])
                case "not" | "element" if isinstance(value, graphql.ObjectValueNode):
                    value = self.filter_of(value)
                case "name":
                    value = nodes.String(pick(["element 0", "element 3", "none"]))
                case "durationAtLeast" | "durationAtMost":
                    value = pick([nodes.Int(0), nodes.Float(7e-06), nodes.Int(1)])
                case "started" | "finished" if isinstance(value, graphql.ObjectValueNode):
                    value = self.filter_of(value)
                case "after" | "before":
                    value = nodes.String(pick(TIMES))
                case "nameStartsWith" | "descriptionContains":
                    value = nodes.String(pick(["CELL", "a", "", 'about "', "%"]))
                case "nameContains":
                    value = nodes.String(pick(["cell", "STRASSE", "%", "", "x"]))
                case "createdByEmail":
                    value = nodes.String("a@example.org")
                case "createdAfter" | "createdBefore" | "updatedAfter" | "updatedBefore":
                    value = nodes.String(pick(TIMES))
        return graphql.ObjectFieldNode(name=given.name, value=value)


def ids_of(field: str) -> list[str]:
    """Return ids that a field takes: of its type, or of any."""
    return stored.IDS.get(field[0].upper() + field[1:]) or [*IDS, *chain.from_iterable(stored.IDS.values())]


def cursors(field: str, order: ValueNode | None) -> list[str]:
    found = value_from_ast_untyped(order) if order is not None else None
    key = (found["field"], found.get("direction", "DESC")) if isinstance(found, dict) else ("CREATED_AT", "DESC")
    if field in LISTS:
        return stored.cursors(LISTS[field], *key)
    return CURSORS.get(key) or CURSORS["CREATED_AT", "DESC"]


def argument(name: str, value: ValueNode) -> ArgumentNode:
    return ArgumentNode(name=NameNode(value=name), value=value)


def varied(document: DocumentNode, seed: int) -> tuple[str, dict[str, Any]]:
    """Return a document with a varied operation, and its variables."""
    [operation] = document.definitions
    assert isinstance(operation, OperationDefinitionNode)
    return Varied(Random(seed)).document(operation)
