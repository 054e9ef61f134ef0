"""Real configurations, sent by the official client as dictionaries, run to completion; others are refused by name."""

from __future__ import annotations

from typing import Any

import ionworks_schema as iws
import orjson
import pandas as pd
import pytest

from tests.api import ROOT
from tests.clients.python.conftest import Connect
from tests.clients.python.official import ended
from tests.servers import Server

CURRENT_DENSITY = "Negative electrode reference exchange-current density [A.m-2]"
SITE = "Negative electrode host site standard potential (0) [V]"
CAPACITY = "Positive electrode capacity [A.h]"


def configuration(name: str) -> dict[str, Any]:
    [file] = (ROOT / "tests" / "data").glob(f"{name}_*.json")
    body: dict[str, Any] = orjson.loads(file.read_bytes())
    return body


@pytest.mark.parametrize(
    ("name", "element", "parameter", "truth", "tolerance"),
    [
        # 63104 * 0.665 * 75.6e-6 * 0.1027 * 96485.33 / 3600, and the true values of the other data
        ("a", "Qp", CAPACITY, 8.7323185, 1e-7),
        ("b", "fit", CURRENT_DENSITY, 3.0, 1e-3),
        ("b2", "fit", CURRENT_DENSITY, 3.0, 1e-3),
        ("c", "msmr", SITE, 0.088 - 0.025, 0.01),
    ],
    ids=["a", "b", "b2", "c"],
)
def test_it_comes_to_its_truth(
    battery: Server, connect: Connect, name: str, element: str, parameter: str, truth: float, tolerance: float
) -> None:
    client = connect(battery)
    config = configuration(name)
    made = client.pipeline.create(config)
    assert (made.name, ended(client, made.id, 120).status) == (config["name"], "completed")
    assert client.pipeline.result(made.id).element(element)[parameter] == pytest.approx(truth, rel=tolerance)


def driven(data: Any) -> Any:
    return iws.objectives.CurrentDriven(data=data, options={"model": "SPMe"})


DISCHARGE = driven(pd.read_csv(iws.example_data("current_driven_discharge")))
DIFFUSIVITY = iws.Parameter("Negative particle diffusivity [m2.s-1]", 2e-14, (1e-15, 1e-13))
FIT: dict[str, Any] = {"parameters": {DIFFUSIVITY.name: DIFFUSIVITY}, "cost": iws.costs.RMSE()}
AGEING = iws.objectives.CycleAgeing(
    data=pd.read_csv(iws.example_data("cycle_ageing_summary")),
    options={"model": "SPMe", "experiment": {"cycles": []}, "objective variables": ["LLI [%]"]},
)


@pytest.mark.parametrize(
    ("element", "message"),
    [
        (iws.ArrayDataFit(objectives={298.15: DISCHARGE}, **FIT), "array_data_fit"),
        (iws.DataFit(objectives={"ageing": AGEING}, **FIT), "CycleAgeing"),
        (iws.DataFit(objectives={"o": DISCHARGE}, optimizer=iws.optimizers.PSO(), **FIT), "PSO"),
        (iws.DataFit(objectives={"o": driven("db:1")}, **FIT), "The measurement 1 does not exist."),
    ],
    ids=["ArrayDataFit", "CycleAgeing", "PSO", "stored data"],
)
def test_what_is_not_supported_is_shown_by_name(battery: Server, connect: Connect, element: Any, message: str) -> None:
    client = connect(battery)
    made = client.pipeline.create(iws.Pipeline({"fit": element}))
    done = ended(client, made.id, 60)
    assert (done.status, done.is_failed) == ("failed", True)
    assert message in done.error


def test_values_that_do_not_fit_together_are_shown(battery: Server, connect: Connect) -> None:
    """Worked example of ionworks-api whose loading fits no electrode."""
    known = {
        "Maximum concentration in negative electrode [mol.m-3]": 3600 / 96485,
        "Negative electrode loading [A.h.cm-2]": 2,
        "Negative electrode thickness [m]": 0.3,
    }
    fraction = {"calculation": "ElectrodeVolumeFractionFromLoading", "electrode": "negative", "method": "loading"}
    elements = {
        "entry": {"values": known, "element_type": "entry"},
        "calculation": {**fraction, "element_type": "calculation"},
    }
    client = connect(battery)
    done = ended(client, client.pipeline.create({"elements": elements}).id, 60)
    assert "comes out as 66666.4, which is no fraction" in done.error
