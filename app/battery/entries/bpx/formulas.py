"""Formulas of BPX documents: arithmetic of one variable `x`, with exp, tanh and cosh.

The package `bpx` runs a formula as Python code from a temporary file. Here it is parsed to a tree of a closed list of
nodes, and evaluated without any code of the document.
"""

from __future__ import annotations

import ast
import math
import operator
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pybamm

with warnings.catch_warnings():  # it uses names that pyparsing deprecates
    warnings.simplefilter("ignore")
    import bpx

__all__ = ["Formula", "WrongFormula", "bpx", "without_code", "written"]
MAX_LENGTH, MAX_NODES, MAX_DEPTH = 20_000, 5_000, 100
"""Maximum characters, nodes and depth of a formula."""
OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
FUNCTIONS = {
    "exp": (math.exp, pybamm.exp),
    "tanh": (math.tanh, pybamm.tanh),
    "cosh": (math.cosh, pybamm.cosh),
}
"""Functions by name: of numbers, and of symbols."""
VARIABLE = "x"


class WrongFormula(ValueError):
    """A text is no formula of BPX; the message gives the reason."""


class Formula:
    """A formula, callable with a number or a PyBaMM symbol."""

    def __init__(self, text: str) -> None:
        """Parse a formula. Raises WrongFormula."""
        if len(text) > MAX_LENGTH:
            raise WrongFormula(f"It has {len(text):,} characters; {MAX_LENGTH:,} are allowed.")
        try:
            tree = ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise WrongFormula("It is no arithmetic expression.") from None
        self._count = 0
        self._tree = self._checked(tree, 0)

    def __call__(self, x: Any) -> Any:
        """Return the value at `x`. Raises ArithmeticError, also for a value that is no real number."""
        found = self._value(self._tree, x)
        if isinstance(found, complex):
            raise ArithmeticError("A power of a negative number is not real.")
        return found

    def _checked(self, node: ast.expr, depth: int) -> ast.expr:
        self._count += 1
        if self._count > MAX_NODES or depth > MAX_DEPTH:
            raise WrongFormula(f"It has more than {MAX_NODES:,} parts, or nests deeper than {MAX_DEPTH}.")
        for each in self._parts(node):
            self._checked(each, depth + 1)
        return node

    def _parts(self, node: ast.expr) -> list[ast.expr]:
        match node:
            case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
                if not math.isfinite(_float(node.value)):
                    raise WrongFormula("A number is too large.")
                return []
            case ast.Name(id="x"):
                return []
            case ast.UnaryOp(op=ast.UAdd() | ast.USub()):
                return [node.operand]
            case ast.BinOp() if type(node.op) in OPERATORS:
                return [node.left, node.right]
            case ast.Call(func=ast.Name(id=name), args=[only], keywords=[]) if name in FUNCTIONS:
                return [only]
        known = f"It may hold numbers, `x`, + - * / **, and {', '.join(FUNCTIONS)}"
        raise WrongFormula(f"{known}; `{ast.unparse(node):.60}` is none of these.")

    def _value(self, node: ast.expr, x: Any) -> Any:
        match node:
            case ast.Constant():
                return _float(node.value)
            case ast.Name():
                return x
            case ast.UnaryOp():
                value = self._value(node.operand, x)
                return -value if isinstance(node.op, ast.USub) else value
            case ast.BinOp():
                return OPERATORS[type(node.op)](self._value(node.left, x), self._value(node.right, x))
            case ast.Call(func=ast.Name(id=name)):
                value = self._value(node.args[0], x)
                of_number, of_symbol = FUNCTIONS[name]
                return of_symbol(value) if isinstance(value, pybamm.Symbol) else of_number(value)
        raise AssertionError("the tree was checked")


def _float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


@contextmanager
def without_code() -> Iterator[None]:
    """Have the package `bpx` evaluate formulas by Formula, instead of running them as code."""
    original = bpx.Function.to_python_function
    bpx.Function.to_python_function = lambda self, preamble=None: _function(str(self))
    try:
        yield
    finally:
        bpx.Function.to_python_function = original


def _function(text: str) -> Callable[[Any], Any]:
    """Return a formula as a function with a name, which PyBaMM's serialisation needs."""
    parsed = Formula(text)

    def formula(x: Any) -> Any:
        return parsed(x)

    return formula


BINARY = {
    pybamm.Addition: ("+", 1),
    pybamm.Subtraction: ("-", 1),
    pybamm.Multiplication: ("*", 2),
    pybamm.Division: ("/", 2),
    pybamm.Power: ("**", 4),
}
"""Sign and precedence of each operator."""
UNARY = {pybamm.Exp: "exp", pybamm.Tanh: "tanh", pybamm.Cosh: "cosh"}


def written(symbol: pybamm.Symbol) -> str | None:
    """Return the formula of a symbol in one variable; None if BPX has no spelling of it."""
    found = _written(symbol)
    return None if found is None or len(found[0]) > MAX_LENGTH else found[0]


def _written(symbol: pybamm.Symbol) -> tuple[str, int] | None:
    """Return a formula and its precedence; None if BPX has no spelling of it."""
    if isinstance(symbol, pybamm.Scalar):
        value = float(symbol.value)
        return (repr(value), 5 if value >= 0 else 3) if math.isfinite(value) else None
    if isinstance(symbol, pybamm.InputParameter):
        return VARIABLE, 5
    parts = [_written(each) for each in symbol.children]
    if any(part is None for part in parts):
        return None
    texts: list[tuple[str, int]] = [part for part in parts if part is not None]
    kind = type(symbol)
    if kind in BINARY:
        sign, level = BINARY[kind]
        left, right = texts
        return f"{_within(*left, level + (sign == '**'))} {sign} {_within(*right, level + (sign != '**'))}", level
    if isinstance(symbol, pybamm.Negate):
        return f"-{_within(*texts[0], 3)}", 3
    if kind in UNARY:
        return f"{UNARY[kind]}({texts[0][0]})", 5
    if isinstance(symbol, pybamm.Sqrt):
        return f"{_within(*texts[0], 5)} ** 0.5", 4
    return None


def _within(text: str, level: int, least: int) -> str:
    return text if level >= least else f"({text})"
