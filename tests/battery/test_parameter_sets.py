"""Entries that take one of PyBaMM's own parameter sets by name."""

from __future__ import annotations

import re
from importlib.metadata import entry_points
from pathlib import Path

import pybamm
import pytest

from app import battery
from app.battery.entries.parameter_sets import PARAMETER_SETS
from tests.battery.work import entry, evaluated, faults, made, parameter_set, pipeline_faults, result, run


def test_the_names_are_those_of_pybamm() -> None:
    own = [each.name for each in entry_points(group="pybamm_parameter_sets") if each.value.startswith("pybamm.")]
    assert sorted(own) == sorted(PARAMETER_SETS)


def test_the_page_lists_the_names() -> None:
    page = (Path(battery.__file__).parent / "BATTERY.md").read_text()
    listed = page.split("The names are ")[1].split(".")[0]
    assert tuple(re.findall(r"`(\w+)`", listed)) == PARAMETER_SETS


@pytest.mark.parametrize("name", PARAMETER_SETS)
def test_each_set_is_what_pybamm_has(name: str) -> None:
    numbers = {key: value for key, value in pybamm.ParameterValues(name).items() if isinstance(value, int | float)}
    found = made(entry(parameter_set=name))
    assert numbers
    assert {key: found[key] for key in numbers} == numbers
    assert set(found) == {key for key, value in pybamm.ParameterValues(name).items() if not isinstance(value, list)}


def test_functions_have_the_values_of_pybamm() -> None:
    found = made(entry(parameter_set="Chen2020"))
    sto = pybamm.Scalar(0.4)
    known = pybamm.ParameterValues("Chen2020")
    expected = known.evaluate(known["Positive electrode OCP [V]"](sto))
    assert evaluated("Positive electrode OCP [V]", found, 0.4) == pytest.approx(float(expected), rel=1e-12)
    assert found.keys() <= parameter_set("Chen2020").keys()


def test_values_override_the_set() -> None:
    found = made(entry(parameter_set="Chen2020", values={"Ambient temperature [K]": 310.0}))
    assert found["Ambient temperature [K]"] == 310.0
    assert found["Reference temperature [K]"] == 298.15


def test_the_result_names_the_set() -> None:
    assert result(entry(parameter_set="Marquis2019"))["effective_config"]["parameter_set"] == "Marquis2019"


def test_unknown_names_are_refused_with_the_nearest() -> None:
    for wrong in ("Chen2021", "chen2020", 3, ""):
        [fault] = faults(entry(parameter_set=wrong))
        assert fault.path == ("parameter_set",)
        assert "known are Ai2020, Bonkile2024" in fault.message
    assert "(did you mean `Chen2020`?)" in faults(entry(parameter_set="chen2020"))[0].message
    [fault] = faults(entry())
    assert "`values`, a `parameter_set`, `bpx`, or the `name`" in fault.message


def test_a_fit_is_checked_with_the_names_of_the_set() -> None:
    data = {"Time [s]": [0.0, 1.0, 2.0], "Current [A]": [5.0, 5.0, 5.0], "Voltage [V]": [4.0, 3.99, 3.98]}
    objective = {"type": "CurrentDriven", "data": data, "options": {"model": {"type": "SPM"}}}
    fit = {"element_type": "data_fit", "objectives": objective, "parameters": {"Positive particle diffusivty": {}}}
    found = pipeline_faults({"cell": entry(parameter_set="Chen2020"), "fit": fit})
    assert found["cell"] == []
    assert "did you mean `Positive particle diffusivity [m2.s-1]`" in found["fit"][0].message


def test_a_validation_runs_on_the_set() -> None:
    data = {"Time [s]": [0.0, 1.0, 2.0], "Current [A]": [5.0, 5.0, 5.0], "Voltage [V]": [4.0, 3.99, 3.98]}
    objective = {"type": "CurrentDriven", "data": data, "options": {"model": {"type": "SPM"}}}
    elements = {
        "cell": entry(parameter_set="Chen2020"),
        "check": {"element_type": "validation", "objectives": {"1C": objective}},
    }
    assert run(elements)["check"]["summary_stats"]["1C"]["RMSE"]["Voltage [V]"] < 0.1
