"""Worked examples of the official packages, sent by the official client: the fits recover the truths of the data.

ionworks-schema documents four examples and contains their data (`iws.example_data`), whose generators state the truths.
Three of them are tested here; the fourth, on cycle ageing, is refused by name. ionworks-api has six in an older form of
configuration; the one with all kinds of elements is tested here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ionworks_schema as iws
import pandas as pd
import pybamm
import pytest

from tests.battery.work import parameter_set
from tests.clients.python.conftest import Connect
from tests.clients.python.official import ended
from tests.servers import Server

CURRENT_DENSITY = "Negative electrode reference exchange-current density [A.m-2]"
ACTIVATION = "Negative electrode reaction activation energy [J.mol-1]"
NEGATIVE, POSITIVE = "Negative particle diffusivity [m2.s-1]", "Positive particle diffusivity [m2.s-1]"
FRACTION = "Negative electrode active material volume fraction"
SITE = "Negative electrode host site"


def completed(battery: Server, connect: Connect, pipeline: Any) -> Any:
    """Return the result of a pipeline that must complete."""
    client = connect(battery)
    made = client.pipeline.create(pipeline)
    done = ended(client, made.id, 120)
    assert done.status == "completed", done.error
    return client.pipeline.result(made.id)


def kinetics(objective: Any) -> iws.Pipeline:
    """Chen2020 with an unknown reference exchange-current density, whose true value is 3 A/m2."""
    known = pybamm.ParameterValues("Chen2020")
    known[ACTIVATION] = 0.0
    entries = iws.direct_entries
    fit = iws.DataFit(
        objectives={"measured": objective},
        parameters={CURRENT_DENSITY: iws.Parameter(CURRENT_DENSITY, initial_value=1.0, bounds=(0.1, 10.0))},
        cost=iws.costs.RMSE(),
        optimizer=iws.optimizers.ScipyMinimize(method="Nelder-Mead", max_iterations=20),
    )
    return iws.Pipeline(
        {
            "known": entries.DirectEntry(parameters=known),
            "j0_function": entries.arrhenius_butler_volmer_exchange_current_density(electrode="negative"),
            "fit": fit,
        }
    )


def test_a_discharge(battery: Server, connect: Connect) -> None:
    objective = iws.objectives.CurrentDriven(
        data=pd.read_csv(iws.example_data("current_driven_discharge")),
        options=iws.objectives.CurrentDrivenOptions(model=pybamm.lithium_ion.SPMe()),
    )
    fit = completed(battery, connect, kinetics(objective)).element("fit")
    assert fit[CURRENT_DENSITY] == pytest.approx(3.0, rel=1e-3)
    assert fit.cost < 1e-5
    assert fit.overlay["measured"]["type"] == "CurrentDriven"


def test_an_impedance(battery: Server, connect: Connect) -> None:
    model = pybamm.lithium_ion.DFN(options={"surface form": "differential"})
    objective = iws.objectives.EIS(
        data=pd.read_csv(iws.example_data("eis_synthetic")), options=iws.objectives.EISOptions(model=model)
    )
    fit = completed(battery, connect, kinetics(objective)).element("fit")
    assert fit[CURRENT_DENSITY] == pytest.approx(3.0, rel=1e-3)
    [nyquist] = fit.overlay["measured"]["plots"]
    assert nyquist["layout"]["yaxis"]["title"]["text"] == "-Z_Im [Ohm]"


def bounded(name: str, value: float) -> Any:
    """Parameter of an MSMR electrode, with the example's bounds around its initial guess."""
    if "ideality" in name:
        return iws.transforms.Log10(iws.Parameter(name, initial_value=value, bounds=(0.01, 100.0)))
    if "potential" in name:
        prior = iws.stats.Normal(mean=value, std=0.01)
        return iws.Parameter(name, initial_value=value, bounds=(value - 0.2, value + 0.2), prior=prior)
    if "occupancy" in name:
        return iws.Parameter(name, initial_value=value, bounds=(max(0.0, value - 0.1), min(1.0, value + 0.1)))
    return iws.Parameter(name, initial_value=value, bounds=(0.98 * value, 1.02 * value))


