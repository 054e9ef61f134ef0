"""History of a fit: each evaluation that the optimiser saw, thinned to a bounded number."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pybamm
import pytest

from app.battery.checked_element import ElementResult
from app.battery.expressions.symbols import encode
from app.battery.fit import problem
from app.battery.fit.history import COLUMNS, MOST, History
from app.execution.executor import Progress
from app.models.enums import HISTORY
from tests.battery.fits import FormulaObjective, product
from tests.battery.work import EXECUTOR, job

LINE = {name: {"initial_value": 1.0, "bounds": [-5.0, 5.0]} for name in "ab"}
PLAIN = {"type": "SSE", "normalization": "identity"}


def history(made: ElementResult) -> dict[str, Any]:
    [found] = [each for each in made.series if each.objective == HISTORY]
    return dict(found.channels)


def filled(costs: Any) -> dict[str, Any]:
    """Return the history of evaluations with these costs, whose parameter `x` is their number."""
    kept = History(["x"])
    for number, cost in enumerate(costs, 1):
        kept.add(number, 0, cost, {"x": float(number)})
        assert len(kept._rows) <= MOST
    return dict(kept.series(dict).channels)


def best_so_far(costs: list[float | None]) -> list[float | None]:
    lowest = np.minimum.accumulate([math.inf if cost is None else cost for cost in costs]).tolist()
    return [each if math.isfinite(each) else None for each in lowest]


def test_its_rows_are_what_the_optimiser_saw(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, float]] = []

    def formula(values: Mapping[str, float]) -> Mapping[str, Any]:
        seen.append(dict(values))
        if len(seen) % 5 == 2:
            raise pybamm.SolverError("no solution")
        return {"y": [values["a"], values["a"] * values["b"]]}

    objective = FormulaObjective(formula, {"y": [2.0, 1.0]}, {"a", "b"})
    options = {"seed": 1, "skip_objective_callbacks": True, "max_iterations": 20}
    strategy = {"type": "ScipyMinimize", "method": "Nelder-Mead"}
    made = product(
        monkeypatch, objective, parameters=LINE, cost=PLAIN, optimizer=strategy, multistarts=3, options=options
    )
    found = history(made)
    total = made.fields["total_evaluations"]
    assert list(found) == [*COLUMNS, "a", "b"]
    assert found["evaluation"] == list(range(1, total + 1))
    assert [{"a": a, "b": b} for a, b in zip(found["a"], found["b"], strict=True)] == seen[:total]
    costs = [
        None if n % 5 == 2 else (each["a"] - 2) ** 2 + (each["a"] * each["b"] - 1) ** 2
        for n, each in enumerate(seen[:total], 1)
    ]
    assert [each is None for each in found["cost"]] == [each is None for each in costs]
    assert [each for each in found["cost"] if each is not None] == pytest.approx([e for e in costs if e is not None])
    assert found["best_cost"] == best_so_far(found["cost"])
    assert found["best_cost"][-1] == made.fields["cost"]
    numbers = {child["job_id"]: child["evaluations"] for child in made.fields["children"]}
    assert {start: found["start"].count(start) for start in range(3)} == numbers
    best = found["cost"].index(made.fields["cost"])
    assert {name: found[name][best] for name in "ab"} == made.values


def test_links_have_columns_and_no_name_hides_another(monkeypatch: pytest.MonkeyPatch) -> None:
    objective = FormulaObjective(lambda p: {"y": [p["cost"] * p["start"]]}, {"y": [8.0]}, {"cost", "start"})
    start = encode("link", 2 * pybamm.Parameter("cost"))
    found = history(product(monkeypatch, objective, parameters={"cost": LINE["a"], "start": start}))
    assert list(found) == [*COLUMNS, "cost (parameter)", "start (parameter)"]
    assert found["start"] == [0] * len(found["start"])
    assert found["start (parameter)"] == [2 * each for each in found["cost (parameter)"]]


def test_up_to_the_most_all_are_kept() -> None:
    assert filled([1.0] * MOST)["evaluation"] == list(range(1, MOST + 1))


def test_100_000_evaluations_stay_bounded_with_each_improvement_and_the_last() -> None:
    generator = np.random.default_rng(1)
    costs = (generator.random(100_000) + np.linspace(1, 0.5, 100_000)).tolist()
    costs[7] = costs[99_990] = None
    begun = process_time()
    found = filled(costs)
    assert process_time() - begun < 10
    assert MOST / 4 < len(found["x"]) <= MOST
    numbers = found["evaluation"]
    assert numbers == sorted(set(numbers)) == found["x"]
    assert numbers[-1] == 100_000
    lowest = best_so_far(costs)
    improvements = {n for n in range(2, 100_001) if lowest[n - 1] != lowest[n - 2]} | {1}
    assert 5 < len(improvements) < MOST / 2
    assert improvements <= set(numbers)
    assert found["cost"] == [costs[n - 1] for n in numbers]
    assert found["best_cost"] == [lowest[n - 1] for n in numbers]
    others = [n for n in numbers[:-1] if n not in improvements]
    assert len({b - a for a, b in zip([1, *others], others, strict=False)}) <= 3  # one step, but for improvements


def test_improvements_beyond_the_bound_are_thinned_but_for_the_best() -> None:
    found = filled(float(-n) for n in range(100_000))
    assert MOST / 4 < len(found["x"]) <= MOST
    assert found["evaluation"][0] == 1
    assert found["evaluation"][-1] == 100_000
    valley = filled(float(abs(n - 60_001)) for n in range(100_000))
    assert 60_002 in valley["evaluation"]
    assert min(valley["cost"]) == 0 == valley["best_cost"][-1]
    assert valley["evaluation"][-1] == 100_000


def test_a_real_fit_keeps_what_its_progress_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(problem, "INTERVAL", 0.0)
    told: list[Progress] = []
    [file] = (Path(__file__).parents[1] / "data").glob("b_*.json")
    elements = json.loads(file.read_text())["elements"]
    inputs: dict[str, Any] = {}
    for name, config in elements.items():
        if name == "fit":
            break
        inputs |= EXECUTOR.run(job(config), inputs, lambda progress: None).result["parameter_values"]
    outcome = EXECUTOR.run(job(elements["fit"]), inputs, told.append)
    [found] = [each.channels for each in outcome.series if each.objective == HISTORY]
    names = [*found][len(COLUMNS) :]
    assert set(names) == set(told[0].parameters)
    seen = told[:-1]  # the last report repeats the best point
    assert found["evaluation"] == [each.iteration for each in seen] == list(range(1, outcome.result["evaluations"] + 1))
    assert found["cost"] == [each.cost for each in seen]
    assert found["best_cost"] == [each.best_cost for each in seen]
    assert {name: found[name] for name in names} == {name: [each.parameters[name] for each in seen] for name in names}
    assert min(found["cost"]) == outcome.result["cost"] == found["best_cost"][-1]
