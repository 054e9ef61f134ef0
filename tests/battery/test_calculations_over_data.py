"""Calculations over measured data, compared with known answers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pybamm
import pytest

from tests.battery.work import calculation, evaluated, failure, faults, made, parameter_set, result, run

X: np.ndarray = np.linspace(0.05, 0.95, 91)
U = 4.2 - 0.8 * X - 0.1 * X**2
R, F = 8.31446261815324, 96485.33212331001
D_REF, RADIUS, DIFFUSIVITY = 3e-14, 5e-6, 2e-15
TIME, CURRENT, VOLTAGE = "Time [s]", "Current [A]", "Voltage [V]"
OCP_DATA = {"Stoichiometry": X.tolist(), VOLTAGE: U.tolist()}
LIMITS = [3.4, 4.15]


def shape(x: float) -> float:
    """-x (1 - x) dU/dx of the potential above."""
    return x * (1 - x) * (0.8 + 0.2 * x)


def test_an_ocp_goes_through_its_data_in_any_order() -> None:
    order = np.random.default_rng(1).permutation(X.size)
    data = {"Stoichiometry": X[order].tolist(), VOLTAGE: U[order].tolist()}
    found = made(calculation("OCPDataInterpolant", electrode="positive", data=data))
    for row in (0, 17, 90):
        assert evaluated("Positive electrode OCP [V]", found, float(X[row])) == pytest.approx(U[row], abs=1e-12)
    middle = evaluated("Positive electrode OCP [V]", found, float(X[3] + X[4]) / 2)
    assert middle == pytest.approx((U[3] + U[4]) / 2, abs=1e-12)


def test_the_branch_and_the_phase_of_an_ocp_are_in_its_name() -> None:
    options = {"direction": "lithiation", "phase": "secondary", "interpolator": "cubic"}
    found = made(calculation("OCPDataInterpolant", electrode="negative", data=OCP_DATA, options=options))
    assert list(found) == ["Secondary: Negative electrode lithiation OCP [V]"]


def test_a_measured_ocp_drives_a_model() -> None:
    """A discharge with the table of Chen2020's own function ends where the function ends."""
    cell = pybamm.ParameterValues("Chen2020")
    x = np.linspace(0.2, 0.999, 2_000)
    potential = [float(cell.evaluate(cell["Positive electrode OCP [V]"](pybamm.Scalar(each)))) for each in x]
    table = calculation(
        "OCPDataInterpolant", electrode="positive", data={"Stoichiometry": x.tolist(), VOLTAGE: potential}
    )
    time: np.ndarray = np.arange(0, 600, 10.0)
    data = {TIME: time.tolist(), CURRENT: [5.0] * time.size, VOLTAGE: [4.0] * time.size}
    objective = {"1C": {"type": "CurrentDriven", "data": data, "options": {"model": {"type": "SPM"}}}}
    check = {"element_type": "validation", "objectives": objective}
    entry = {"element_type": "entry", "parameter_set": "Chen2020"}
    plain, measured = run({"cell": entry, "check": check}), run({"cell": entry, "ocp": table, "check": check})
    rmse = [each["check"]["summary_stats"]["1C"]["RMSE"]["Voltage [V]"] for each in (plain, measured)]
    assert rmse[1] == pytest.approx(rmse[0], abs=1e-5)


@pytest.mark.parametrize("transformation", ["none", "log"])
def test_a_diffusivity_goes_through_its_data(transformation: str) -> None:
    values = 10.0 ** (-14 - X)
    data = {"Stoichiometry": X.tolist(), "Diffusivity [m2.s-1]": values.tolist()}
    options = {"transformation": transformation}
    config = calculation("DiffusivityDataInterpolant", electrode="negative", data=data, options=options)
    found = made(config)
    name = "Negative particle diffusivity [m2.s-1]"
    assert evaluated(name, found, float(X[10]), 298.15) == pytest.approx(values[10], rel=1e-12)
    middle = evaluated(name, found, float(X[10] + X[11]) / 2, 298.15)
    mean = math.sqrt(values[10] * values[11]) if transformation == "log" else (values[10] + values[11]) / 2
    assert middle == pytest.approx(mean, rel=1e-12)


def test_an_entropic_change_is_scaled() -> None:
    data = {"Stoichiometry": X.tolist(), "Entropic change [V.K-1]": (1e-4 * X).tolist()}
    options = {"scale factor": 0.5}
    found = made(calculation("EntropicChangeDataInterpolant", electrode="positive", data=data, options=options))
    assert evaluated("Positive electrode OCP entropic change [V.K-1]", found, float(X[40])) == pytest.approx(
        0.5e-4 * X[40]
    )


