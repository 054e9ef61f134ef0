"""Calculations with inputs and expected values, computed by hand in the comments."""

from __future__ import annotations

from typing import Any

from tests.battery.work import calculation

P = "Positive electrode "
N = "Negative electrode "
C_P = "Maximum concentration in positive electrode [mol.m-3]"
C_N = "Maximum concentration in negative electrode [mol.m-3]"
CAPACITY_INPUTS = {
    C_P: 51217.0,
    f"{P}active material volume fraction": 0.65,
    f"{P}thickness [m]": 80e-6,
    "Electrode area [m2]": 0.1,
}
WINDOWS = {
    f"{N}stoichiometry at 0% SOC": 0.05,
    f"{N}stoichiometry at 100% SOC": 0.95,
    f"{P}stoichiometry at 0% SOC": 0.9,
    f"{P}stoichiometry at 100% SOC": 0.3,
    C_N: 28000.0,
    C_P: 50000.0,
}
MASS_INPUTS = {
    "Electrode height [m]": 0.5,
    "Electrode width [m]": 0.2,
    f"{N}thickness [m]": 100e-6,
    f"{N}active material volume fraction": 0.6,
    f"{N}active material density [kg.m-3]": 2200.0,
    f"{N}porosity": 0.3,
    f"{N}carbon-binder density [kg.m-3]": 1800.0,
    f"{P}thickness [m]": 100e-6,
    f"{P}active material volume fraction": 0.6,
    f"{P}active material density [kg.m-3]": 4800.0,
    f"{P}porosity": 0.3,
    f"{P}carbon-binder density [kg.m-3]": 1800.0,
    "Electrolyte density [kg.m-3]": 1200.0,
    "Separator thickness [m]": 20e-6,
    "Separator density [kg.m-3]": 400.0,
    "Negative current collector thickness [m]": 10e-6,
    "Negative current collector density [kg.m-3]": 8960.0,
    "Positive current collector thickness [m]": 10e-6,
    "Positive current collector density [kg.m-3]": 2700.0,
}
SLOPES_2D = {
    "Diffusivity at SOC 0, Temperature [K] 273.15 [m2.s-1]": 1.0,
    "Diffusivity SOC-slope from SOC 0 to 1 at Temperature [K] 273.15 [m2.s-1]": 2.0,
    "Diffusivity Temperature [K]-slope from Temperature [K] 273.15 to 323.15 at SOC 0 [m2.s-1]": 0.1,
    "Diffusivity Temperature [K]-slope from Temperature [K] 273.15 to 323.15 at SOC 1 [m2.s-1]": 0.2,
}
AXES = {
    "base_parameter_name": "Diffusivity [m2.s-1]",
    "breakpoint1_values": [0.0, 1.0],
    "breakpoint1_parameter_name": "SOC",
    "breakpoint2_values": [273.15, 323.15],
    "breakpoint2_parameter_name": "Temperature [K]",
}
MSMR = {
    "Ambient temperature [K]": 298.15,
    f"{N}host site occupancy fraction (0)": 1.0,
    f"{N}host site standard potential (0) [V]": 0.1,
    f"{N}host site ideality factor (0)": 2.0,
}
LUMPED = {"Cell specific heat capacity [J.kg-1.K-1]": 1000.0, "Cell density [kg.m-3]": 2500.0}
COMPONENTS = ("Negative current collector", "Negative electrode", "Separator", "Positive electrode")

