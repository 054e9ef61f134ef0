"""Suggestions of similar names for unknown ones."""

from __future__ import annotations

from time import process_time
from typing import Any

import pytest

from app.battery.checks.fields import suggestion
from tests.battery.measured import discharge
from tests.battery.measured import faults as objective_faults
from tests.battery.test_fit_refused import ELEMENTS, NAME, fit
from tests.battery.work import calculation, entry, failure, faults, pipeline_faults, values


@pytest.mark.parametrize(
    ("config", "meant"),
    [
        (entry("nyman_electrolite", c_e=1000.0), "nyman_electrolyte"),
        (entry("Temperatures", T=300.0), "temperatures"),
        (calculation("ElectrodeCapacty", electrode="positive"), "ElectrodeCapacity"),
        ({"element_type": "validaton"}, "validation"),
        (fit(optimizer={"type": "ScipyLeastSquare"}), "ScipyLeastSquares"),
        (fit(optimizer={"type": "cmaes"}), "CMAES"),
        (fit(optimizer={"type": "ScipyMinimize", "method": "Nelder Mead"}), "Nelder-Mead"),
        (fit(cost={"type": "rmse"}), "RMSE"),
        (fit(cost={"type": "RMSE", "variable_weights": {"Voltge [V]": 2}}), "Voltage [V]"),
        (fit(parameters={NAME: {"prior": {"distribution": "Norml", "mean": 1, "std": 1}}}), "Normal"),
    ],
)
def test_of_an_element(config: dict[str, Any], meant: str) -> None:
    [fault] = faults(config)
    assert f"(did you mean `{meant}`?)" in fault.message


@pytest.mark.parametrize(
    ("config", "meant"),
    [
        (discharge(model="SPme"), "SPMe"),
        (discharge(model={"type": "SPM", "module": "lithium-ion"}), "lithium_ion"),
        (discharge(model={"type": "SPM", "options": {"themal": "lumped"}}), "thermal"),
        (discharge(model={"type": "SPM", "options": {"thermal": "lumpd"}}), "lumped"),
        (discharge(simulation_kwargs={"var_pts": {"r_n_pri": 20}}), "r_n_prim"),
        (discharge() | {"type": "CurentDriven"}, "CurrentDriven"),
    ],
)
def test_of_an_objective(config: dict[str, Any], meant: str) -> None:
    [fault] = objective_faults(config)
    assert f"(did you mean `{meant}`?)" in fault.message


def test_of_a_variable_of_the_model() -> None:
    config = discharge(**{"objective variables": ["Voltge [V]"]})
    assert any("did you mean `Voltage [V]`?" in fault.message for fault in objective_faults(config))


def test_of_a_column() -> None:
    config = discharge()
    columns = config["data"]["data"]
    columns["voltage [V]"] = columns.pop("Voltage [V]")
    [fault] = objective_faults(config)
    assert "did you mean `voltage [V]`?" in fault.message


def test_of_a_parameter_that_is_fitted() -> None:
    typo = NAME.replace("exchange", "exchnge")
    config = fit(parameters={typo: {"initial_value": 1.0, "bounds": [0.1, 10]}})
    found = pipeline_faults(ELEMENTS | {"fit": config})["fit"]
    assert any(fault.path == ("parameters", typo) and f"did you mean `{NAME}`?" in fault.message for fault in found)


def test_of_a_parameter_that_is_missing() -> None:
    failed = failure(calculation("DensityFromVolumeAndMass"), {"Cell mass [g]": 1.0, "Cell volume [m3]": 1.0})
    assert "Cell mass [kg] does not exist (did you mean `Cell mass [g]`?)." in failed.message


def test_a_missing_parameter_that_is_a_text_is_told_so() -> None:
    validation = {"element_type": "validation", "objectives": {"one": discharge()}}
    failed = failure(validation, {"Ambient temperature [K]": "warm"})
    assert "Ambient temperature [K] is the text 'warm', not a number." in failed.message


@pytest.mark.parametrize("text", ["3.3e-14", " 25 ", "-1", "nan", "1_000"])
def test_a_number_that_is_text_is_refused_at_its_entry(text: str) -> None:
    [fault] = faults(values(**{"Negative particle diffusivity [m2.s-1]": text, "chemistry": "lithium_ion"}))
    assert fault.path == ("values", "Negative particle diffusivity [m2.s-1]")
    assert "without quotes" in fault.message


@pytest.mark.parametrize("word", ["Wycisk", "Axen"])
def test_older_words_of_pybamm_are_taken(word: str) -> None:
    model = {"type": "SPM", "options": {"open-circuit potential": word}}
    assert objective_faults(discharge(model=model)) == []
    pair = {"type": "SPM", "options": {"open-circuit potential": [[word, "single"], "single"]}}
    assert objective_faults(discharge(model=pair | {"options": {"open-circuit potential": [word, "single"]}})) == []


def test_looking_for_names_takes_no_time_that_an_attacker_could_use() -> None:
    known = [f"{number:06}" + "x" * 194 for number in range(100_000)]
    start = process_time()
    assert suggestion("y" * 1_000_000, known) == ""
    assert suggestion("x" * 200, known) != "?"
    assert process_time() - start < 30