MSMR = [
    calculation("DiffusivityFromMSMRData", electrode="positive", data=OCP_DATA),
    calculation("DiffusivityFromMSMRFunction", electrode="positive", voltage_limits=LIMITS),
    calculation("ArrheniusDiffusivityFromMSMRData", electrode="positive", data=OCP_DATA),
    calculation("ArrheniusDiffusivityFromMSMRFunction", electrode="positive", voltage_limits=LIMITS),
]


@pytest.mark.parametrize("config", MSMR, ids=[each["type"] for each in MSMR])
def test_an_msmr_diffusivity_is_its_formula(config: dict[str, Any]) -> None:
    ocp = made(
        calculation("OCPDataInterpolant", electrode="positive", data=OCP_DATA, options={"interpolator": "cubic"})
    )
    known = ocp | {
        "Positive particle reference diffusivity [m2.s-1]": D_REF,
        "Positive particle diffusivity activation energy [J.mol-1]": 20_000.0,
        "Reference temperature [K]": 298.15,
    }
    found = known | made(config, known)
    for x, temperature in ((0.3, 298.15), (0.6, 320.0)):
        reference = 298.15 if config["type"].startswith("Arrhenius") else temperature
        heat = math.exp(20_000 / R * (1 / reference - 1 / temperature))
        expected = F / (R * reference) * D_REF * shape(x) * heat
        value = evaluated("Positive particle diffusivity [m2.s-1]", found, x, temperature)
        assert value == pytest.approx(expected, rel=1e-4)


def test_a_potential_that_rises_has_no_msmr_diffusivity() -> None:
    noisy = U.copy()
    noisy[40:50] += np.linspace(0, 1, 10)
    data = {"Stoichiometry": X.tolist(), VOLTAGE: noisy.tolist()}
    failed = failure(calculation("DiffusivityFromMSMRData", electrode="positive", data=data))
    assert "rises with the stoichiometry at 0.4" in failed.message
    assert "Smooth the data" in failed.message


def pulse(diffusivity: float = DIFFUSIVITY, **changed: Any) -> dict[str, Any]:
    """A pulse of 60 s and a rest: the surface follows the square root of time, the mean is linear in time, both in a
    sphere (Weppner and Huggins 1977)."""
    flux, slope, resistance = 1e-3, -0.5, 0.02
    rest, on, after = np.arange(0, 10.0), np.arange(0, 61.0), np.arange(1, 100.0)
    surface = slope * flux * 2 * np.sqrt(on / (math.pi * diffusivity)) * 1e-6
    settled = slope * flux * 3 * on[-1] / RADIUS * 1e-6
    voltage = np.concatenate([np.full(10, 4.0), 4.0 - resistance + surface, np.full(99, 4.0 + settled)])
    columns = {
        TIME: np.concatenate([rest, 10 + on, 71 + after]).tolist(),
        CURRENT: [0.0] * 10 + [1.0] * 61 + [0.0] * 99,
        VOLTAGE: voltage.tolist(),
        "Step number": [1] * 10 + [2] * 61 + [3] * 99,
    }
    return columns | changed


def test_a_pulse_gives_its_diffusivity() -> None:
    config = calculation("DiffusivityFromPulse", electrode="negative", data=pulse())
    found = made(config, {"Negative particle radius [m]": RADIUS})
    assert found == {"Negative particle diffusivity [m2.s-1]": pytest.approx(DIFFUSIVITY, rel=1e-9)}
    columns = pulse()
    columns["Step count"] = columns.pop("Step number")
    assert made(config | {"data": columns}, {"Negative particle radius [m]": RADIUS}) == found


def test_a_pulse_of_a_model_gives_its_diffusivity_within_the_error_of_the_method() -> None:
    """A half cell of PyBaMM with a known diffusivity, and a pulse that is short beside R^2 / D."""
    values = pybamm.ParameterValues("Xu2019")
    name = "Positive particle diffusivity [m2.s-1]"
    values[name] = 3e-14
    time: np.ndarray = np.concatenate(
        [np.arange(0, 11.0), [10.01], np.arange(11, 41.0), [40.01], np.arange(45, 20_000, 50.0)]
    )
    current = np.where((time > 10) & (time <= 40), 1e-4, 0.0)
    values["Current function [A]"] = pybamm.Interpolant(time, current, pybamm.t)
    model = pybamm.lithium_ion.SPM({"working electrode": "positive"})
    points = model.default_var_pts | {"r_p": 200}
    simulation = pybamm.Simulation(model, parameter_values=values, var_pts=points)
    voltage = simulation.solve(time)["Voltage [V]"](time)
    numbers = np.where(time <= 10, 1, np.where(time <= 40, 2, 3))
    data = {TIME: time, CURRENT: current, VOLTAGE: voltage, "Step number": numbers}
    config = calculation(
        "DiffusivityFromPulse", electrode="positive", data={key: each.tolist() for key, each in data.items()}
    )
    found = made(config, {"Positive particle radius [m]": values["Positive particle radius [m]"]})
    assert found[name] == pytest.approx(3e-14, rel=0.15)


