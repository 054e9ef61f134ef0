"""Calls of the official client to other parts of the hosted platform get a 404 with an explanation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.clients.python.official import ionworks

CALLS: dict[str, Callable[[Any], Any]] = {
    "analysis": lambda client: client.analysis.get("x"),
    "capabilities": lambda client: client.capabilities(),
    "cell_batch": lambda client: client.cell_batch.list("x"),
    "channel": lambda client: client.channel.list("x"),
    "cycler": lambda client: client.cycler.list("x"),
    "ecm": lambda client: client.ecm.list_examples(),
    "electrolyte": lambda client: client.electrolyte.transport_from_dataset("x"),
    "lab": lambda client: client.lab.status("x"),
    "material": lambda client: client.material.list(),
    "material_property_dataset": lambda client: client.material_property_dataset.get("x"),
    "model": lambda client: client.model.list(),
    "model_builder": lambda client: client.model_builder.list(),
    "optimization": lambda client: client.optimization.list(),
    "organization": lambda client: client.organization.members(),
    "parameterized_model": lambda client: client.parameterized_model.get("x"),
    "planned_measurement": lambda client: client.planned_measurement.get("x"),
    "project": lambda client: client.project.list(),
    "protocol": lambda client: client.protocol.validate("steps: []"),
    "pybamm_models": lambda client: client.pybamm_models(),
    "raw_data": lambda client: client.raw_data.get("x"),
    "schema": lambda client: client.schema("data"),
    "search": lambda client: client.search.query("x"),
    "simple_pipeline": lambda client: client.simple_pipeline.list(),
    "simulation": lambda client: client.simulation.get("x"),
    "site": lambda client: client.site.list(),
    "study": lambda client: client.study.list(),
    "validate_pybamm_model_config": lambda client: client.validate_pybamm_model_config("SPM"),
}


@pytest.mark.filterwarnings("ignore:client.simple_pipeline:DeprecationWarning")
@pytest.mark.parametrize("name", CALLS)
def test_it_is_not_here(client: Any, name: str) -> None:
    with pytest.raises(ionworks.IonworksError, match=r"No endpoint at /.*Voltgraph has pipelines") as raised:
        CALLS[name](client)
    assert (raised.value.status_code, raised.value.error_code) == (404, "NOT_FOUND")
