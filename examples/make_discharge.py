"""Make examples/discharge.csv: a simulated 1C discharge of the cell Chen2020, as a cycler might export it.

The data are synthetic, so that the truth is known: the SPMe of PyBaMM with a positive particle diffusivity of
6e-15 m2/s instead of 4e-15, and noise of 0.5 mV (standard deviation). The current is negative while the cell
discharges, as many cyclers log it.

    python examples/make_discharge.py examples/discharge.csv
"""

import sys

import numpy as np
import pybamm

PARAMETER = "Positive particle diffusivity [m2.s-1]"
TRUTH = 6e-15
NOISE = 5e-4
REST, END, EVERY, CURRENT = 60.0, 3_000.0, 5.0, 5.0
STEP = 0.1


def rows() -> np.ndarray:
    """Return time [s], current [A] and voltage [V], in rows."""
    time = np.concatenate([np.arange(0, REST, EVERY), [REST, REST + STEP], np.arange(REST + EVERY, END, EVERY)])
    current = np.where(time <= REST, 0.0, CURRENT)
    values = pybamm.ParameterValues("Chen2020")
    values[PARAMETER] = TRUTH
    values["Current function [A]"] = pybamm.Interpolant(time, current, pybamm.t)
    solver = pybamm.IDAKLUSolver(rtol=1e-8, atol=1e-10)
    simulation = pybamm.Simulation(pybamm.lithium_ion.SPMe(), parameter_values=values, solver=solver)
    solution = simulation.solve(np.array([0.0, REST, REST + STEP, time[-1]]), t_interp=time)
    noise = np.random.default_rng(2026).normal(0, NOISE, time.size)
    return np.column_stack([time, 0.0 - current, solution["Voltage [V]"](time) + noise])


def main(file: str) -> None:
    """Write the file."""
    np.savetxt(
        file,
        rows(),
        fmt=("%.1f", "%.3f", "%.5f"),
        delimiter=",",
        header="Time (s),Current (A),Voltage (V)",
        comments="",
    )


if __name__ == "__main__":
    main(sys.argv[1])
