"""Dependencies: the parameters that an expression reads, directly or through other values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pybamm
from pybamm.expression_tree.operations.serialise import convert_function_to_symbolic_expression


def names_read(symbols: Iterable[Any], values: Mapping[str, Any]) -> set[str]:
    """Return the names of all parameters in `symbols` and, recursively, in their values."""
    found: set[str] = set()
    waiting = _direct(symbols)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            value = values.get(name)
            if callable(value):
                value = convert_function_to_symbolic_expression(value, name)
            waiting |= _direct([value]) - found
    return found


def _direct(symbols: Iterable[Any]) -> set[str]:
    """Return the names in the symbols themselves; each shared part is visited once."""
    found: set[str] = set()
    seen: set[int] = set()
    waiting = [symbol for symbol in symbols if isinstance(symbol, pybamm.Symbol)]
    while waiting:
        symbol = waiting.pop()
        if id(symbol) in seen:
            continue
        seen.add(id(symbol))
        if isinstance(symbol, pybamm.ExpressionFunctionParameter):
            found |= _direct(symbol.children) - set(symbol.func_args)
            continue
        if isinstance(symbol, pybamm.Parameter | pybamm.FunctionParameter):
            found.add(symbol.name)
        elif isinstance(symbol, pybamm.Variable):
            waiting += [part for part in (symbol.scale, symbol.reference, *symbol.bounds) if part is not None]
        waiting += symbol.children
    return found


def equations(model: pybamm.BaseModel, variables: Iterable[str]) -> Iterator[Any]:
    """Yield the equations of a model, without its events, and the requested variables."""
    yield from model.rhs
    yield from model.rhs.values()
    yield from model.algebraic
    yield from model.algebraic.values()
    yield from model.initial_conditions.values()
    for sides in model.boundary_conditions.values():
        yield from (expression for expression, _ in sides.values())
    yield from (model.variables[name] for name in variables)


def geometry(model: pybamm.BaseModel) -> dict[str, list[Any]]:
    """Return the symbols in a model's lengths by domain."""
    return {domain: list(_leaves(lengths)) for domain, lengths in (model.default_geometry or {}).items()}


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _leaves(each)
    else:
        yield value
