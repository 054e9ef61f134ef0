"""Electrolyte entries, compared with the formulas and coefficients of their papers."""

from __future__ import annotations

import math

import pybamm
import pytest
from pybamm.input.parameters.lithium_ion import ORegan2022

from tests.battery.work import entry, evaluated, made

D, KAPPA = "Electrolyte diffusivity [m2.s-1]", "Electrolyte conductivity [S.m-1]"
FACTOR, TRANSFERENCE = "Thermodynamic factor", "Cation transference number"
INITIAL = "Initial concentration in electrolyte [mol.m-3]"


def test_nyman_electrolyte_has_the_published_polynomials() -> None:
    values = made(entry("nyman_electrolyte", c_e=1000.0))
    assert (values[INITIAL], values[TRANSFERENCE], values[FACTOR]) == (1000.0, 0.2594, 1.0)
    # at 1 mol/l: 8.794e-11 - 3.972e-10 + 4.862e-10; 0.1297 - 2.51 + 3.329
    assert evaluated(D, values, 1000.0, 298.15) == pytest.approx(1.7694e-10, rel=1e-9)
    assert evaluated(KAPPA, values, 1000.0, 298.15) == pytest.approx(0.9487, rel=1e-9)
    assert evaluated(KAPPA, values, 1000.0, 320.0) == pytest.approx(0.9487, rel=1e-9)


PAPER: dict[str, dict[str, tuple[float, ...]]] = {
    "EC:DMC (1:1)": {
        KAPPA: (0.798, 228, -1.22, 0.509, -0.004, 0.00379),
        D: (1470, 1.33, -1690, -563),
        FACTOR: (-5.58, 7.17, 0.038, 1.91, -0.0665, -5.08e-5, 0.11, -0.0061, 1.51e-4),
        TRANSFERENCE: (-7.91, 0.245, 0.0528, 0.698, -0.0108, -8.21e-5, 7.43e-4, -0.00222, 3.07e-5),
    },
    "EC:EMC (3:7)": {
        KAPPA: (0.521, 228, -1.06, 0.353, -0.00359, 0.00148),
        D: (1010, 1.01, -1560, -487),
        FACTOR: (25.7, -45.1, -0.177, 1.94, 0.295, 3.08e-4, 0.259, -0.00946, -4.54e-4),
        TRANSFERENCE: (-12.8, -6.12, 0.0821, 0.904, 0.0318, -1.27e-4, 0.0175, -0.00312, -3.96e-5),
    },
    "EMC:FEC (19:1)": {
        KAPPA: (0.0251, 175, 1.23, 0.205, -0.0881, 0.00283),
        D: (586, 1.33, -1380, -582),
        FACTOR: (3.22, -10.1, -0.0158, 6.12, 0.0296, 2.42e-5, -0.222, -0.0157, 6.30e-6),
        TRANSFERENCE: (-12.2, -3.05, 0.0838, 1.78, 0.00151, -1.37e-4, -0.0245, -0.00515, 2.14e-5),
    },
}


def landesfeind_by_hand(name: str, p: tuple[float, ...], c: float, T: float) -> float:
    """The four formulas of Landesfeind & Gasteiger (2019), at c mol/l and T kelvin."""
    if name == KAPPA:
        heat = math.exp(1000 / T)
        mixed = 1 + p[2] * math.sqrt(c) + p[3] * (1 + p[4] * heat) * c
        return p[0] * (1 + T - p[1]) * c * mixed / (1 + c**4 * p[5] * heat) / 10  # mS/cm to S/m
    if name == D:
        return p[0] * math.exp(p[1] * c + p[2] / T + p[3] * c / T) * 1e-10
    terms = (1, c, T, c**2, c * T, T**2, c**3, c**2 * T, c * T**2)
    return sum(coefficient * term for coefficient, term in zip(p, terms, strict=True))


@pytest.mark.parametrize("system", PAPER)
def test_landesfeind_electrolyte_follows_the_paper(system: str) -> None:
    values = made(entry("landesfeind_electrolyte", c_e=1000.0, system=system))
    for name, coefficients in PAPER[system].items():
        for c, T in ((0.5, 298.15), (1.2, 283.15)):
            expected = landesfeind_by_hand(name, coefficients, c, T)
            assert evaluated(name, values, 1000 * c, T) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_landesfeind_electrolyte_conducts_about_1_siemens_per_metre() -> None:
    values = made(entry("landesfeind_electrolyte", c_e=1000.0, system="EC:EMC (3:7)"))
    assert 0.8 < evaluated(KAPPA, values, 1000.0, 298.15) < 1.1


def test_landesfeind_electrolyte_in_ec_emc_is_that_of_pybamm() -> None:
    values = made(entry("landesfeind_electrolyte", c_e=1000.0, system="EC:EMC (3:7)"))
    c_e, T = pybamm.Scalar(800.0), pybamm.Scalar(305.0)
    for name, oracle in (
        (KAPPA, ORegan2022.electrolyte_conductivity_EC_EMC_3_7_Landesfeind2019),
        (D, ORegan2022.electrolyte_diffusivity_EC_EMC_3_7_Landesfeind2019),
        (FACTOR, ORegan2022.electrolyte_TDF_EC_EMC_3_7_Landesfeind2019),
        (TRANSFERENCE, ORegan2022.electrolyte_transference_number_EC_EMC_3_7_Landesfeind2019),
    ):
        assert evaluated(name, values, 800.0, 305.0) == pytest.approx(float(oracle(c_e, T).evaluate()), rel=1e-12)
