"""EIS objectives: the impedances equal PyBaMM's own."""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np
import pybamm
import pytest

from app.battery.objectives.impedance import FREQUENCY, IMAGINARY, REAL
from tests.battery.measured import chen2020, faults, made, objective, places

FREQUENCIES = np.logspace(-3, 3, 13)
CAPACITY = "Negative electrode double-layer capacity [F.m-2]"
RADIUS = "Negative particle radius [m]"
DIFFERENTIAL = {"surface form": "differential"}


def spectrum(model: Any = "DFN", **columns: Any) -> dict[str, Any]:
    data = {FREQUENCY: FREQUENCIES.tolist(), REAL: [0.02] * 13, IMAGINARY: [-0.01] * 13} | columns
    return objective("EIS", data, model=model)


def bare(values: dict[str, Any], model: pybamm.BaseModel, **state: Any) -> Any:
    return (
        pybamm.EISSimulation(model, parameter_values=pybamm.ParameterValues(values))
        .solve(FREQUENCIES, **state)
        .impedance
    )


def impedance(config: dict[str, Any], values: dict[str, Any], point: dict[str, float] | None = None) -> Any:
    answer = made(config).simulate(values, list(point or {}))(point or {})
    assert list(answer) == [REAL, IMAGINARY]
    return answer[REAL] + 1j * answer[IMAGINARY]


def near(one: Any, other: Any) -> bool:
    return bool(np.abs(one - other).max() < 1e-9 * np.abs(other).max())


@pytest.mark.parametrize("name", ["SPM", "SPMe", "DFN"])
def test_impedances_are_those_of_pybamm(name: str) -> None:
    model = getattr(pybamm.lithium_ion, name)(dict(DIFFERENTIAL))
    assert near(impedance(spectrum({"type": name, "options": DIFFERENTIAL}), chen2020()), bare(chen2020(), model))


def test_a_model_without_a_surface_form_gets_double_layers() -> None:
    config = spectrum("SPM")
    assert made(config).effective["options"]["model"]["options"] == DIFFERENTIAL
    assert near(impedance(config, chen2020()), bare(chen2020(), pybamm.lithium_ion.SPM(dict(DIFFERENTIAL))))


def test_a_model_that_is_told_to_have_none_is_refused() -> None:
    config = spectrum(json.loads(json.dumps(pybamm.lithium_ion.DFN().to_config())))
    assert places(config) == [("options", "model", "options", "surface form")]
    assert places(spectrum({"type": "Thevenin", "module": "equivalent_circuit"})) == [
        ("options", "model", "options", "surface form")
    ]


def test_a_model_sent_whole_is_taken() -> None:
    document = pybamm.Serialise.serialise_custom_model(pybamm.lithium_ion.SPM(dict(DIFFERENTIAL)))
    model = {"type": "custom", "model": json.loads(json.dumps(document, default=pybamm.Serialise._json_encoder))}
    expected = bare(chen2020(), pybamm.lithium_ion.SPM(dict(DIFFERENTIAL)))
    found = impedance(spectrum(model), chen2020())
    assert np.abs(found - expected).max() < 1e-4 * np.abs(expected).max()  # PyBaMM does not serialise its smoothing


@pytest.mark.parametrize(
    "point", [{CAPACITY: 0.5}, {RADIUS: 5e-6}, {"Negative electrode thickness [m]": 8e-5}], ids=str
)
def test_a_free_parameter_counts_as_a_fixed_one(point: dict[str, float]) -> None:
    simulate = made(spectrum("SPMe")).simulate(chen2020(), list(point))
    simulate({name: 0.9 * value for name, value in point.items()})
    answer = simulate(point)
    assert near(answer[REAL] + 1j * answer[IMAGINARY], impedance(spectrum("SPMe"), chen2020() | point))


def test_the_spectrum_is_that_of_a_state_of_charge() -> None:
    model = pybamm.lithium_ion.SPM(dict(DIFFERENTIAL))
    expected = bare(chen2020(), model, initial_soc=0.3)
    values = chen2020() | {"Initial SOC [%]": 30.0}
    assert np.abs(impedance(spectrum("SPM"), values) - expected).max() < 1e-6
    free = impedance(spectrum("SPM"), chen2020(), {"Initial SOC [%]": 30.0})
    assert np.abs(free - expected).max() < 1e-6


def test_a_point_without_an_impedance_is_no_solution() -> None:
    simulate = made(spectrum("SPM")).simulate(chen2020(), ["Initial concentration in negative electrode [mol.m-3]"])
    with pytest.raises(pybamm.SolverError, match="not finite"):
        simulate({"Initial concentration in negative electrode [mol.m-3]": float("nan")})


def test_a_fit_computes_little_more_than_the_impedance() -> None:
    simulation = pybamm.EISSimulation(
        pybamm.lithium_ion.SPMe(dict(DIFFERENTIAL)),
        parameter_values=pybamm.ParameterValues(chen2020() | {CAPACITY: "[input]"}),
    )
    ours = made(spectrum("SPMe")).simulate(chen2020(), [CAPACITY])
    spent = np.empty((30, 2))
    for round_ in range(30):
        inputs = {CAPACITY: 0.2 + 0.01 * round_}
        before = time.perf_counter()
        ours(inputs)
        between = time.perf_counter()
        simulation.solve(FREQUENCIES, inputs=inputs)
        spent[round_] = between - before, time.perf_counter() - between
    assert np.median(spent[:, 0] / spent[:, 1]) < 1.3


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({FREQUENCY: [0.0, *FREQUENCIES[1:].tolist()]}, (FREQUENCY, 0)),
        ({FREQUENCY: [-1.0, *FREQUENCIES[1:].tolist()]}, (FREQUENCY, 0)),
        ({FREQUENCY: [*FREQUENCIES[:-1].tolist(), float(FREQUENCIES[3])]}, (FREQUENCY, 12)),
        ({IMAGINARY: [None] * 13}, (IMAGINARY, 0)),
        ({IMAGINARY: [1.0]}, (IMAGINARY,)),
    ],
)
def test_wrong_data_are_refused_at_their_place(changed: dict[str, Any], place: tuple[str | int, ...]) -> None:
    assert places(spectrum(**changed)) == [("data", "data", *place)]


def test_columns_that_lack_are_told() -> None:
    config = objective("EIS", {"f": [1.0, 2.0]}, model="SPM")
    assert {fault.path[-1] for fault in faults(config)} == {FREQUENCY, REAL, IMAGINARY}


def test_frequencies_may_come_in_any_order() -> None:
    turned = spectrum("SPM", **{FREQUENCY: FREQUENCIES[::-1].tolist()})
    assert near(impedance(turned, chen2020())[::-1], impedance(spectrum("SPM"), chen2020()))


def test_time_domain_settings_have_no_effect() -> None:
    config = objective("EIS", spectrum()["data"]["data"], model="SPM", simulation_kwargs={"solver": {"rtol": 1e-3}})
    assert near(impedance(config, chen2020()), impedance(spectrum("SPM"), chen2020()))
