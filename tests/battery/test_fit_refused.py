"""Data Fits with invalid parts are refused with their paths before the run."""

from __future__ import annotations

import json
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import ionworks_schema as iws
import pytest

from app.battery.fit import configuration as planning
from app.battery.fit.configuration import FIELDS, OPTIONS
from app.models.enums import JobErrorCode
from tests.battery.work import failure, faults, pipeline_faults, places

Place = tuple[str | int, ...]
NAME = "Negative electrode reference exchange-current density [A.m-2]"
DATA = Path(__file__).parents[1] / "data"
ELEMENTS: dict[str, Any] = json.loads((DATA / "b_current_driven_fit_validation.json").read_text())["elements"]
PARAMETER: Place = ("parameters", NAME)


def fit(**fields: Any) -> dict[str, Any]:
    """Return the real fit with other fields; None removes a field."""
    config = deepcopy(ELEMENTS["fit"]) | fields
    return {name: value for name, value in config.items() if value is not None}


def free(**fields: Any) -> dict[str, Any]:
    return fit(parameters={NAME: {"initial_value": 1.0, "bounds": [0.1, 10.0]} | fields})


def optimised(kind: str, **fields: Any) -> dict[str, Any]:
    return fit(optimizer={"type": kind} | fields)


def prior(**fields: Any) -> dict[str, Any]:
    return free(prior={"distribution": "Normal", "mean": 1.0, "std": 0.1} | fields)