NUMBERS = pulse()["Step number"]


@pytest.mark.parametrize(
    ("changed", "options", "message"),
    [
        ({CURRENT: [0.0] * 170}, {}, "No step has a current"),
        ({CURRENT: [1.0] * 170}, {}, "No rest step is before the pulse"),
        ({CURRENT: [0.0] * 10 + [1.0] * 160}, {}, "No rest step is after the pulse"),
        ({}, {"step number": 1}, "Step 1 is a rest"),
        ({}, {"step number": 7}, "No step has the number 7"),
        ({}, {"dt_pulse": 61.0}, "`dt_pulse` is 61 s, longer than the pulse of 60 s"),
        ({}, {"dt_IR": 60.0}, "must change between the IR drop and the end"),
        ({VOLTAGE: [4.0] * 170}, {}, "must change between the IR drop and the end"),
    ],
)
def test_a_pulse_that_gives_no_diffusivity_says_why(
    changed: dict[str, Any], options: dict[str, Any], message: str
) -> None:
    config = calculation("DiffusivityFromPulse", electrode="negative", data=pulse(**changed), options=options)
    assert message in failure(config, {"Negative particle radius [m]": RADIUS}).message


@pytest.mark.parametrize(
    ("config", "path", "message"),
    [
        (calculation("OCPDataInterpolant", electrode="positive"), ("data",), "`data` is missing"),
        (
            calculation("OCPDataInterpolant", electrode="positive", data={"x": [1.0, 2.0], VOLTAGE: [1.0, 2.0]}),
            ("data", "Stoichiometry"),
            "The data lack Stoichiometry",
        ),
        (
            calculation(
                "OCPDataInterpolant", electrode="positive", data={"Stoichiometry": [0.1, None], VOLTAGE: [4, 3]}
            ),
            ("data", "Stoichiometry", 1),
            "row 1 has no value",
        ),
        (calculation("OCPDataInterpolant", electrode="positive", data="file:a.csv"), ("data",), "is not supported"),
        (
            calculation("OCPDataInterpolant", electrode="lumped", data=OCP_DATA),
            ("electrode",),
            "'lumped' is not supported",
        ),
        (
            calculation("DiffusivityDataInterpolant", electrode="positive", data=OCP_DATA),
            ("data", "Diffusivity [m2.s-1]"),
            "The data lack Diffusivity [m2.s-1]",
        ),
    ],
)
def test_data_that_do_not_fit_are_named_with_their_place(
    config: dict[str, Any], path: tuple[str | int, ...], message: str
) -> None:
    found = faults(config)
    assert [fault.path for fault in found] == [path]
    assert message in found[0].message


def test_tables_that_are_none_are_refused() -> None:
    short = {"Stoichiometry": [0.1, 0.1, 0.1, 0.2], VOLTAGE: [4.0, 3.9, 3.8, 3.7]}
    wide = {"Stoichiometry": [0.1, 0.2, 0.3, 1.4], VOLTAGE: [4.0, 3.9, 3.8, 3.7]}
    config = calculation("OCPDataInterpolant", electrode="positive")
    assert "has 2 different values; at least 4" in failure(config | {"data": short}).message
    assert "must be from 0 to 1; the data go from 0.1 to 1.4" in failure(config | {"data": wide}).message
    negative = {"Stoichiometry": X.tolist(), "Diffusivity [m2.s-1]": (-X).tolist()}
    config = calculation("DiffusivityDataInterpolant", electrode="positive", data=negative)
    assert "must be greater than zero; it is -0.05 at 0.05" in failure(config).message


def test_the_result_holds_no_data() -> None:
    config = calculation("OCPDataInterpolant", electrode="positive", data={"data": OCP_DATA, "options": {"sort": True}})
    assert result(config)["effective_config"]["data"] == {"options": {"sort": True}}
    assert parameter_set("Chen2020")
