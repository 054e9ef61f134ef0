"""Fits of a family of generated problems: each matches its reference, or warns that it may not."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from tests.battery.family import Problem, problems
from tests.battery.work import run

MORE, AWAY, SPREAD = 0.01, 1.0, 0.2
"""Allowed excess of the cost over the minimum, distance in standard errors, and relative error of the standard
errors."""
MINIMIZE = "ScipyMinimize"
LEAST = {"type": "ScipyLeastSquares"}
BOUNDED: list[dict[str, Any]] = [
    LEAST,
    LEAST | {"method": "dogbox"},
    *(
        {"type": MINIMIZE, "method": method}
        for method in ("L-BFGS-B", "Nelder-Mead", "Powell", "SLSQP", "TNC", "COBYLA", "COBYQA", "trust-constr")
    ),
]
UNBOUNDED: list[dict[str, Any]] = [
    LEAST,
    LEAST | {"method": "lm"},
    *({"type": MINIMIZE, "method": method} for method in ("L-BFGS-B", "Nelder-Mead", "BFGS", "CG")),
]
GLOBAL: list[dict[str, Any]] = [{"type": "CMAES"}, {"type": "ScipyDifferentialEvolution", "population_size": 6}]
DEAR = ("SPMe thermal", "DFN", "SPM smooth")
Case = tuple[str, dict[str, Any], str, bool]


def cases() -> Iterator[Case]:
    """Problem, optimiser, start, and whether there are bounds."""
    for name in problems():
        if name in DEAR:
            yield from ((name, each, start, True) for each in (BOUNDED[0], BOUNDED[2]) for start in ("good", "bad"))
            yield from ((name, each, "good", True) for each in (BOUNDED[3], BOUNDED[5]))
            yield name, LEAST, "good", False
        else:
            yield from ((name, each, "good", True) for each in BOUNDED)
            yield from ((name, each, "bad", True) for each in (*BOUNDED[:3], BOUNDED[5]))
            yield from ((name, each, "good", False) for each in UNBOUNDED[::2])
    for name in ("SPM discharge", "half cell", "MSMR", "Thevenin", "EIS"):
        yield from ((name, each, "good", True) for each in GLOBAL if (name, each) != ("MSMR", GLOBAL[1]))
        yield from ((name, each, "good", False) for each in UNBOUNDED[1::2])


FEW: list[Case] = [
    ("SPM discharge", LEAST, "bad", True),
    ("SPM discharge", BOUNDED[2], "bad", True),
    ("SPMe thermal", LEAST, "bad", True),
    ("MSMR", LEAST, "good", True),
    ("EIS", BOUNDED[3], "good", True),
    ("Thevenin", LEAST, "bad", False),
]


@cache
def made(name: str) -> Problem:
    return problems()[name]()


def compared(case: Case) -> dict[str, Any]:
    """Compare the result of a fit with its reference."""
    name, optimizer, start, bounded = case
    problem = made(name)
    reference = problem.reference
    fit = run(problem.elements(optimizer, start, bounded, options={"seed": 1}))["fit"]
    values, errors = fit["parameter_values"], fit["standard_errors"]
    return {
        "case": " ".join(map(str, (name, *optimizer.values(), start, "bounded" if bounded else "unbounded"))),
        "success": fit["success"],
        "warnings": [each["code"] for each in fit["warnings"]],
        "message": fit["message"],
        "cost": problem.cost(values) / reference.cost - 1,
        "away": max(abs(values[n] - value) / reference.errors[n] for n, value in reference.values.items()),
        "errors": [errors[n] / error for n, error in reference.errors.items() if n in errors],
        "evaluations": fit["evaluations"],
    }


def is_right(found: dict[str, Any]) -> bool:
    return bool(found["cost"] <= MORE and found["away"] <= AWAY)


def table(rows: list[dict[str, Any]]) -> str:
    lines = (
        f"{row['case']}: success {row['success']}, cost {row['cost']:+.2%}, {row['away']:.2g} errors away, "
        f"{row['evaluations']} evaluations, {', '.join(row['warnings'])} {row['message']}"
        for row in rows
    )
    return "\n".join(lines)


@pytest.mark.parametrize("case", FEW, ids=lambda case: f"{case[0]} {case[2]}")
def test_a_few_are_right(case: Case) -> None:
    found = compared(case)
    assert is_right(found), table([found])
    assert found["success"], table([found])
    assert len(found["errors"]) == len(made(case[0]).starts)
    assert found["errors"] == pytest.approx([1.0] * len(found["errors"]), abs=SPREAD)


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parallel
def test_no_fit_is_a_success_that_is_wrong_and_says_nothing() -> None:
    rows = [compared(case) for case in cases()]
    assert len(rows) >= 120
    silent = [row for row in rows if row["success"] and not row["warnings"] and not is_right(row)]
    assert not silent, table(silent)
    wrong = [row for row in rows if row["success"] and not is_right(row)]
    assert len(wrong) <= 0.02 * len(rows), table(wrong)
    right = [row for row in rows if row["success"] and is_right(row)]
    assert len(right) >= 0.85 * len(rows), table([row for row in rows if row not in right])
    ratios = [ratio for row in right for ratio in row["errors"]]
    assert sum(abs(ratio - 1) <= SPREAD for ratio in ratios) >= 0.95 * len(ratios)