def test_an_msmr_electrode(battery: Server, connect: Connect) -> None:
    data = pd.read_csv(iws.example_data("msmr_half_cell_ocp"))
    library = iws.Material.from_library("Graphite - Verbrugge 2017").parameter_values
    guesses = pybamm.scalarize_dict({name: value for name, value in library.items() if "host site" in name})
    capacity = float(data["Capacity [A.h]"].max() - data["Capacity [A.h]"].min())
    windows = {
        "Negative electrode capacity [A.h]": capacity,
        "Negative electrode lower excess capacity [A.h]": 0.01 * capacity,
    }
    model = iws.models.MSMRHalfCellModel(electrode="negative", options={"species format": "Xj"})
    options = iws.objectives.MSMRHalfCellOptions(model=model)
    fit = iws.DataFit(
        objectives={"msmr": iws.objectives.MSMRHalfCell(data=data, options=options)},
        parameters={name: bounded(name, value) for name, value in {**guesses, **windows}.items()},
        optimizer=iws.optimizers.ScipyLeastSquares(max_nfev=50),
    )
    known = iws.direct_entries.DirectEntry(parameters={"Ambient temperature [K]": 298.15})
    found = completed(battery, connect, iws.Pipeline({"known": known, "msmr": fit})).element("msmr")
    for site in range(6):
        potential, ideality = f"{SITE} standard potential ({site}) [V]", f"{SITE} ideality factor ({site})"
        assert found[potential] == pytest.approx(guesses[potential] - 0.025, rel=0.01)
        assert found[ideality] == pytest.approx(guesses[ideality] * 1.05, rel=0.01)
    assert found["Negative electrode capacity [A.h]"] == pytest.approx(1.0, rel=0.01)


def discharge(rate: float, file: Path) -> str:
    """A reference to a file with a discharge of Chen2020 by an SPMe, as the client reads it."""
    experiment = pybamm.Experiment([pybamm.step.c_rate(rate, termination="2.5 V", period=60)])
    cell = pybamm.ParameterValues("Chen2020")
    solution = pybamm.Simulation(pybamm.lithium_ion.SPMe(), parameter_values=cell, experiment=experiment).solve()
    names = ["Time [s]", "Current [A]", "Voltage [V]"]
    pd.DataFrame({name: solution[name].data for name in names}).to_csv(file, index=False)
    return f"file:{file}"


def driven(reference: str) -> dict[str, Any]:
    """Objective in the older form."""
    return {"objective": "CurrentDriven", "model": {"type": "SPMe"}, "data": {"data": reference}}


@pytest.mark.slow
@pytest.mark.parallel
def test_all_kinds_of_elements_in_the_older_form(battery: Server, connect: Connect, tmp_path: Path) -> None:
    quick, slow = discharge(1.0, tmp_path / "1C.csv"), discharge(0.5, tmp_path / "0.5C.csv")
    known = parameter_set("Chen2020") | {"Negative electrode loading [A.h.cm-2]": 0.00568}
    fraction = {"calculation": "ElectrodeVolumeFractionFromLoading", "electrode": "negative", "method": "loading"}
    fit = {
        "objectives": {"test": driven(quick) | {"parameters": {"Ambient temperature [K]": 298.15}}},
        "parameters": {
            NEGATIVE: {"bounds": (1e-14, 1e-13), "initial_value": 2e-14},
            POSITIVE: {"bounds": (1e-15, 1e-14), "initial_value": 2e-15},
        },
        "cost": {"type": "RMSE"},
        "optimizer": {"type": "ScipyDifferentialEvolution"},
    }
    statistics = {"summary_stats": [{"type": "RMSE"}, {"type": "MAE"}, {"type": "Max"}]}
    elements = {
        "load file": {"values": known, "element_type": "entry"},
        "volume fraction": fraction | {"element_type": "calculation"},
        "fit data": fit | {"element_type": "data_fit"},
        "validate": {"objectives": {"test": driven(slow)}, **statistics, "element_type": "validation"},
    }
    result = completed(battery, connect, {"name": "API Demo Pipeline", "elements": elements})
    # The example's rounded loading makes the electrode a thousandth larger than the one of the data.
    assert result.element("volume fraction").parameter_values == pytest.approx({FRACTION: 0.75}, rel=2e-3)
    assert result.element("fit data")[NEGATIVE] == pytest.approx(3.3e-14, rel=0.1)
    assert result.element("fit data")[POSITIVE] == pytest.approx(4e-15, rel=0.01)
    assert result.element_results["validate"]["summary_stats"]["test"]["RMSE"]["Voltage [V]"] < 5e-3
