"""Real fits on real models: each recovers the truth of its data."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import ionworks_schema as iws
import numpy as np
import pybamm
import pytest
from ionworks_schema.results import OptimizationResult, from_config

from tests.battery.work import faults, parameter_set, run

DATA = Path(__file__).parents[1] / "data"
CURRENT_DENSITY = "Negative electrode reference exchange-current density [A.m-2]"
SITE = "Negative electrode host site"
DIFFUSIVITIES = {
    "Negative particle diffusivity [m2.s-1]": 3.3e-14,
    "Positive particle diffusivity [m2.s-1]": 4e-15,
}


def elements(name: str) -> dict[str, Any]:
    [file] = DATA.glob(f"{name}_*.json")
    return dict(json.loads(file.read_text())["elements"])


@pytest.mark.parametrize("name", ["b", "b2"])
def test_an_exchange_current_density_is_recovered(name: str) -> None:
    results = run(elements(name))
    assert results["fit"]["parameter_values"][CURRENT_DENSITY] == pytest.approx(3.0, rel=1e-3)
    decoded = from_config(results["fit"])
    assert isinstance(decoded, OptimizationResult)
    assert decoded.initial_guess == {CURRENT_DENSITY: 1.0}
    if name == "b":
        assert results["validate"]["summary_stats"]["0.5 C"]["RMSE"]["Voltage [V]"] < 1e-4


def test_an_electrode_is_recovered_from_beliefs_that_are_wrong() -> None:
    config = elements("c")
    guesses = {name: each["initial_value"] for name, each in config["msmr"]["parameters"].items()}
    results = run(config)
    fitted = results["msmr"]["parameter_values"]
    for site in range(6):
        potential, ideality = f"{SITE} standard potential ({site}) [V]", f"{SITE} ideality factor ({site})"
        assert fitted[potential] == pytest.approx(guesses[potential] - 0.025, rel=0.01)
        assert fitted[ideality] == pytest.approx(guesses[ideality] * 1.05, rel=0.01)
    assert fitted["Negative electrode capacity [A.h]"] == pytest.approx(1.0, rel=0.01)
    assert fitted["Negative electrode lower excess capacity [A.h]"] == pytest.approx(0.01, rel=0.01)
    assert results["msmr"]["success"] is True
    assert "Negative electrode OCP [V]" in results["ocp"]["parameter_values"]


@cache
def discharge() -> tuple[np.ndarray, np.ndarray]:
    """Time [s] and voltage [V] of a 1C discharge of Chen2020 by an SPM, half an hour."""
    time = np.linspace(0, 1800, 61)
    simulation = pybamm.Simulation(
        pybamm.lithium_ion.SPM(),
        parameter_values=pybamm.ParameterValues("Chen2020"),
        solver=pybamm.IDAKLUSolver(rtol=1e-8, atol=1e-10),
    )
    return time, simulation.solve([0, 1800], t_interp=time)["Voltage [V]"](time)


def diffusivities(noise: float, seed: int) -> dict[str, Any]:
    time, voltage = discharge()
    measured = voltage + noise * np.random.default_rng(seed).standard_normal(time.size)
    data = {"Time [s]": time.tolist(), "Current [A]": [5.0] * time.size, "Voltage [V]": measured.tolist()}
    parameters = {
        name: {"initial_value": 2 * truth, "bounds": [truth / 30, truth * 30], "transform": "Log10"}
        for name, truth in DIFFUSIVITIES.items()
    }
    return {
        "known": {"element_type": "entry", "values": parameter_set("Chen2020")},
        "fit": {
            "element_type": "data_fit",
            "objectives": {"1C": {"type": "CurrentDriven", "data": {"data": data}, "options": {"model": "SPM"}}},
            "parameters": parameters,
            "optimizer": {"type": "ScipyLeastSquares"},
        },
    }


def test_diffusivities_are_recovered_and_their_errors_are_of_the_right_size() -> None:
    result = run(diffusivities(0.002, 0))["fit"]
    for name, truth in DIFFUSIVITIES.items():
        error = result["standard_errors"][name]
        assert abs(result["parameter_values"][name] - truth) < 3 * error
        assert error < truth


@pytest.mark.parametrize(
    "optimizer",
    [
        iws.parameter_estimators.CMAES(),
        iws.parameter_estimators.AskTellOptimizer(),
        iws.parameter_estimators.ScipyMinimize(method="L-BFGS-B", max_iterations=5, tol=1e-6),
        iws.parameter_estimators.ScipyDifferentialEvolution(),
        iws.parameter_estimators.PointEstimateOptimizer(),
        iws.parameter_estimators.DummyOptimizer(),
    ],
    ids=lambda each: type(each).__name__,
)
def test_what_the_client_writes_is_taken(optimizer: Any) -> None:
    time, voltage = [0.0, 60.0, 120.0], [4.1, 4.0, 3.9]
    objective = iws.objectives.CurrentDriven(
        data_input={"Time [s]": time, "Current [A]": [2.5] * 3, "Voltage [V]": voltage},
        options={"model": {"type": "SPM"}},
    )
    parameter = iws.Parameter("Negative particle diffusivity [m2.s-1]", 1e-14, (1e-16, 1e-12))
    written = iws.DataFit(
        objectives={"o": objective},
        parameters={parameter.name: iws.transforms.Log10(parameter)},
        priors={parameter.name: iws.priors.Prior(parameter.name, iws.stats.LogNormal(-32.2, 2.0))},
        cost=iws.costs.RMSE(),
        optimizer=optimizer,
        multistarts=2,
        initial_guess_sampler=iws.distribution_samplers.LatinHypercube(),
        options=iws.DataFitOptions(seed=1, low_memory=True, maxtime=10.0),
    )
    (config,) = iws.Pipeline({"fit": written}).to_config()["elements"].values()
    assert faults(json.loads(json.dumps(config))) == []
