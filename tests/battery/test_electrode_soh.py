"""Electrode state of health against published numbers, and against its own equations."""

from __future__ import annotations

import pybamm
import pytest

from app.battery.expressions.symbols import encode
from app.models.enums import JobErrorCode
from tests.battery.work import calculation, entry, evaluated, failure, made, missing, parameter_set

CHEN = parameter_set("Chen2020")
X0, X100 = (f"Negative electrode stoichiometry at {soc}% SOC" for soc in (0, 100))
Y0, Y100 = (f"Positive electrode stoichiometry at {soc}% SOC" for soc in (0, 100))
CELL, LITHIUM, NOMINAL = "Cell capacity [A.h]", "Cyclable lithium capacity [A.h]", "Nominal cell capacity [A.h]"
KNOWN_CELL = {"known value": "cell capacity"}


def test_chen2020_has_its_published_stoichiometries() -> None:
    expected = {X0: 0.0263, X100: 0.9106, Y0: 0.8540, Y100: 0.2638, CELL: 5.1532}
    solved = made(calculation("ElectrodeSOH"), CHEN)
    assert {name: solved[name] for name in expected} == pytest.approx(expected, abs=5e-5)


def test_the_voltage_limits_are_met_and_lithium_is_conserved() -> None:
    solved = made(calculation("ElectrodeSOH"), CHEN)
    positive, negative = ("Positive electrode OCP [V]", "Negative electrode OCP [V]")
    for x, y, voltage in ((X0, Y0, 2.5), (X100, Y100, 4.2)):
        assert evaluated(positive, CHEN, solved[y]) - evaluated(negative, CHEN, solved[x]) == pytest.approx(
            voltage, abs=1e-5
        )
    # Q_n and Q_p of Chen2020 by hand: c_max eps L A F / 3600
    q_n = 33133 * 0.75 * 85.2e-6 * 0.065 * 1.58 * 96485.332 / 3600
    q_p = 63104 * 0.665 * 75.6e-6 * 0.065 * 1.58 * 96485.332 / 3600
    assert q_n * solved[X0] + q_p * solved[Y0] == pytest.approx(solved[LITHIUM], rel=1e-6)
    assert q_n * (solved[X100] - solved[X0]) == pytest.approx(solved[CELL], rel=1e-6)


def test_the_cell_capacity_can_be_what_is_known() -> None:
    solved = made(calculation("ElectrodeSOH", options=KNOWN_CELL), CHEN | {NOMINAL: 5.1532})
    assert solved[X100] == pytest.approx(0.9106, abs=5e-4)
    assert solved[LITHIUM] == pytest.approx(7.6107, abs=5e-4)


def test_a_cyclable_lithium_capacity_goes_before_initial_concentrations() -> None:
    assert made(calculation("ElectrodeSOH"), CHEN | {LITHIUM: 7.0})[X100] < 0.9


def test_given_electrode_capacities_stand_for_dimensions() -> None:
    names = [name for name in CHEN if "OCP [V]" in name or name.startswith("Open-circuit voltage")]
    known = {name: CHEN[name] for name in names} | {LITHIUM: 7.610712}
    capacities = {"Negative electrode capacity [A.h]": 5.827615, "Positive electrode capacity [A.h]": 8.732319}
    assert made(calculation("ElectrodeSOH"), known | capacities)[X100] == pytest.approx(0.9106, abs=5e-5)


def test_averaged_potentials_are_followed_to_their_branches() -> None:
    averaged = CHEN
    for electrode in ("Negative", "Positive"):
        ocp = CHEN[f"{electrode} electrode OCP [V]"]
        averaged = averaged | {f"{electrode} electrode {way} OCP [V]": ocp for way in ("lithiation", "delithiation")}
        averaged |= made(entry("average_ocp", electrode=electrode.lower()))
    assert made(calculation("ElectrodeSOH"), averaged)[X100] == pytest.approx(0.9106, abs=5e-5)


def test_a_branch_that_is_not_there_is_named() -> None:
    failed = failure(calculation("ElectrodeSOH"), CHEN | made(entry("average_ocp", electrode="negative")))
    assert failed.code is JobErrorCode.MODEL_ERROR
    assert "Negative electrode lithiation OCP [V]" in failed.message


def test_it_names_everything_that_is_missing() -> None:
    names = missing(calculation("ElectrodeSOH"), {"Electrode area [m2]": 0.1})
    assert {"Negative electrode OCP [V]", "Positive electrode thickness [m]", "Open-circuit voltage at 0% SOC [V]"} <= {
        *names
    }
    assert "Electrode area [m2]" not in names


def test_a_capacity_that_the_electrodes_cannot_hold_is_a_solver_error() -> None:
    failed = failure(calculation("ElectrodeSOH", options=KNOWN_CELL), CHEN | {NOMINAL: 9.0})
    assert failed.code is JobErrorCode.SOLVER_ERROR
    assert "larger than the maximum" in failed.message


def test_a_potential_that_refers_to_itself_is_a_model_error() -> None:
    loop = encode("U", lambda sto: pybamm.FunctionParameter("Negative electrode OCP [V]", {"sto": sto}))
    failed = failure(calculation("ElectrodeSOH"), CHEN | {"Negative electrode OCP [V]": loop})
    assert failed.code is JobErrorCode.MODEL_ERROR


def test_an_electrode_may_be_empty_at_first() -> None:
    full = {"Initial concentration in positive electrode [mol.m-3]": 55000.0}
    empty = {"Initial concentration in negative electrode [mol.m-3]": 0}
    assert 0 < made(calculation("ElectrodeSOH"), CHEN | full | empty)[X100] < 1
