"""Links: parameters that are expressions of others."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pybamm
from pybamm.expression_tree.operations.serialise import ExpressionFunctionParameter

from app.battery.checks.fields import Path
from app.battery.checks.guard import value_faults
from app.battery.expressions.symbols import decode
from app.battery.functions import model_error
from app.execution.executor import Fault


@dataclass(frozen=True, slots=True)
class Link:
    """A link: an expression of other parameters, which gives a number or a function."""

    symbol: pybamm.Symbol
    reads: frozenset[str]

    @property
    def is_function(self) -> bool:
        return isinstance(self.symbol, ExpressionFunctionParameter)


def link(config: Any, path: Path) -> tuple[Link | None, list[Fault]]:
    faults = list(value_faults(config, path))
    if faults:
        return None, faults
    try:
        symbol = decode(config)
    except ValueError as error:
        return None, [Fault(str(error), path)]
    if not isinstance(symbol, pybamm.Symbol):
        return None, [Fault("An expression of other parameters must be here, not a table.", path)]
    if not isinstance(symbol, ExpressionFunctionParameter) and any(map(_varies, symbol.pre_order())):
        message = "A parameter cannot vary with time. Make the expression a function, or leave time out."
        return None, [Fault(message, path)]
    return Link(symbol, frozenset(_reads(symbol))), []


def _varies(symbol: pybamm.Symbol) -> bool:
    return isinstance(symbol, pybamm.Time)


def _reads(symbol: pybamm.Symbol) -> Collection[str]:
    kinds = (pybamm.Parameter, pybamm.FunctionParameter)
    names = {each.name for each in symbol.pre_order() if isinstance(each, kinds) and each is not symbol}
    if isinstance(symbol, ExpressionFunctionParameter):
        names -= set(symbol.func_args)
    elif isinstance(symbol, kinds):
        names.add(symbol.name)
    return names


def circles(links: Mapping[str, Link]) -> list[str]:
    """Return the parameters of circular links."""

    def reachable(name: str) -> set[str]:
        found: set[str] = set()
        ahead = list(links[name].reads)
        while ahead:
            if (each := ahead.pop()) in links and each not in found:
                found.add(each)
                ahead += links[each].reads
        return found

    return [name for name in links if name in reachable(name)]


Follow = Callable[[Mapping[str, float]], dict[str, float]]


def followers(links: Mapping[str, Link], values: Mapping[str, Any], free: Collection[str]) -> Follow:
    """Return a function from free parameters to the numeric links by name. Raises JobFailed for a link that gives no
    number."""
    known = pybamm.ParameterValues(dict(values) | {name: each.symbol for name, each in links.items()})
    known.update(dict.fromkeys(free, "[input]"), check_already_exists=False)
    symbols = {}
    for name, each in links.items():
        if not each.is_function:
            try:
                symbols[name] = known.process_symbol(each.symbol)
            except Exception as error:
                raise model_error(f"{name} cannot be computed from other parameters: {error}") from error

    def follow(given: Mapping[str, float]) -> dict[str, float]:
        return {name: float(np.asarray(each.evaluate(inputs=given)).item()) for name, each in symbols.items()}

    return follow if symbols else lambda given: {}