BAD: list[tuple[dict[str, Any], list[Place]]] = [
    # parameters
    (fit(parameters=None), [("parameters",)]),
    (fit(parameters={}), [("parameters",)]),
    (fit(parameters=[NAME]), [("parameters",)]),
    (fit(parameters={NAME: None}), [PARAMETER]),
    (fit(parameters={NAME: "1.0"}), [PARAMETER]),
    (fit(parameters={NAME: True}), [PARAMETER]),
    (fit(parameters={NAME: float("inf")}), [PARAMETER]),
    (fit(parameters={NAME: 1.0}), [("parameters",)]),
    (fit(parameters={" ": {}}), [("parameters", " ")]),
    (free(inital_value=2.0), [(*PARAMETER, "inital_value")]),
    (free(initial_value="1.0"), [(*PARAMETER, "initial_value")]),
    (free(initial_value=float("nan")), [(*PARAMETER, "initial_value")]),
    (free(initial_value=11.0), [(*PARAMETER, "initial_value")]),
    (free(bounds=[10.0, 0.1]), [(*PARAMETER, "bounds")]),
    (free(bounds=[1.0, 1.0]), [(*PARAMETER, "bounds")]),
    (free(bounds=[0.1]), [(*PARAMETER, "bounds")]),
    (free(bounds=[0.1, float("nan")]), [(*PARAMETER, "bounds")]),
    (free(bounds={"lower": 0.1, "upper": 10.0}), [(*PARAMETER, "bounds")]),
    (free(transform="Log2"), [(*PARAMETER, "transform")]),
    (free(transform="Log10", bounds=[0.0, 10.0]), [(*PARAMETER, "bounds")]),
    (free(transform="Log", bounds=[-1.0, 10.0]), [(*PARAMETER, "bounds")]),
    (free(transform="Log", bounds=None, initial_value=-1.0), [(*PARAMETER, "initial_value")]),
    (free(transform="Inverse", bounds=[-1.0, 10.0]), [(*PARAMETER, "bounds")]),
    (free(transform="Exp", bounds=[0.0, 1000.0]), [(*PARAMETER, "bounds")]),
    (free(normalize="yes"), [(*PARAMETER, "normalize")]),
    (
        free(initial_guess_distribution={"distribution": "Normal", "mean": 1, "std": 1}),
        [(*PARAMETER, "initial_guess_distribution", "distribution")],
    ),
    (
        free(initial_guess_distribution={"distribution": "Uniform", "lb": 0, "ub": 20}),
        [(*PARAMETER, "initial_guess_distribution")],
    ),
    # priors
    (prior(std=0), [(*PARAMETER, "prior", "std")]),
    (prior(sdt=1), [(*PARAMETER, "prior", "sdt")]),
    (prior(distribution="Cauchy"), [(*PARAMETER, "prior", "distribution")]),
    (prior(distribution="MultivariateNormal"), [(*PARAMETER, "prior", "distribution")]),
    (prior(distribution="PointMass"), [(*PARAMETER, "prior", "distribution")]),
    (prior(regularizer_weight=-1), [(*PARAMETER, "prior", "regularizer_weight")]),
    (free(prior={"distribution": "Uniform", "lb": 2, "ub": 1}), [(*PARAMETER, "prior", "ub")]),
    (
        free(prior={"distribution": "Uniform", "lb": 20, "ub": 30}),
        [(*PARAMETER, "prior"), (*PARAMETER, "initial_value")],
    ),
    (free(prior=7), [(*PARAMETER, "prior")]),
    (fit(priors={"other": {"distribution": "Normal", "mean": 1, "std": 1}}), [("priors", "other")]),
    (fit(priors=[{"distribution": "Normal", "mean": 1, "std": 1}]), [("priors", 0)]),
    (prior() | {"priors": {NAME: {"distribution": "Normal", "mean": 1, "std": 1}}}, [(*PARAMETER, "prior")]),
    (fit(priors={NAME: {"type": "Penalty", "fun": 1}}), [("priors", NAME, "type")]),
    # costs
    (fit(cost={"type": "RMS"}), [("cost", "type")]),
    (fit(cost={"type": "MultiCost", "costs": [{"type": "SSE"}]}), [("cost", "type")]),
    (fit(cost={"type": "RMSE", "normalization": "max"}), [("cost", "normalization")]),
    (fit(cost={"type": "RMSE", "objective_weights": {"1 C": 2}}), [("cost", "objective_weights", "1 C")]),
    (fit(cost={"type": "RMSE", "variable_weights": {"Current [A]": 2}}), [("cost", "variable_weights", "Current [A]")]),
    (fit(cost={"type": "GaussianLogLikelihood", "sigma": {}}), [("cost", "sigma")]),
    (
        fit(cost={"type": "GaussianLogLikelihood", "sigma": {"Voltage [V]": "noise"}}),
        [("cost", "sigma", "Voltage [V]")],
    ),
    (fit(optimizer={"type": "ScipyLeastSquares"}), [("cost", "type")]),
    # optimisers
    (optimised("Newton"), [("optimizer", "type")]),
    (fit(optimizer="ScipyMinimize"), [("optimizer",)]),
    (fit(optimizer={"method": "Powell"}), [("optimizer", "type")]),
    (optimised("PSO"), [("optimizer", "type")]),
    (optimised("AskTellOptimizer", method="Nelder-Mead"), [("optimizer", "method")]),
    (optimised("ScipyMinimize", method="Nelder"), [("optimizer", "method")]),
    (optimised("ScipyMinimize", method="Newton-CG"), [("optimizer", "method")]),
    (optimised("ScipyMinimize", method="BFGS"), [(*PARAMETER, "bounds")]),
    (optimised("ScipyMinimize", max_iteration=5), [("optimizer", "max_iteration")]),
    (optimised("ScipyMinimize", max_iterations=0), [("optimizer", "max_iterations")]),
    (optimised("ScipyMinimize", max_iterations=2.5), [("optimizer", "max_iterations")]),
    (optimised("ScipyMinimize", max_iterations=10**9), [("optimizer", "max_iterations")]),
    (optimised("ScipyMinimize", callback="os.abort"), [("optimizer", "callback")]),
    (optimised("ScipyMinimize", options={"xatoll": 1}), [("optimizer", "options", "xatoll")]),
    (optimised("ScipyMinimize", method="Nelder-Mead", options={"xatol": "1"}), [("optimizer", "options", "xatol")]),
    (optimised("ScipyLeastSquares", loss="huber") | {"cost": {"type": "SSE"}}, [("optimizer", "loss")]),
    (optimised("ScipyLeastSquares", method="lm") | {"cost": {"type": "SSE"}}, [(*PARAMETER, "bounds")]),
    (optimised("ScipyDifferentialEvolution", workers=-1), [("optimizer", "workers")]),
    (optimised("ScipyDifferentialEvolution", population_size=10**6), [("optimizer", "population_size")]),
    (optimised("CMAES", population_size=10**9), [("optimizer", "population_size")]),
    (optimised("CMAES", sigma0=[1.0, 1.0]), [("optimizer", "sigma0")]),
    (optimised("CMAES", sigma0="os.abort()"), [("optimizer", "sigma0")]),
    (
        optimised("CMAES", algorithm_options={"verb_filenameprefix": "/tmp/x"}),
        [("optimizer", "algorithm_options", "verb_filenameprefix")],
    ),
    (fit(optimizer={"type": "CMAES"}, parameters={NAME: {"bounds": [0, 1]}}, multistarts=0), [("multistarts",)]),
    (
        fit(optimizer={"type": "ScipyDifferentialEvolution"}, parameters={NAME: {"bounds": [0.1, None]}}),
        [(*PARAMETER, "bounds")],
    ),
    # starts
    (fit(multistarts=10**6), [("multistarts",)]),
    (fit(multistarts=True), [("multistarts",)]),
    (fit(parameters={NAME: {"initial_value": 1.0}}, multistarts=3), [(*PARAMETER, "bounds")]),
    (fit(initial_guesses=3), [("initial_guesses",)]),
    (fit(initial_guesses=[]), [("initial_guesses",)]),
    (fit(initial_guesses=[{NAME: 1.0}], multistarts=2), [("initial_guesses",)]),
    (fit(initial_guesses={"other": 1.0}), [("initial_guesses", "other")]),
    (fit(initial_guesses=[{NAME: 1.0}, {NAME: 20.0}]), [("initial_guesses", 1, NAME)]),
    (fit(initial_guesses={NAME: None}), [("initial_guesses", NAME)]),
    (fit(initial_guess_sampler={"type": "Sobol"}), [("initial_guess_sampler", "type")]),
    (fit(initial_guess_sampler="LatinHypercube"), [("initial_guess_sampler",)]),
    # options and other fields
    (fit(options={"sed": 1}), [("options", "sed")]),
    (fit(options={"seed": -1}), [("options", "seed")]),
    (fit(options={"seed": 2**32}), [("options", "seed")]),
    (fit(options={"maxtime": 0}), [("options", "maxtime")]),
    (fit(options={"max_iterations": 1.5}), [("options", "max_iterations")]),
    (fit(options={"validate": "no"}), [("options", "validate")]),
    (fit(options=[]), [("options",)]),
    (fit(objective_parallelism="yes"), [("objective_parallelism",)]),
    # options without effect
    (fit(objective_parallelism="on"), [("objective_parallelism",)]),
    (free(check_bounds=False), [(*PARAMETER, "check_bounds")]),
    (free(name="another"), [(*PARAMETER, "name")]),
    (fit(initial_guess_sampler={"type": "Uniform"}), [("initial_guess_sampler",)]),
    (
        fit(initial_guess_sampler={"type": "Uniform"}, initial_guesses={NAME: 1.0}, multistarts=2),
        [("initial_guess_sampler",)],
    ),
    (
        free(initial_guess_distribution={"distribution": "Uniform", "lb": 0.2, "ub": 2}),
        [(*PARAMETER, "initial_guess_distribution")],
    ),
    (optimised("CMAES", surrogate_convergence_tol=0.5), [("optimizer", "surrogate_convergence_tol")]),
    (fit(cost_logger={"type": "CostLogger"}), [("cost_logger",)]),
    (fit(multistart=3), [("multistart",)]),
    # objectives
    (fit(objectives=None), [("objectives",)]),
    (fit(objectives={}), [("objectives",)]),
]


