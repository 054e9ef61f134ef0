"""Invalid parts of a configuration are refused with their places; unsupported ones by name."""

from __future__ import annotations

from typing import Any

import ionworks_schema
import pytest
from ionworks_schema import calculations, direct_entries

from app.battery.calculations import CALCULATIONS, REFUSED_CALCULATIONS
from app.battery.entries import ENTRIES, REFUSED_ENTRIES
from app.models.enums import JobErrorCode
from tests.battery.work import calculation, entry, failure, faults, places, values


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (entry(), [()]),
        (entry(values=[]), [("values",)]),
        (entry(values={}, vaules={}), [("vaules",)]),
        (entry(values={" ": 1}), [("values", " ")]),
        (entry(values={"a": 1}, source=5), [("source",)]),
        (entry(values={"a": 1}, provenance={"a": {"path": "p"}}), [("provenance", "a", "value")]),
        (entry(pipeline_id="1", keep=["a"]), [("pipeline_id",), ("keep",)]),
        (entry(cell_spec_id="1", mapping={"a": "b"}), [("cell_spec_id",), ("mapping",)]),
        (entry(path="/etc/passwd"), [("path",)]),
        (entry("from_json", file_path="/etc/passwd"), [("name",)]),
        (entry("bruggeman", electrod=1), [("electrod",)]),
        (entry("bruggeman", electrode="1.5"), [("electrode",)]),
        (entry("bruggeman", values={"a": 1}), [("values",)]),
        (entry("average_ocp"), [("electrode",)]),
        (entry("average_ocp", electrode="lumped"), [("electrode",)]),
        (entry("landesfeind_electrolyte", c_e=1000.0, system="EC"), [("system",)]),
        (entry("nyman_electrolyte", c_e=-1), [("c_e",)]),
        (entry("arrhenius_particle_diffusivity", electrode="negative", direction="lithiation"), [("direction",)]),
        ({"element_type": "calculation"}, [("type",)]),
        (calculation("SurfaceAreaToVolumeRatio"), [("electrode",)]),
        (calculation("SurfaceAreaToVolumeRatio", electrode="lumped"), [("electrode",)]),
        (calculation("SurfaceAreaToVolumeRatio", electrode="positive", calculation="CellMass"), [("calculation",)]),
        (calculation("ElectrodeCapacity", electrode="positive", method="theoretical"), [("method",)]),
        (calculation("ElectrodeCapacity", electrode="positive", use_stoich_window=1), [("use_stoich_window",)]),
        (calculation("ElectrodeSOH", options={"known val": "cell capacity"}), [("options", "known val")]),
        (calculation("ElectrodeSOH", options={"known value": "guess"}), [("options", "known value")]),
        (calculation("ElectrodeSOH", options=[]), [("options",)]),
        (calculation("CyclableLithium", options={"particle phases": ["2", "1"]}), [("options", "particle phases")]),
        (calculation("CellMass", model_options={"particle phases": ["2", "1"]}), [("model_options",)]),
        (calculation("InitialSOC", soc=1.5), [("soc",)]),
        (calculation("InitialSOC", soc="50%"), [("soc",)]),
        (calculation("InitialSOCHalfCell", electrode="positive", soc="50%"), [("soc",)]),
        (
            calculation(
                "SlopesToKnots",
                base_parameter_name="D [s]",
                breakpoint_values=[0.0, 0.0],
                breakpoint_parameter_name="SOC",
            ),
            [("breakpoint_values",)],
        ),
    ],
)
def test_a_wrong_configuration_is_refused_at_its_place(
    config: dict[str, Any], expected: list[tuple[str | int, ...]]
) -> None:
    assert places(config) == expected
    assert failure(config).code is JobErrorCode.CONFIGURATION_ERROR


def test_all_problems_are_told_at_once() -> None:
    config = calculation("ElectrodeCapacity", electrode="both", method=5, phse="primary")
    assert set(places(config)) == {("electrode",), ("method",), ("phse",)}
    several = values(a=None, b={"$type": "os.abort"}, c="[input]") | {"sauce": 1}
    assert {place[:2] for place in places(several)} == {("values", "a"), ("values", "b"), ("values", "c"), ("sauce",)}


def test_a_failed_run_carries_each_fault_with_its_path() -> None:
    failed = failure(values(a=None))
    assert failed.detail == {"problems": [{"message": failed.message, "path": ["values", "a"]}]}


@pytest.mark.parametrize(
    "word",
    ["array_data_fit", "linear_confidence_interval", "sobol_sensitivity"],
)
def test_other_element_types_are_refused_by_name(word: str) -> None:
    (fault,) = faults({"element_type": word})
    assert fault.message.endswith("is not supported yet.")
    assert fault.path == ("element_type",)


def test_the_display_labels_of_element_types_are_known() -> None:
    assert places({"element_type": "Direct Entry", "values": {"a": 1}}) == []
    assert places({"element_type": "Calculation", "calculation": "OpenCircuitLimits"}) == []


def test_the_type_of_the_element_stands_in_where_the_configuration_has_none() -> None:
    assert places({"values": {"a": 1}}) == []


@pytest.mark.parametrize("name", sorted(REFUSED_CALCULATIONS))
def test_a_calculation_that_is_not_supported_is_refused_by_name(name: str) -> None:
    (fault,) = faults(calculation(name, electrode="positive", anything=1))
    assert fault.message.startswith(f"{name} is not supported: ")


@pytest.mark.parametrize("name", sorted(REFUSED_ENTRIES))
def test_an_entry_that_is_not_supported_is_refused_by_name(name: str) -> None:
    (fault,) = faults(entry(name=name))
    assert fault.message.startswith(f"{name} is not supported: ")


def test_everything_in_the_public_schema_is_supported_or_refused() -> None:
    bases = (calculations.Calculation, calculations.calculations._CalculationOptions)
    named = {each for each in calculations.__all__ if getattr(calculations, each) not in bases}
    named = {each for each in named if issubclass(getattr(calculations, each), calculations.Calculation)}
    assert set(CALCULATIONS) | set(REFUSED_CALCULATIONS) == named
    assert not set(CALCULATIONS) & set(REFUSED_CALCULATIONS)
    entries = {each for each in direct_entries.__all__ if ionworks_schema.entry_schema_for_name(each)}
    assert set(ENTRIES) | set(REFUSED_ENTRIES) == entries
    assert not set(ENTRIES) & set(REFUSED_ENTRIES)


def test_fields_are_those_of_the_public_schema() -> None:
    for name, recipe in CALCULATIONS.items():
        schema = getattr(calculations, name).model_fields
        assert set(recipe.fields) == set(schema) - {"source"}, name
    for name, recipe in ENTRIES.items():
        schema = ionworks_schema.entry_schema_for_name(name).model_fields
        assert set(recipe.fields) == set(schema) - set(direct_entries.DirectEntry.model_fields), name
