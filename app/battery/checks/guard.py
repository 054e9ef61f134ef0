"""Allow-list of parameter values, checked before PyBaMM decodes them.

PyBaMM's decoder imports any module that a `$type` names. So a value is first walked as raw JSON against a closed list
of nodes, each with a closed list of fields. This module imports and evaluates nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.battery.checks.fields import MAX_TEXT, Check, Path, flag, is_number, number, one_of, shown, text
from app.execution.executor import Fault

MAX_DEPTH = 100
"""Maximum depth of nodes. PyBaMM decodes and processes by recursion, with some frames per node; Python stops at 1,000
frames."""
MAX_NODES = 20_000
"""Maximum nodes of one value."""
MAX_NUMBERS = 500_000
"""Maximum numbers in the tables of one value."""
TAG = "$type"


def _optional_text(value: Any) -> str | None:
    return None if value is None else text(value)


def _texts(value: Any) -> str | None:
    if isinstance(value, list) and all(isinstance(each, str) and len(each) <= MAX_TEXT for each in value):
        return None
    return f"must be a list of texts, not {shown(value)}"


def _domains(value: Any) -> str | None:
    levels = {"primary", "secondary", "tertiary", "quaternary"}
    if isinstance(value, dict) and set(value) == levels and not any(map(_texts, value.values())):
        return None
    return f"must hold a list of names for each of {', '.join(sorted(levels))}"


def _arguments(value: Any) -> str | None:
    # PyBaMM can export a function as Python source: a name must not inject code there.
    if isinstance(value, list) and all(isinstance(each, str) and each.isidentifier() for each in value):
        return None
    return f"must be a list of identifiers, not {shown(value)}"


def _function_name(value: Any) -> str | None:
    if isinstance(value, str) and len(value) <= MAX_TEXT and (value.isidentifier() or value == "<lambda>"):
        return None
    return f"must be an identifier, not {shown(value)}"


def _anything(value: Any) -> str | None:
    """Accept any value: tables have a check of their own."""
    return None


@dataclass(frozen=True, slots=True)
class Node:
    """A type of node: its fields and number of children (None: a check of its own counts them)."""

    fields: dict[str, Check]
    children: int | None = 0


NAMED: dict[str, Check] = {"name": text, "domains": _domains}
CALLED: dict[str, Check] = {"name": text, "function": text}
SYMBOLS = "pybamm.expression_tree."
TABLE_OF_NUMBERS = "numpy.ndarray"
INTERPOLANT = f"{SYMBOLS}interpolant.Interpolant"
FUNCTION_PARAMETER = f"{SYMBOLS}parameter.FunctionParameter"

NODES: dict[str, Node] = {
    f"{SYMBOLS}scalar.Scalar": Node({"name": text, "value": number()}),
    f"{SYMBOLS}scalar.Constant": Node({"name": text, "value": number()}),
    f"{SYMBOLS}parameter.Parameter": Node(NAMED),
    f"{SYMBOLS}independent_variable.Time": Node(NAMED),
    FUNCTION_PARAMETER: Node(
        NAMED | {"input_names": _texts, "print_name": _optional_text, "has_diff_variable": flag}, None
    ),
    f"{SYMBOLS}operations.serialise.ExpressionFunctionParameter": Node(
        NAMED | {"func_name": _function_name, "func_args": _arguments}, 1
    ),
    INTERPOLANT: Node(
        {
            "name": text,
            "x": _anything,
            "y": _anything,
            "interpolator": one_of("linear", "cubic", "pchip"),
            "extrapolate": flag,
            "_num_derivatives": one_of(0, 1, 2),
        },
        None,
    ),
    f"{SYMBOLS}functions.Arcsinh2": Node(CALLED | {"eps": number(0)}, 2),
    f"{SYMBOLS}functions.RegPower": Node(CALLED | {"delta": number(0)}, 3),
    TABLE_OF_NUMBERS: Node({"data": _anything, "dtype": one_of("float64", "float32", "int64", "int32")}),
}
for _operator in [
    "Addition",
    "Subtraction",
    "Multiplication",
    "Division",
    "Power",
    "Modulo",
    "Minimum",
    "Maximum",
    "Hypot",
    "EqualHeaviside",
    "NotEqualHeaviside",
]:
    NODES[f"{SYMBOLS}binary_operators.{_operator}"] = Node(NAMED, 2)
for _operator in ["Negate", "AbsoluteValue", "Sign", "Floor", "Ceiling"]:
    NODES[f"{SYMBOLS}unary_operators.{_operator}"] = Node(NAMED, 1)
for _function in ["Arcsinh", "Arctan", "Cos", "Cosh", "Erf", "Exp", "Log", "Max", "Min", "Sin", "Sinh", "Sqrt", "Tanh"]:
    NODES[f"{SYMBOLS}functions.{_function}"] = Node(CALLED, 1)


@dataclass(slots=True)
class NodeBudget:
    """Budget of nodes and numbers, and the part that is used."""

    kinds: Mapping[str, Node] = field(default_factory=lambda: NODES)
    most: int = MAX_NODES
    nodes: int = 0
    numbers: int = 0


def value_faults(value: Any, path: Path) -> Iterator[Fault]:
    """Yield every problem of a parameter value."""
    if isinstance(value, dict):
        yield from symbol_faults(value, path, NodeBudget())
    elif isinstance(value, str):
        if value.startswith("["):
            yield Fault(f"{shown(value)} is not supported: the value must be in the configuration.", path)
        elif is_numeric(value):
            yield Fault(f"{shown(value)} is a text. Write the number without quotes.", path)
        elif problem := text(value):
            yield Fault(f"A parameter's text {problem}.", path)
    elif value is None:
        yield Fault("The parameter has no value. Give it one, or leave it out.", path)
    elif not is_number(value):
        yield Fault(f"A parameter takes a finite number, a text or a PyBaMM symbol, not {shown(value)}.", path)


def is_numeric(value: str) -> bool:
    """Return whether a text represents a number."""
    try:
        float(value)
    except ValueError:
        return False
    return True


def symbol_faults(node: Any, path: Path, budget: NodeBudget, depth: int = 1) -> Iterator[Fault]:
    """Yield every problem of a symbol. Symbols of one value share a budget."""
    budget.nodes += 1
    tag = node.get(TAG) if isinstance(node, dict) else None
    kind = budget.kinds.get(tag) if isinstance(tag, str) else None
    if kind is None or not isinstance(tag, str):
        named = f"{TAG} {shown(tag)}" if isinstance(node, dict) and TAG in node else f"no {TAG}"
        yield Fault(f"A PyBaMM symbol with {named} is not supported.", (*path, TAG) if tag is not None else path)
        return
    children = node.get("children", [])
    yield from _field_faults(node, tag, kind, path)
    if not isinstance(children, list):
        yield Fault(f"`children` must be a list, not {shown(children)}.", (*path, "children"))
        return
    yield from _shape_faults(node, tag, kind, children, path, budget)
    if depth >= MAX_DEPTH and children:
        yield Fault(f"The symbol nests deeper than {MAX_DEPTH} nodes.", path)
    else:
        for index, child in enumerate(children):
            if budget.nodes > budget.most:
                yield Fault(f"The symbol has more than {budget.most} nodes.", path)
                return
            yield from symbol_faults(child, (*path, "children", index), budget, depth + 1)


def _field_faults(node: dict[str, Any], tag: str, kind: Node, path: Path) -> Iterator[Fault]:
    allowed = {TAG, *kind.fields} | (set() if kind.children == 0 else {"children"})
    for name in node:
        if name not in allowed:
            yield Fault(f"{tag} has no field {shown(name)}.", (*path, name))
    for name, check in kind.fields.items():
        if name not in node:
            yield Fault(f"{tag} lacks `{name}`.", (*path, name))
        elif problem := check(node[name]):
            yield Fault(f"`{name}` {problem}.", (*path, name))


def _shape_faults(
    node: dict[str, Any], tag: str, kind: Node, children: list[Any], path: Path, budget: NodeBudget
) -> Iterator[Fault]:
    expected = kind.children
    if tag == FUNCTION_PARAMETER and isinstance(node.get("input_names"), list):
        expected = len(node["input_names"]) + (node.get("has_diff_variable") is True)
    elif tag == INTERPOLANT:
        x, y = node.get("x"), node.get("y")
        if not isinstance(x, list) or not 1 <= len(x) <= 3 or not all(isinstance(axis, list) for axis in x):
            yield Fault("`x` must be one, two or three lists of numbers.", (*path, "x"))
            return
        expected = len(x)
        for index, axis in enumerate(x):
            yield from _table_faults(axis, (len(axis),), (*path, "x", index), budget)
        yield from _table_faults(y, tuple(map(len, x)), (*path, "y"), budget)
    elif tag == TABLE_OF_NUMBERS:
        data = node.get("data")
        yield from _table_faults(data, (len(data) if isinstance(data, list) else 0,), (*path, "data"), budget)
    if expected is not None and len(children) != expected:
        yield Fault(f"{tag} takes {expected} children, not {len(children)}.", (*path, "children"))


def _table_faults(table: Any, shape: tuple[int, ...], path: Path, budget: NodeBudget) -> Iterator[Fault]:
    """Check nested lists of finite numbers with a given shape."""
    if not isinstance(table, list) or len(table) != shape[0] or not table:
        yield Fault(f"A table of {shape[0]} must be here, at least one.", path)
        return
    if len(shape) > 1:
        for index, row in enumerate(table):
            yield from _table_faults(row, shape[1:], (*path, index), budget)
        return
    budget.numbers += len(table)
    if budget.numbers > MAX_NUMBERS:
        yield Fault(f"The symbol has more than {MAX_NUMBERS} numbers.", path)
        return
    for index, each in enumerate(table):
        if not is_number(each):
            yield Fault(f"A finite number must be here, not {shown(each)}.", (*path, index))
            return  # one bad number is enough for a column of thousands
