"""Interpolants of the MSMR model against its equation, inverted by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.battery.work import calculation, evaluated, failure, faults, made, missing

N = "Negative electrode "
ONE_SITE = {
    "Ambient temperature [K]": 298.15,
    f"{N}host site occupancy fraction (0)": 1.0,
    f"{N}host site standard potential (0) [V]": 0.1,
    f"{N}host site ideality factor (0)": 2.0,
}
KT = 8.314462618 * 298.15 / 96485.33212
"""R T / F [V]"""


def ocp(**fields: Any) -> dict[str, Any]:
    return calculation("OCPMSMRInterpolant", electrode="negative", voltage_limits=[-0.2, 0.4], **fields)


@pytest.mark.parametrize("interpolator", ["linear", "cubic", "pchip"])
@pytest.mark.parametrize("x", [0.05, 0.5, 0.9])
def test_one_site_follows_the_inverted_equation(x: float, interpolator: str) -> None:
    table = made(ocp(options={"interpolator": interpolator}), ONE_SITE)
    expected = 0.1 + 2.0 * KT * math.log((1 - x) / x)  # x = 1 / (1 + exp((U - U0) / (w kT)))
    assert evaluated(f"{N}OCP [V]", table, x) == pytest.approx(expected, abs=2e-5)
    assert evaluated(f"{N}lithiation", table, expected) == pytest.approx(x, abs=2e-5)


def test_the_lithiation_function_can_be_left_out() -> None:
    assert set(made(ocp(options={"create_lithiation_function": False}), ONE_SITE)) == {f"{N}OCP [V]"}


def test_sites_are_counted_until_there_is_no_more() -> None:
    second = {name.replace("(0)", "(1)"): value for name, value in ONE_SITE.items() if "(0)" in name}
    halves = ONE_SITE | second | {f"{N}host site occupancy fraction ({site})": 0.5 for site in (0, 1)}
    assert evaluated(f"{N}OCP [V]", made(ocp(), halves), 0.5) == pytest.approx(0.1, abs=1e-6)
    del halves[f"{N}host site ideality factor (1)"]
    assert missing(ocp(), halves) == [f"{N}host site ideality factor (1)"]


def test_occupancy_fractions_that_are_no_whole_fail() -> None:
    failed = failure(ocp(), ONE_SITE | {f"{N}host site occupancy fraction (0)": 0.7})
    assert "add up to 0.7" in failed.message


def test_reversed_voltage_limits_are_refused() -> None:
    assert [fault.path for fault in faults(ocp() | {"voltage_limits": [0.4, -0.2]})] == [("voltage_limits",)]
