"""Fit an exchange-current density to a discharge, by Ionworks' own client, and plot the model against the data.

A server must run, and these must be installed:

    make run
    pip install ionworks-api matplotlib
    python examples/fit_current_driven.py

The client reads where the server is, and which API key it wants, from IONWORKS_API_URL and IONWORKS_API_KEY.
"""

import os
import sys

import ionworks_schema as iws
import matplotlib
import pandas as pd
import pybamm
from ionworks import Ionworks

CURRENT_DENSITY = "Negative electrode reference exchange-current density [A.m-2]"


def pipeline() -> iws.Pipeline:
    """Chen2020 with Butler-Volmer kinetics of its own, whose reference current density is to be found."""
    cell = pybamm.ParameterValues("Chen2020")
    cell["Negative electrode reaction activation energy [J.mol-1]"] = 0.0
    # A discharge at C/2 that comes with ionworks-schema: simulated, with 3 A/m2. Put your own measurement here.
    measured = pd.read_csv(iws.example_data("current_driven_discharge"))
    objective = iws.objectives.CurrentDriven(
        data=measured, options=iws.objectives.CurrentDrivenOptions(model=pybamm.lithium_ion.SPMe())
    )
    fit = iws.DataFit(
        objectives={"0.5 C": objective},
        parameters={CURRENT_DENSITY: iws.Parameter(CURRENT_DENSITY, initial_value=1.0, bounds=(0.1, 10.0))},
        cost=iws.costs.RMSE(),
        optimizer=iws.optimizers.ScipyMinimize(method="Nelder-Mead", max_iterations=20),
    )
    elements = {
        "known": iws.direct_entries.DirectEntry(parameters=cell, source="Chen et al. 2020"),
        "kinetics": iws.direct_entries.arrhenius_butler_volmer_exchange_current_density(electrode="negative"),
        "fit": fit,
    }
    return iws.Pipeline(elements, name="Exchange-current density from a C/2 discharge")


def main(file: str = "fit_current_driven.png") -> None:
    """Run the pipeline, print what it found, and write the plot to a file."""
    client = Ionworks(
        api_url=os.environ.get("IONWORKS_API_URL", "http://127.0.0.1:8000"),
        api_key=os.environ.get("IONWORKS_API_KEY", "none: a server without keys takes any"),
        project_id="examples",
    )
    made = client.pipeline.create(pipeline())
    if made.status == "pending":  # the server has no VOLTGRAPH_START_ON_CREATE
        client.post(f"/pipelines/{made.id}/start", {})
    client.pipeline.wait_for_completion(made.id, poll_interval=1)
    fit = client.pipeline.result(made.id).element("fit")
    print(f"{CURRENT_DENSITY}: {fit[CURRENT_DENSITY]:.4g}, from {fit.initial_guess[CURRENT_DENSITY]:.4g}")
    matplotlib.use("agg")
    figure, _ = fit.plot_fit_results()["0.5 C"]
    figure.savefig(file, dpi=150)
    print(f"The model against the data: {file}")


if __name__ == "__main__":
    main(*sys.argv[1:2])
