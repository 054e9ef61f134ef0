"""Expression size: nodes of a parameter's value after substitution of the parameters that it reads.

Values that each read another one twice double at each step. PyBaMM substitutes them, so a few dozen short values would
fill the memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pybamm
from pybamm.expression_tree.operations.serialise import (
    ExpressionFunctionParameter,
    convert_function_to_symbolic_expression,
)

from app.execution.executor import JobFailed
from app.models.enums import JobErrorCode

MAX_EXPANDED = 200_000
"""Maximum nodes of one value after substitution."""
NODES = ""
"""Key of the node count; the uses of a function's arguments are counted by name."""

Size = Counter[str]


def require_bounded(names: Iterable[str], values: Mapping[str, Any]) -> None:
    """Raise JobFailed if a value exceeds MAX_EXPANDED; RecursionError if one reads itself."""
    sizes = _Sizes(values)
    if large := sorted(name for name in names if sizes.of(name)[0][NODES] > MAX_EXPANDED):
        message = f"With all that they read, these have more than {MAX_EXPANDED} nodes: {', '.join(large[:3])}."
        raise JobFailed(JobErrorCode.MODEL_ERROR, message)


class _Sizes:
    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self._known: dict[str, tuple[Size, Sequence[str]]] = {}

    def of(self, name: str) -> tuple[Size, Sequence[str]]:
        """Return the size of a value, and the names of its arguments if it is a function."""
        if name not in self._known:
            value = self._values.get(name)
            if callable(value):
                value = convert_function_to_symbolic_expression(value, name)
            if isinstance(value, ExpressionFunctionParameter):
                self._known[name] = self._size(value.children[0], value.func_args), value.func_args
            else:
                self._known[name] = self._size(value, ()), ()
        return self._known[name]

    def _size(self, symbol: Any, arguments: Sequence[str]) -> Size:
        if not isinstance(symbol, pybamm.Symbol):
            return Size({NODES: 1})
        if isinstance(symbol, pybamm.Parameter):
            return Size({symbol.name: 1}) if symbol.name in arguments else self.of(symbol.name)[0]
        parts = [self._size(each, arguments) for each in symbol.children]
        if isinstance(symbol, pybamm.FunctionParameter):
            body, names = self.of(symbol.name)
            return _sum([Size({NODES: body[NODES]}), *map(_times, parts, (body[name] for name in names))])
        return _sum([Size({NODES: 1}), *parts])


def _sum(sizes: Iterable[Size]) -> Size:
    total = Size()
    for each in sizes:
        total.update(each)
    return total


def _times(size: Size, count: int) -> Size:
    return Size({name: count * each for name, each in size.items()})