CASES: list[tuple[dict[str, Any], dict[str, Any], dict[str, float]]] = [
    (
        calculation("AreaToSquareWidthHeight"),
        {"Electrode area [m2]": 0.01},
        {"Electrode height [m]": 0.1, "Electrode width [m]": 0.1},
    ),
    # 0.1 m2 of, in kg/m2: (0.6 * 2200 + 0.3 * 1200 + 0.1 * 1800) * 1e-4 = 0.186; (0.6 * 4800 + 0.3 * 1200 + 0.1 * 1800)
    # * 1e-4 = 0.342; 2e-5 * 400 = 0.008; 1e-5 * 8960 = 0.0896; 1e-5 * 2700 = 0.027. Together 0.6526.
    (calculation("CellMass"), MASS_INPUTS, {"Cell mass [kg]": 0.06526}),
    (
        calculation("CellMass"),
        MASS_INPUTS | {"Number of electrodes connected in parallel to make a cell": 10},
        {"Cell mass [kg]": 0.6526},
    ),
    # 0.8 * 6 + 0.3 * 8
    (
        calculation("CyclableLithium"),
        {
            "Initial stoichiometry in negative electrode": 0.8,
            "Initial stoichiometry in positive electrode": 0.3,
            f"{N}capacity [A.h]": 6.0,
            f"{P}capacity [A.h]": 8.0,
        },
        {"Cyclable lithium capacity [A.h]": 7.2},
    ),
    # 0.9 * 8
    (
        calculation("CyclableLithium", method="formation loss", options={"particle phases": ["1", "1"]}),
        {"Formation lithium loss": 0.9, f"{P}capacity [A.h]": 8.0},
        {"Cyclable lithium capacity [A.h]": 7.2},
    ),
    (
        calculation("DensityFromVolumeAndMass"),
        {"Cell mass [kg]": 0.07, "Cell volume [m3]": 2.8e-5},
        {"Cell density [kg.m-3]": 2500.0},
    ),
    # 51217 * 0.65 * 80e-6 * 0.1 * 96485.332 / 3600
    (calculation("ElectrodeCapacity", electrode="positive"), CAPACITY_INPUTS, {f"{P}capacity [A.h]": 7.13798}),
    (
        calculation("ElectrodeCapacity", electrode="positive"),
        CAPACITY_INPUTS | {"Number of electrodes connected in parallel to make a cell": 2},
        {f"{P}capacity [A.h]": 14.27596},
    ),
    # the same, for the thickness of 7.13798 A.h
    (
        calculation("ElectrodeCapacity", electrode="positive"),
        {k: v for k, v in CAPACITY_INPUTS.items() if "thickness" not in k} | {f"{P}capacity [A.h]": 7.13798},
        {f"{P}thickness [m]": 80e-6},
    ),
    # and for the area
    (
        calculation("ElectrodeCapacity", electrode="positive"),
        {k: v for k, v in CAPACITY_INPUTS.items() if "area" not in k} | {f"{P}capacity [A.h]": 7.13798},
        {"Electrode area [m2]": 0.1},
    ),
    # 7.13798 A.h over 1000 cm2; no area is needed
    (
        calculation("ElectrodeCapacity", electrode="positive"),
        {k: v for k, v in CAPACITY_INPUTS.items() if k != C_P and "area" not in k}
        | {f"{P}loading [A.h.cm-2]": 7.13798e-3},
        {C_P: 51217.0},
    ),
    (
        calculation("ElectrodeCapacity", electrode="positive", method="loading"),
        CAPACITY_INPUTS,
        {f"{P}loading [A.h.cm-2]": 7.13798e-3},
    ),
    # 7.13798 * (0.9 - 0.3)
    (
        calculation("ElectrodeCapacity", electrode="positive", use_stoich_window=True),
        CAPACITY_INPUTS | {k: v for k, v in WINDOWS.items() if "stoichiometry" in k},
        {f"{P}capacity [A.h]": 4.282788},
    ),
    # the positive electrode is emptiest at 100%: 0.9 - 4.282788 / 7.13798
    (
        calculation("ElectrodeCapacity", electrode="positive", use_stoich_window=True),
        CAPACITY_INPUTS | {f"{P}stoichiometry at 0% SOC": 0.9, f"{P}capacity [A.h]": 4.282788},
        {f"{P}stoichiometry at 100% SOC": 0.3},
    ),
    # the prefix that PyBaMM gives a phase of a composite electrode; thickness and area are the electrode's
    (
        calculation("ElectrodeCapacity", electrode="positive", phase="primary"),
        {(k if "thickness" in k or "area" in k else f"Primary: {k}"): v for k, v in CAPACITY_INPUTS.items()},
        {f"Primary: {P}capacity [A.h]": 7.13798},
    ),
    # 0.003 * 1e4 / (80e-6 * 51217 * 96485.332 / 3600) = 30 / 109.815
    (
        calculation("ElectrodeVolumeFractionFromLoading", electrode="positive", method="loading"),
        {f"{P}loading [A.h.cm-2]": 0.003, f"{P}thickness [m]": 80e-6, C_P: 51217.0},
        {f"{P}active material volume fraction": 0.273187},
    ),
    # (1 - 0.3) * 0.95
    (
        calculation("ElectrodeVolumeFractionFromPorosity", electrode="positive"),
        {f"{P}porosity": 0.3, f"{P}active volume fraction of solid": 0.95},
        {f"{P}active material volume fraction": 0.665},
    ),
    (
        calculation("HalfCellNominalCapacity", electrode="positive"),
        {f"{P}capacity [A.h]": 3.0},
        {"Nominal cell capacity [A.h]": 3.0, "Current function [A]": 3.0},
    ),
    # 0.4 * 50000
    (
        calculation("InitialConcentrationFromInitialStoichiometryHalfCell", electrode="positive"),
        {"Initial stoichiometry in positive electrode": 0.4, C_P: 50000.0},
        {"Initial concentration in positive electrode [mol.m-3]": 20000.0},
    ),
    (
        calculation(
            "InitialConcentrationFromInitialStoichiometryHalfCell", electrode="positive", options={"phase": "secondary"}
        ),
        {"Secondary: Initial stoichiometry in positive electrode": 0.4, f"Secondary: {C_P}": 50000.0},
        {"Secondary: Initial concentration in positive electrode [mol.m-3]": 20000.0},
    ),
    # 0.05 + 0.5 * 0.9 = 0.5 of 28000; 0.9 - 0.5 * 0.6 = 0.6 of 50000
    (
        calculation("InitialSOC", soc=0.5),
        WINDOWS,
        {
            "Initial stoichiometry in negative electrode": 0.5,
            "Initial concentration in negative electrode [mol.m-3]": 14000.0,
            "Initial stoichiometry in positive electrode": 0.6,
            "Initial concentration in positive electrode [mol.m-3]": 30000.0,
        },
    ),
    (
        calculation("InitialSOCHalfCell", electrode="positive", soc="100%"),
        WINDOWS,
        {
            "Initial stoichiometry in positive electrode": 0.3,
            "Initial concentration in positive electrode [mol.m-3]": 15000.0,
        },
    ),
    (
        calculation("InitialSOCHalfCell", electrode="negative", soc=0.25),
        WINDOWS,
        {
            "Initial stoichiometry in negative electrode": 0.275,
            "Initial concentration in negative electrode [mol.m-3]": 7700.0,
        },
    ),
    # pi * 0.009^2 * 0.065; 2 pi * 0.009 * 0.074
    (
        calculation("JellyRollThermalDimensions"),
        {"Jelly roll radius [m]": 0.009, "Jelly roll height [m]": 0.065},
        {"Cell volume [m3]": 1.654049e-5, "Cell cooling surface area [m2]": 4.184601e-3},
    ),
    (
        calculation("LumpedHeatCapacityAndDensity"),
        LUMPED,
        {f"{each} specific heat capacity [J.kg-1.K-1]": 1000.0 for each in (*COMPONENTS, "Positive current collector")}
        | {f"{each} density [kg.m-3]": 2500.0 for each in (*COMPONENTS, "Positive current collector")},
    ),
    (
        calculation("OpenCircuitLimits"),
        {"Lower voltage cut-off [V]": 2.5, "Upper voltage cut-off [V]": 4.2},
        {"Open-circuit voltage at 0% SOC [V]": 2.5, "Open-circuit voltage at 100% SOC [V]": 4.2},
    ),
    (
        calculation("PorosityFromElectrodeVolumeFraction", electrode="negative"),
        {f"{N}active material volume fraction": 0.665},
        {f"{N}porosity": 0.335},
    ),
    # 1 - 0.665 / 0.95
    (
        calculation("PorosityFromElectrodeVolumeFraction", electrode="negative"),
        {f"{N}active material volume fraction": 0.665, f"{N}active volume fraction of solid": 0.95},
        {f"{N}porosity": 0.3},
    ),
    # 0.1 * 0.08 * 0.006; 2 (0.1 * 0.08 + 0.1 * 0.006 + 0.08 * 0.006)
    (
        calculation("PouchCellThermalDimensions"),
        {"Pouch height [m]": 0.1, "Pouch width [m]": 0.08, "Pouch thickness [m]": 0.006},
        {"Cell volume [m3]": 4.8e-5, "Cell cooling surface area [m2]": 0.01816},
    ),
    # 500; + 1000 * 0.5; + 2000 * 0.5
    (
        calculation(
            "SlopesToKnots",
            base_parameter_name="Particle diffusion time [s]",
            breakpoint_values=[0.0, 0.5, 1.0],
            breakpoint_parameter_name="SOC",
        ),
        {
            "Particle diffusion time at SOC 0 [s]": 500.0,
            "Particle diffusion time slope from SOC 0 to 0.5 [s]": 1000.0,
            "Particle diffusion time slope from SOC 0.5 to 1 [s]": 2000.0,
        },
        {
            "Particle diffusion time at SOC 0 [s]": 500.0,
            "Particle diffusion time at SOC 0.5 [s]": 1000.0,
            "Particle diffusion time at SOC 1 [s]": 2000.0,
        },
    ),
    # first row 1, 1 + 2 * 1; 50 K up, + 0.1 * 50 at SOC 0 and + 0.2 * 50 at SOC 1
    (
        calculation("SlopesToKnots2D", **AXES),
        SLOPES_2D,
        {
            "Diffusivity at SOC 0, Temperature [K] 273.15 [m2.s-1]": 1.0,
            "Diffusivity at SOC 1, Temperature [K] 273.15 [m2.s-1]": 3.0,
            "Diffusivity at SOC 0, Temperature [K] 323.15 [m2.s-1]": 6.0,
            "Diffusivity at SOC 1, Temperature [K] 323.15 [m2.s-1]": 13.0,
        },
    ),
    (
        calculation("SpecificHeatCapacity"),
        {"Cell heat capacity [J.K-1]": 50.0, "Cell mass [kg]": 0.05},
        {"Cell specific heat capacity [J.kg-1.K-1]": 1000.0},
    ),
    # 3 * 0.65 / 5e-6
    (
        calculation("SurfaceAreaToVolumeRatio", electrode="positive"),
        {f"{P}active material volume fraction": 0.65, "Positive particle radius [m]": 5e-6},
        {f"{P}surface area to volume ratio [m-1]": 390000.0},
    ),
]
