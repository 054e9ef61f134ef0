"""MSMRHalfCell: capacities by hand, and the compared rows of a curve."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pybamm
import pytest

from app.battery.objectives.msmr import CAPACITY, DIFFERENTIAL, VOLTAGE
from app.battery.objectives.objective import Objective
from app.execution.executor import JobFailed
from app.models.enums import JobErrorCode
from tests.battery.measured import elements, made, objective, places
from tests.battery.work import run

SITE = "Negative electrode host site "
TOTAL, LOWER = "Negative electrode capacity [A.h]", "Negative electrode lower excess capacity [A.h]"
TEMPERATURE = "Ambient temperature [K]"
THERMAL = 8.314462618 * 298.15 / 96485.33212
"""R T / F [V]"""
FRACTIONS = {
    f"{SITE}occupancy fraction (0)": 0.6,
    f"{SITE}standard potential (0) [V]": 0.1,
    f"{SITE}ideality factor (0)": 1.0,
    f"{SITE}occupancy fraction (1)": 0.4,
    f"{SITE}standard potential (1) [V]": 0.2,
    f"{SITE}ideality factor (1)": 2.0,
    TOTAL: 2.0,
    LOWER: 0.05,
    TEMPERATURE: 298.15,
}
CAPACITIES = {name: value for name, value in FRACTIONS.items() if "fraction" not in name and name != TOTAL} | {
    f"{SITE}occupancy capacity (0) [A.h]": 1.2,
    f"{SITE}occupancy capacity (1) [A.h]": 0.8,
}
VOLTAGES = np.linspace(0.02, 0.4, 39)


def by_hand(voltage: float) -> float:
    """Return Q [A.h] of the two sites."""
    first = 1.2 / (1 + math.exp((voltage - 0.1) / THERMAL))
    return first + 0.8 / (1 + math.exp((voltage - 0.2) / (2 * THERMAL))) - 0.05


CURVE = [by_hand(voltage) for voltage in VOLTAGES]


def half_cell(species: Any = "Xj", columns: Any = None, **options: Any) -> dict[str, Any]:
    model = {"type": "MSMRHalfCellModel", "electrode": "negative", "options": {"species format": species}}
    return objective(
        "MSMRHalfCell", columns or {VOLTAGE: VOLTAGES.tolist(), CAPACITY: CURVE}, **{"model": model} | options
    )


def answer(config: dict[str, Any], values: dict[str, Any], point: dict[str, float] | None = None) -> dict[str, Any]:
    return made(config).simulate(values, list(point or {}))(point or {})


def exact(one: Objective, found: dict[str, Any]) -> bool:
    return all(np.abs(found[name] - data).max() < 1e-9 * np.abs(data).max() for name, data in one.data.items())


@pytest.mark.parametrize(("species", "values"), [("Xj", FRACTIONS), ("Qj", CAPACITIES)])
def test_capacities_are_those_by_hand(species: str, values: dict[str, float]) -> None:
    config = half_cell(species)
    assert exact(made(config), answer(config, values))
    assert exact(made(config), answer(config, {}, values))


def test_the_species_have_capacities_unless_told() -> None:
    config = half_cell()
    del config["options"]["model"]["options"]
    assert exact(made(config), answer(config, CAPACITIES))


def test_both_variables_are_compared_unless_told() -> None:
    assert list(made(half_cell()).data) == [CAPACITY, DIFFERENTIAL]
    config = half_cell(**{"objective variables": [CAPACITY]})
    assert list(answer(config, FRACTIONS)) == list(made(config).data) == [CAPACITY]


def test_the_truths_of_a_real_configuration_reproduce_its_data() -> None:
    fit = elements("c_msmr_half_cell")["msmr"]
    truth = {name: each["initial_value"] for name, each in fit["parameters"].items()}
    truth |= {name: value - 0.025 for name, value in truth.items() if "standard potential" in name}
    truth |= {name: value * 1.05 for name, value in truth.items() if "ideality factor" in name}
    truth |= {TOTAL: 1.0, LOWER: 0.01}
    config = fit["objectives"]["msmr"]
    assert exact(made(config), answer(config, {TEMPERATURE: 298.15}, truth))


SHARES = [f"{SITE}occupancy fraction ({site})" for site in (0, 1)]


class TestFractions:
    def test_only_count_relative_to_each_other_when_all_are_free(self) -> None:
        point = dict.fromkeys(SHARES, 0.0) | dict(zip(SHARES, (1.2, 0.8), strict=True))
        assert exact(made(half_cell()), answer(half_cell(), FRACTIONS, point))

    def test_are_handed_on_with_a_sum_of_one(self) -> None:
        point = dict(zip(SHARES, (1.2, 0.8), strict=True)) | {LOWER: 0.05}
        found = made(half_cell()).normalised(point)
        assert found == pytest.approx(dict(zip(SHARES, (0.6, 0.4), strict=True)) | {LOWER: 0.05})

    def test_count_as_they_are_when_some_are_fixed(self) -> None:
        point = {SHARES[0]: 1.2}
        found = answer(half_cell(), FRACTIONS, point)[CAPACITY]
        assert found[0] == pytest.approx(by_hand(0.02) + 1.2 / (1 + math.exp(-0.08 / THERMAL)))

    def test_that_are_fixed_must_add_up(self) -> None:
        with pytest.raises(JobFailed) as failed:
            answer(half_cell(), FRACTIONS | {SHARES[0]: 0.7})
        assert failed.value.code is JobErrorCode.MODEL_ERROR
        assert "add up to 1.1" in failed.value.message

    def test_of_capacities_there_are_none(self) -> None:
        assert made(half_cell("Qj")).normalised(dict(CAPACITIES)) == CAPACITIES


class TestParameters:
    def test_of_any_site_can_be_read(self) -> None:
        names = made(half_cell()).parameter_names({})
        assert {f"{SITE}ideality factor (17)", TOTAL, LOWER, TEMPERATURE} <= names
        assert not any("capacity (" in name or "Positive" in name for name in names)

    def test_may_be_expressions_of_others(self) -> None:
        values = FRACTIONS | {
            f"{SITE}standard potential (1) [V]": 2 * pybamm.Parameter(f"{SITE}standard potential (0) [V]")
        }
        assert exact(made(half_cell()), answer(half_cell(), values))
        free = f"{SITE}standard potential (0) [V]"
        assert exact(made(half_cell()), answer(half_cell(), values, {free: 0.1}))

    def test_of_an_objectives_own_win(self) -> None:
        config = half_cell() | {"parameters": {LOWER: 0.05}}
        assert LOWER not in made(config).parameter_names({})
        assert exact(made(config), answer(config, FRACTIONS, {LOWER: 1.0}))

    def test_that_are_missing_are_told(self) -> None:
        values = {name: value for name, value in FRACTIONS.items() if name not in (LOWER, f"{SITE}ideality factor (1)")}
        with pytest.raises(JobFailed) as failed:
            answer(half_cell(), values)
        assert failed.value.detail == {"missing": [LOWER, f"{SITE}ideality factor (1)"]}

    def test_without_a_site_are_missing(self) -> None:
        with pytest.raises(JobFailed) as failed:
            answer(half_cell(), {TEMPERATURE: 298.15, TOTAL: 1.0, LOWER: 0.0})
        assert failed.value.detail is not None
        assert len(failed.value.detail["missing"]) == 3

    def test_that_make_no_sense_are_no_solution(self) -> None:
        with pytest.raises(pybamm.SolverError):
            answer(half_cell(), FRACTIONS, {f"{SITE}ideality factor (0)": -1.0})


class TestWindow:
    def test_is_set_by_voltages(self) -> None:
        one = made(half_cell(**{"voltage limits": [0.1, 0.3]}))
        assert one.channels[VOLTAGE].min() >= 0.1
        assert one.channels[VOLTAGE].max() <= 0.3
        assert exact(one, answer(half_cell(**{"voltage limits": [0.1, 0.3]}), FRACTIONS))

    @pytest.mark.parametrize(("name", "cutoff"), [("dUdQ cutoff", 0.3), ("dQdU cutoff", 10.0)])
    def test_is_set_by_slopes(self, name: str, cutoff: float) -> None:
        config = half_cell(**{name: cutoff})
        one = made(config)
        slope = np.abs(one.data[DIFFERENTIAL])
        assert 2 <= slope.size < VOLTAGES.size
        assert (slope if name == "dUdQ cutoff" else 1 / slope).max() <= cutoff * (1 + 1e-12)
        assert exact(one, answer(config, FRACTIONS))

    def test_leaves_out_where_the_capacity_stands_still(self) -> None:
        columns = {VOLTAGE: VOLTAGES.tolist(), CAPACITY: [CURVE[0]] * 3 + CURVE[3:]}
        assert len(made(half_cell(columns=columns)).data[CAPACITY]) == VOLTAGES.size - 2
        alone = half_cell(columns=columns, **{"objective variables": [CAPACITY]})
        assert len(made(alone).data[CAPACITY]) == VOLTAGES.size

    def test_must_hold_something(self) -> None:
        assert places(half_cell(**{"voltage limits": [5.0, 6.0]})) == [("options",)]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"constrain Xj method": "explicit"}, ("constrain Xj method",)),
        ({"constrain Xj method": "reformulate"}, ("constrain Xj method",)),
        ({"preserve U0j order": True}, ("preserve U0j order",)),
        ({"penalize Xj complement bounds": True}, ("penalize Xj complement bounds",)),
        ({"GITT": True}, ("GITT",)),
        ({"dUdQ cutoff": "auto"}, ("dUdQ cutoff",)),
        ({"dUdQ cutoff": -1}, ("dUdQ cutoff",)),
        ({"voltage limits": [1.0, 0.0]}, ("voltage limits",)),
        ({"objective variables": ["Capacity"]}, ("objective variables",)),
        ({"objective variables": [[]]}, ("objective variables",)),
        ({"model": "MSMRHalfCellModel"}, ("model",)),
        ({"model": {"electrode": "lithium"}}, ("model", "electrode")),
        ({"model": {"type": "SPM", "electrode": "negative"}}, ("model", "type")),
    ],
)
def test_a_wrong_option_is_refused_at_its_place(options: Any, expected: tuple[str, ...]) -> None:
    assert places(half_cell(**options)) == [("options", *expected)]


@pytest.mark.parametrize(
    ("name", "value"),
    [("species format", "X"), ("direction", "lithiation"), ("particle phases", "2"), ("capacity function", "x")],
)
def test_a_wrong_option_of_the_model_is_refused_at_its_place(name: str, value: str) -> None:
    model = {"electrode": "negative", "options": {name: value}}
    assert places(half_cell(model=model)) == [("options", "model", "options", name)]


class TestRepeatedVoltages:
    """A cycler logs the same voltage in several rows: the model's dU/dQ is then its limit, not 0/0."""

    def test_have_the_slope_in_closed_form(self) -> None:
        voltages = [0.1, 0.1, 0.1, 0.15, 0.15, 0.15, 0.2, 0.25]
        capacity = [1.0 - 0.1 * row for row in range(8)]
        config = half_cell("Qj", {VOLTAGE: voltages, CAPACITY: capacity})
        found = answer(config, CAPACITIES)[DIFFERENTIAL]
        step = 1e-6
        for row, voltage in ((0, 0.1), (1, 0.1), (4, 0.15)):
            slope = 2 * step / (by_hand(voltage + step) - by_hand(voltage - step))
            assert found[row] == pytest.approx(slope, rel=1e-6)

    def test_far_from_all_sites_are_finite(self) -> None:
        voltages = [3.0, 3.0, 3.0, 0.1, 0.05]
        config = half_cell("Qj", {VOLTAGE: voltages, CAPACITY: [0.1, 0.2, 0.3, 1.0, 1.5]})
        assert np.isfinite(answer(config, CAPACITIES)[DIFFERENTIAL]).all()

    @pytest.mark.parametrize("digits", [3, 4])
    @pytest.mark.parametrize("both", [True, False])
    def test_of_a_quantised_curve_fit(self, digits: int, both: bool) -> None:
        """With voltages logged to 1 mV or 0.1 mV, the fit recovers the potentials."""
        fine = np.linspace(0.02, 0.35, 400)
        columns = {VOLTAGE: np.round(fine, digits).tolist(), CAPACITY: [by_hand(each) for each in fine]}
        potentials = {f"{SITE}standard potential ({site}) [V]": 0.1 + 0.1 * site for site in (0, 1)}
        known = {name: value for name, value in CAPACITIES.items() if name not in potentials}
        options = {"objective variables": [CAPACITY, DIFFERENTIAL] if both else [CAPACITY]}
        found = run(
            {
                "known": {"element_type": "entry", "values": known},
                "fit": {
                    "element_type": "data_fit",
                    "objectives": {"ocp": half_cell("Qj", columns, **options)},
                    "parameters": {
                        name: {"initial_value": value + 0.02, "bounds": [value - 0.05, value + 0.05]}
                        for name, value in potentials.items()
                    },
                    "optimizer": {"type": "ScipyLeastSquares"},
                },
            }
        )["fit"]["parameter_values"]
        for name, value in potentials.items():
            assert found[name] == pytest.approx(value, abs=2e-3)