@pytest.mark.parametrize(("config", "expected"), BAD)
def test_a_wrong_fit_is_refused_at_its_place(config: dict[str, Any], expected: list[Place]) -> None:
    found = faults(config)
    assert sorted(map(str, (fault.path for fault in found))) == sorted(map(str, expected)), found
    assert all(fault.message.endswith((".", ">", "?")) for fault in found)


def test_the_run_refuses_it_too() -> None:
    assert failure(free(bounds=[2, 1])).code is JobErrorCode.CONFIGURATION_ERROR


def test_all_problems_are_told_at_once() -> None:
    config = free(bounds=[2, 1]) | {"cost": {"type": "X"}, "optimizer": {"type": "Y"}, "options": {"seed": "z"}}
    assert set(places(config)) == {(*PARAMETER, "bounds"), ("cost", "type"), ("optimizer", "type"), ("options", "seed")}


def test_a_misspelt_field_is_told_its_nearest_name() -> None:
    (fault,) = faults(free(inital_value=1.0))
    assert "did you mean `initial_value`?" in fault.message


def test_a_parameter_that_nothing_uses_is_found_before_anything_runs() -> None:
    elements = deepcopy(ELEMENTS)
    elements["fit"]["parameters"]["Negative electrode refrence exchange-current density [A.m-2]"] = {
        "initial_value": 1.0
    }
    found = pipeline_faults(elements)
    ((fault,),) = [each for each in found.values() if each]
    assert fault.path == ("parameters", "Negative electrode refrence exchange-current density [A.m-2]")


