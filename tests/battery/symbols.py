"""Symbols as the official client writes them, and the nodes that they consist of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pybamm

DOMAINS: dict[str, list[str]] = {"primary": [], "secondary": [], "tertiary": [], "quaternary": []}
SCALAR = "pybamm.expression_tree.scalar.Scalar"
X = pybamm.Parameter("x")


def scalar(value: Any) -> dict[str, Any]:
    return {"$type": SCALAR, "name": "s", "value": value}


def negated(child: Any) -> dict[str, Any]:
    tag = "pybamm.expression_tree.unary_operators.Negate"
    return {"$type": tag, "name": "-", "domains": DOMAINS, "children": [child]}


FUNCTIONS = ("arctan", "cos", "cosh", "erf", "exp", "log", "max", "min", "sin", "sinh", "sqrt", "tanh")
SYMBOLS: list[Any] = [
    -X,
    abs(X),
    pybamm.sign(X),
    pybamm.Floor(X),
    pybamm.Ceiling(X),
    X + 1,
    X - 1,
    X * 2,
    X / 2,
    X**2,
    X % 2,
    X < 2,
    X <= 2,
    pybamm.minimum(X, 2),
    pybamm.maximum(X, 2),
    pybamm.Hypot(X, X),
    pybamm.arcsinh(X),
    pybamm.Arcsinh2(X, X),
    pybamm.RegPower(X, 0.5),
    *(
        getattr(pybamm, name)(X)
        for name in ["arctan", "cos", "cosh", "erf", "exp", "log", "max", "min", "sin", "sinh", "sqrt", "tanh"]
    ),
    pybamm.t * X,
    pybamm.constants.R * X,
    pybamm.FunctionParameter("f", {"argument": X}),
    pybamm.Interpolant(np.array([0.0, 1.0, 2.0]), np.array([1.0, 2.0, 3.0]), X),
    pybamm.Interpolant((np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0])), np.ones((3, 2)), [X, X]),
    np.array([1.0, 2.0]),
    lambda sto, T: pybamm.tanh(sto) * T,
]
