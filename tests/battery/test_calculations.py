"""Calculations, compared with values computed by hand."""

from __future__ import annotations

from typing import Any

import pybamm
import pytest

from app.battery.calculations import CALCULATIONS
from app.battery.expressions.symbols import encode
from app.battery.functions import ElementFunction
from app.models.enums import JobErrorCode
from tests.battery.cases import C_P, CAPACITY_INPUTS, CASES, N, P
from tests.battery.work import calculation, failure, made, missing, parameter_set

ELSEWHERE = {"ElectrodeSOH", "OCPMSMRInterpolant"} | {
    "ArrheniusDiffusivityFromMSMRData",
    "ArrheniusDiffusivityFromMSMRFunction",
    "DiffusivityDataInterpolant",
    "DiffusivityFromMSMRData",
    "DiffusivityFromMSMRFunction",
    "DiffusivityFromPulse",
    "EntropicChangeDataInterpolant",
    "OCPDataInterpolant",
}
"""Calculations with test files of their own."""


@pytest.mark.parametrize(("config", "inputs", "expected"), CASES, ids=[case[0]["type"] for case in CASES])
def test_it_gives_the_value_worked_out_by_hand(
    config: dict[str, Any], inputs: dict[str, Any], expected: dict[str, float]
) -> None:
    assert made(config, inputs) == pytest.approx(expected, rel=1e-5)


def test_every_calculation_has_a_number() -> None:
    assert {config["type"] for config, *_ in CASES} | ELSEWHERE == set(CALCULATIONS)


@pytest.mark.parametrize(("config", "inputs", "_expected"), CASES, ids=[case[0]["type"] for case in CASES])
def test_without_inputs_it_names_every_one_that_is_missing(
    config: dict[str, Any], inputs: dict[str, Any], _expected: dict[str, float]
) -> None:
    optional = {"Number of electrodes connected in parallel to make a cell", f"{N}active volume fraction of solid"}
    sides = {"Electrode height [m]": "Electrode area [m2]", "Electrode width [m]": "Electrode area [m2]"}
    needed = {sides.get(name, name) for name in inputs} - optional
    if config["type"] == "InitialSOCHalfCell":
        needed = {name for name in needed if config["electrode"] in name.lower()}
    if config["type"] == "ElectrodeCapacity":
        needed = {f"{P}thickness [m]"}  # the required inputs depend on the given ones
    assert needed <= set(missing(config))


@pytest.mark.parametrize("electrode", ["negative", "positive"])
def test_the_capacity_is_that_of_pybamm(electrode: str) -> None:
    chen = parameter_set("Chen2020")
    parameters = pybamm.LithiumIonParameters()
    domain = parameters.n if electrode == "negative" else parameters.p
    expected = pybamm.ParameterValues("Chen2020").evaluate(domain.Q_init)
    (capacity,) = made(calculation("ElectrodeCapacity", electrode=electrode), chen).values()
    assert capacity == pytest.approx(expected, rel=1e-9)


def test_a_capacity_with_nothing_unknown_fails() -> None:
    failed = failure(
        calculation("ElectrodeCapacity", electrode="positive"), CAPACITY_INPUTS | {f"{P}capacity [A.h]": 3.0}
    )
    assert "Nothing is unknown" in failed.message


def test_an_area_that_contradicts_height_times_width_fails() -> None:
    inputs = CAPACITY_INPUTS | {"Electrode height [m]": 1.0, "Electrode width [m]": 1.0}
    assert "Keep the one" in failure(calculation("ElectrodeCapacity", electrode="positive"), inputs).message


@pytest.mark.parametrize("radius", [0.0, -1e-6])
def test_a_length_that_is_not_positive_fails_by_name(radius: float) -> None:
    inputs = {f"{P}active material volume fraction": 0.65, "Positive particle radius [m]": radius}
    failed = failure(calculation("SurfaceAreaToVolumeRatio", electrode="positive"), inputs)
    assert "Positive particle radius [m]" in failed.message


def test_a_volume_fraction_above_one_fails_by_name() -> None:
    inputs = {f"{P}loading [A.h.cm-2]": 0.03, f"{P}thickness [m]": 80e-6, C_P: 51217.0}
    config = calculation("ElectrodeVolumeFractionFromLoading", electrode="positive", method="loading")
    assert f"{P}active material volume fraction comes out as 2.73" in failure(config, inputs).message


def test_a_value_that_is_not_finite_fails_by_name() -> None:
    inputs = {"Formation lithium loss": 1e200, f"{P}capacity [A.h]": 1e200}
    failed = failure(calculation("CyclableLithium", method="formation loss"), inputs)
    assert failed.message == "Cyclable lithium capacity [A.h] comes out as inf."


def test_an_input_may_be_an_expression_of_others() -> None:
    loading = pybamm.Parameter("Mass [g]") / 2
    inputs = {"Mass [g]": 6.0, f"{P}capacity [A.h]": encode("", loading)}
    assert made(calculation("HalfCellNominalCapacity", electrode="positive"), inputs)["Current function [A]"] == 3.0


def test_an_input_that_is_a_function_fails_by_name() -> None:
    inputs = {f"{P}capacity [A.h]": parameter_set("Chen2020")[f"{P}OCP [V]"]}
    failed = failure(calculation("HalfCellNominalCapacity", electrode="positive"), inputs)
    assert f"{P}capacity [A.h] must be a number" in failed.message


def test_a_number_too_large_to_calculate_with_is_a_model_error() -> None:
    inputs = {"Jelly roll radius [m]": 1e200, "Jelly roll height [m]": 1.0}
    failed = failure(calculation("JellyRollThermalDimensions"), inputs)
    assert (failed.code, failed.message[:25]) == (JobErrorCode.MODEL_ERROR, "A number is too large or ")


def test_an_input_that_refers_to_itself_is_a_model_error() -> None:
    name = f"{P}capacity [A.h]"
    failed = failure(
        calculation("HalfCellNominalCapacity", electrode="positive"), {name: encode("", pybamm.Parameter(name) * 2)}
    )
    assert failed.code is JobErrorCode.MODEL_ERROR


def test_what_is_nobodys_foresight_is_our_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(settings: object, inputs: object) -> dict[str, Any]:
        raise LookupError("secret")

    monkeypatch.setitem(CALCULATIONS, "OpenCircuitLimits", ElementFunction({}, broken))
    failed = failure(calculation("OpenCircuitLimits"))
    assert (failed.code, failed.message) == (JobErrorCode.INTERNAL_ERROR, "Internal error: LookupError.")
