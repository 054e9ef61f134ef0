"""Warnings of results: each detector by hand, and the warnings of fits and validations of generated data."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pybamm
import pytest

from app.battery.warnings.objective_warnings import (
    has_wrong_sign,
    objective_warnings,
    slope_cutoff,
    sparse_steps,
    unphysical,
    value_warnings,
)
from app.battery.warnings.result_warnings import ResultWarning
from tests.battery.measured import CURRENT, TIME, VOLTAGE, made, objective
from tests.battery.test_objective_msmr import CAPACITIES, CURVE, VOLTAGES, half_cell
from tests.battery.work import entry, parameter_set, result, run

CAPACITY, DIFFERENTIAL = "Capacity [A.h]", "Differential voltage [V/Ah]"
DIFFUSIVITY = "Negative particle diffusivity [m2.s-1]"


def codes(found: list[dict[str, Any]]) -> set[str]:
    return {each["code"] for each in found}


def test_a_warning_is_written_without_what_it_lacks() -> None:
    assert ResultWarning("A", "b").to_json() == {"code": "A", "message": "b"}
    assert ResultWarning("A", "b", objective="c").to_json() == {"code": "A", "message": "b", "objective": "c"}


class TestSignOfCurrent:
    TIMES = np.arange(0.0, 600.0, 10.0)

    def charge(self, current: Any) -> Any:
        return np.cumsum(current) * 10 / 3600

    @pytest.mark.parametrize("sign", [1, -1])
    @pytest.mark.parametrize("shape", ["constant", "pulses", "random", "charge", "rest first", "steps of one row"])
    @pytest.mark.parametrize("noise", [0.0, 0.001])
    def test_is_told_by_the_voltage(self, sign: int, shape: str, noise: float) -> None:
        rows, random = np.arange(60), np.random.default_rng(3)
        current = {
            "constant": np.full(60, 2.0),
            "pulses": np.where(rows % 20 < 10, 0.0, 3.0),
            "random": random.normal(0, 2, 60),
            "charge": np.full(60, -2.0),
            "rest first": np.where(rows < 5, 0.0, 2.0),
            "steps of one row": np.where(rows == 30, 4.0, 0.0),
        }[shape]
        voltage = 4.0 - 0.8 * self.charge(current) - 0.02 * current + random.normal(0, noise, 60)
        assert has_wrong_sign(self.TIMES, sign * current, voltage) is (sign < 0)

    def test_is_not_told_of_a_rest(self) -> None:
        assert not has_wrong_sign(self.TIMES, np.zeros(60), 3.7 - 1e-5 * self.TIMES)


class TestSparseSteps:
    def test_of_current_leave_the_charge_in_doubt(self) -> None:
        """A pulse of 2 A over rows 30 s apart: 2 A x 30 s / 2 at either end, of 2 A x (4 + 1) rows x 30 s."""
        current = np.array([0.0, 0, 0, 2, 2, 2, 2, 2, 0, 0, 0])
        share, gap = sparse_steps(30.0 * np.arange(11), current)
        assert share == pytest.approx(60 / 300)
        assert gap == 30.0

    def test_with_rows_right_before_and_after_leave_none(self) -> None:
        times = np.array([0.0, 30, 60, 60.1, 90, 120, 120.1, 150, 180])
        assert sparse_steps(times, np.array([0.0, 0, 0, 2, 2, 2, 0, 0, 0])) == (0.0, 0.0)

    def test_are_none_of_a_current_that_changes_all_the_time(self) -> None:
        times = 30.0 * np.arange(200)
        assert sparse_steps(times, np.sin(times / 200)) == (0.0, 0.0)
        assert sparse_steps(times, np.full(200, 2.0)) == (0.0, 0.0)


class TestOutput:
    DATA = np.array([4.2, 3.7, 3.0])

    @pytest.mark.parametrize(
        ("variable", "model", "is_told"),
        [
            (VOLTAGE, [4.3, 3.7, 2.0], False),
            (VOLTAGE, [4.2, 3.7, -2.0], True),
            (VOLTAGE, [4.2, 3.7, 1e6], True),
            (VOLTAGE, [4.2, np.nan, 3.0], True),
            ("Cell temperature [K]", [300.0, 299.0, -1.0], True),
            ("Cell temperature [C]", [-20.0, 0.0, 400.0], False),
            ("X-averaged negative particle surface stoichiometry", [0.1, 0.5, 1.1], True),
            ("Electrolyte concentration [mol.m-3]", [1000.0, 10.0, -5.0], True),
            ("Power [W]", [-1e9, 0.0, 1e9], False),
        ],
    )
    def test_that_cannot_be_is_told(self, variable: str, model: list[float], is_told: bool) -> None:
        assert (unphysical(variable, np.array(model), self.DATA) is not None) is is_told


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"Initial SOC [%]": 0.95}, {"SOC_LOOKS_LIKE_FRACTION"}),
        ({"Initial SOC [%]": 1}, {"SOC_LOOKS_LIKE_FRACTION"}),
        ({"Initial SOC [%]": 0.0}, set()),
        ({"Initial SOC [%]": 95}, set()),
        ({"Initial SOC [%]": pybamm.Scalar(0.5)}, set()),
        ({"Initial SoC": 95.0}, {"SOC_LOOKS_LIKE_PERCENT"}),
        ({"Initial SoC": 1.0}, set()),
    ],
)
def test_a_state_of_charge_that_has_another_unit_is_told(values: dict[str, Any], expected: set[str]) -> None:
    assert {each.code for each in value_warnings(values)} == expected


def test_an_entry_tells_of_its_state_of_charge() -> None:
    [warning] = result(entry("InitialStateOfCharge", value=0.95))["warnings"]
    assert warning["code"] == "SOC_LOOKS_LIKE_FRACTION"
    assert warning["parameter"] == "Initial SOC [%]"
    assert result(entry("InitialStateOfCharge", value=95))["warnings"] == []


def test_a_calculation_tells_nothing() -> None:
    found = result({"element_type": "calculation", "type": "OpenCircuitLimits"}, CUT_OFFS)
    assert found["warnings"] == []


CUT_OFFS = {"Lower voltage cut-off [V]": 2.5, "Upper voltage cut-off [V]": 4.2}


@cache
def discharged() -> dict[str, list[float]]:
    """Build a 1C discharge of half an hour after a rest, by PyBaMM."""
    times = np.array([0.0, 30, 60, 60.01, *np.arange(120.0, 1801.0, 60.0)])
    current = np.where(times > 60, 5.0, 0.0)
    values = pybamm.ParameterValues("Chen2020")
    values["Current function [A]"] = pybamm.Interpolant(times, current, pybamm.t)
    simulation = pybamm.Simulation(pybamm.lithium_ion.SPM(), parameter_values=values)
    voltage = simulation.solve(times, t_interp=times)[VOLTAGE].data
    return {TIME: times.tolist(), CURRENT: current.tolist(), VOLTAGE: voltage.tolist()}


def validated(columns: dict[str, Any], **values: Any) -> list[dict[str, Any]]:
    known = parameter_set("Chen2020") | values
    elements = {
        "known": {"element_type": "entry", "values": known},
        "check": {"element_type": "validation", "objectives": {"1C": objective("CurrentDriven", columns)}},
    }
    found: list[dict[str, Any]] = run(elements)["check"]["warnings"]
    return found


class TestValidation:
    def test_of_good_data_tells_nothing(self) -> None:
        assert validated(discharged()) == []

    def test_with_a_cyclers_sign_tells_of_it(self) -> None:
        turned = discharged() | {CURRENT: [-each for each in discharged()[CURRENT]]}
        found = validated(turned)
        assert "CURRENT_SIGN" in codes(found)
        assert {each["objective"] for each in found} == {"1C"}

    def test_with_a_fraction_for_percent_tells_of_it_and_of_the_output(self) -> None:
        found = validated(discharged(), **{"Initial SOC [%]": 0.95})
        assert {"SOC_LOOKS_LIKE_FRACTION", "UNPHYSICAL_OUTPUT", "POOR_FIT"} <= codes(found)

    def test_with_a_model_far_off_tells_of_the_residual(self) -> None:
        shifted = discharged() | {VOLTAGE: [each - 1.0 for each in discharged()[VOLTAGE]]}
        assert "POOR_FIT" in codes(validated(shifted))

    def test_with_sparse_rows_tells_of_them(self) -> None:
        columns = {name: column[:3] + column[4:] for name, column in discharged().items()}
        assert codes(validated(columns)) == {"SPARSE_SAMPLES"}

    def test_tells_of_loader_options_without_effect(self) -> None:
        config = objective("CurrentDriven", discharged())
        config["data"]["options"] = {"keep_first_ocp_point": True}
        [warning] = objective_warnings({"1C": made(config)}, {}, {})
        assert (warning.code, warning.objective) == ("LOADER_OPTION", "1C")


def test_a_fit_tells_of_the_sign() -> None:
    turned = discharged() | {CURRENT: [-each for each in discharged()[CURRENT]]}
    known = parameter_set("Chen2020")
    known.pop(DIFFUSIVITY)
    elements: dict[str, Any] = {
        "known": {"element_type": "entry", "values": known},
        "fit": {
            "element_type": "data_fit",
            "objectives": {"1C": objective("CurrentDriven", turned)},
            "parameters": {DIFFUSIVITY: {"initial_value": 3e-14, "bounds": [1e-14, 1e-13]}},
            "optimizer": {"type": "PointEstimate"},
        },
    }
    assert "CURRENT_SIGN" in codes(run(elements)["fit"]["warnings"])


class TestSlopes:
    def test_of_a_jump_are_told_with_a_cutoff(self) -> None:
        voltages, capacity = VOLTAGES.tolist(), list(CURVE)
        columns = {VOLTAGE: [*voltages, 0.9], CAPACITY: [*capacity, capacity[-1] - 1e-7]}
        [warning] = objective_warnings({"ocp": made(half_cell("Qj", columns))}, {}, CAPACITIES)
        assert warning.code == "STEEP_SLOPES"
        assert objective_warnings({"ocp": made(half_cell("Qj"))}, {}, CAPACITIES) == []

    def test_have_the_cutoff_of_ionworksdata(self) -> None:
        """Return 1.1 times the largest slope from 10% to 90% of the capacity."""
        slope = np.array([-90.0, -5.0, -1.0, -2.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -80.0])
        assert slope_cutoff(np.arange(11.0), slope) == pytest.approx(5.5)
