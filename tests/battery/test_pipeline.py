"""Pipeline from a datasheet to an electrode capacity: each element uses the values of those before it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ionworks_schema.results import PassthroughResult, from_config

from tests.battery.work import pipeline_faults, result

DATA = Path(__file__).parents[1] / "data"
ELEMENTS = json.loads((DATA / "a_entry_calculation.json").read_text())["elements"]
ADDED = {
    "datasheet": ELEMENTS["datasheet"]["values"],
    # sqrt(0.1027)
    "geometry": {"Electrode height [m]": 0.32046841, "Electrode width [m]": 0.32046841},
    # 63104 * 0.665 * 75.6e-6 * 0.1027 * 96485.33 / 3600
    "Qp": {"Positive electrode capacity [A.h]": 8.7323185},
    # 3 * 0.665 / 5.22e-6
    "surface": {"Positive electrode surface area to volume ratio [m-1]": 382183.908},
    "temps": {f"{which} temperature [K]": 298.15 for which in ("Reference", "Ambient", "Initial")},
    "brug": {
        "Negative electrode Bruggeman coefficient (electrode)": 0,
        "Positive electrode Bruggeman coefficient (electrode)": 0,
        "Negative electrode Bruggeman coefficient (electrolyte)": 1.5,
        "Positive electrode Bruggeman coefficient (electrolyte)": 1.5,
        "Separator Bruggeman coefficient (electrolyte)": 1.5,
    },
}


def test_each_element_adds_its_values() -> None:
    inputs: dict[str, float] = {}
    for name, config in ELEMENTS.items():
        outcome = result(config, inputs)
        assert outcome["parameter_values"] == pytest.approx(ADDED[name], rel=1e-7), name
        inputs |= outcome["parameter_values"]


def test_the_official_client_decodes_each_result() -> None:
    decoded = from_config(result(ELEMENTS["datasheet"]))
    assert isinstance(decoded, PassthroughResult)
    assert decoded["Electrode area [m2]"] == 0.1027


def test_a_result_carries_its_configuration_with_defaults_and_its_versions() -> None:
    outcome = result(ELEMENTS["brug"] | {"source": "assumed"})
    assert outcome["effective_config"] == ELEMENTS["brug"] | {"source": "assumed"}
    assert result({"element_type": "entry", "name": "temperatures"})["effective_config"]["T"] == 298.15
    assert set(outcome["versions"]) == {"pybamm", "ionworks-schema", "numpy", "scipy", "cma"}


def test_inline_values_keep_their_source_and_are_not_stored_twice() -> None:
    outcome = result(ELEMENTS["datasheet"])
    assert outcome["effective_config"] == {"element_type": "entry", "source": "Chen et al. 2020, Table VII"}


@pytest.mark.parametrize("file", sorted(DATA.glob("*.json")), ids=lambda file: file.stem)
def test_real_pipelines_are_taken(file: Path) -> None:
    found = pipeline_faults(json.loads(file.read_text())["elements"])
    assert not any(found.values()), found
