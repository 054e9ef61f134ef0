"""Fit of an SPM to measured voltages by PyBOP: reads a task from standard input, writes the results to standard output.

The task holds `set` (a parameter set of PyBaMM), `parameters` (initial value and bounds by name), `noise` [V] and
`data` (columns by name, for each fit). The results are estimates and standard errors by name for each fit.

It runs in PyBOP's interpreter, whose numpy is older.
"""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stdout
from typing import Any

import numpy as np
import pybamm
import pybop  # type: ignore[import-not-found]

STEP = 1e-2
"""Initial step of the differences for curvatures, as a share of each estimate."""


def fit(task: dict[str, Any], columns: dict[str, Any]) -> dict[str, Any]:
    dataset = pybop.Dataset({name: np.array(column) for name, column in columns.items()})
    likelihood = pybop.GaussianLogLikelihoodKnownSigma(dataset, sigma=task["noise"])
    options = pybop.SciPyMinimizeOptions(method="Nelder-Mead", jac=False, tol=1e-9)
    result = pybop.SciPyMinimize(pybop.Problem(simulator(task, dataset), likelihood), options=options).run()
    errors = STEP * result.x
    for _ in range(2):  # the second time with steps chosen from the noise of the likelihood
        curvature = pybop.classify_using_hessian(result, dx=errors, normalise=False)["cfd_hessian"]
        errors = np.sqrt(np.diag(np.linalg.inv(-curvature)))
    names = list(result.best_inputs)
    return {
        "estimates": dict(zip(names, result.x.tolist(), strict=True)),
        "standard_errors": dict(zip(names, errors.tolist(), strict=True)),
    }


def simulator(task: dict[str, Any], dataset: Any) -> Any:
    values = pybamm.ParameterValues(task["set"])
    for name, parameter in task["parameters"].items():
        values[name] = pybop.Parameter(
            initial_value=parameter["initial_value"],
            bounds=parameter["bounds"],
            transformation=pybop.LogTransformation(),
        )
    return pybop.pybamm.Simulator(
        pybamm.lithium_ion.SPM(),
        parameter_values=values,
        protocol=dataset,
        solver=pybamm.IDAKLUSolver(rtol=1e-8, atol=1e-10),
    )


if __name__ == "__main__":
    task = json.load(sys.stdin)
    with redirect_stdout(sys.stderr):  # PyBOP prints
        fits = [fit(task, columns) for columns in task["data"]]
    json.dump({"version": pybop.__version__, "fits": fits}, sys.stdout)