def test_it_is_not_looked_for_where_a_calculation_comes_before_or_where_it_is_not_wanted() -> None:
    elements = deepcopy(ELEMENTS)
    elements["fit"]["parameters"]["other"] = {"initial_value": 1.0}
    calculated = {"Q": {"element_type": "calculation", "type": "ElectrodeCapacity", "electrode": "positive"}} | elements
    assert not any(pipeline_faults(calculated).values())
    elements["fit"]["options"] = {"validate": False}
    assert not any(pipeline_faults(elements).values())


def test_a_parameter_cannot_be_fitted_and_fixed_for_an_objective() -> None:
    config = fit()
    config["objectives"]["0.5 C"]["parameters"] = {NAME: 2.0}
    assert places(config) == [("objectives", "0.5 C", "parameters", NAME)]


DEEP: Any = 1
for _ in range(10_000):
    DEEP = [DEEP]


@pytest.mark.parametrize("junk", [DEEP, {"$type": "os.abort"}, [{"type": {}}], "this.X", -1, {"": None}], ids=range(6))
def test_whatever_stands_in_a_field_is_told_and_never_raised(junk: Any) -> None:
    for name in sorted(set(FIELDS) - {"source"}):
        found = places(fit(**{name: junk}))
        assert found, name
        assert {place[0] for place in found} <= {name, "cost", "parameters"}
    for field in ("initial_value", "bounds", "prior", "transform", "initial_guess_distribution"):
        assert places(free(**{field: junk})), field
    assert "this" not in sys.modules


def test_data_and_parameters_must_fit_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    config = fit(options={"validate": False})
    monkeypatch.setattr(planning, "MAX_SLOPES", 122)
    assert places(config) == []
    monkeypatch.setattr(planning, "MAX_SLOPES", 121)
    assert places(config) == [("objectives",)]


def test_fields_are_those_of_the_public_schema() -> None:
    assert set(FIELDS) == set(iws.DataFit.model_fields)
    fields = iws.DataFitOptions.model_fields
    assert set(OPTIONS) == {field.alias or name for name, field in fields.items()}
