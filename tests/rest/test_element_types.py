"""Element types: wire words and display labels as input, display labels as output."""

from __future__ import annotations

import pytest

from tests.api import Api
from tests.rest.requests import created

LABELS = {
    "entry": "Direct Entry",
    "Direct Entry": "Direct Entry",
    "data_fit": "Data Fit",
    "Data Fit": "Data Fit",
    "datafit": "Data Fit",
    "array_data_fit": "Data Fit",
    "Array Data Fit": "Data Fit",
    "arraydatafit": "Data Fit",
    "linear_confidence_interval": "Data Fit",
    "Linear Confidence Interval": "Data Fit",
    "sobol_sensitivity": "Data Fit",
    "Sobol Sensitivity": "Data Fit",
    "calculation": "Calculation",
    "Calculation": "Calculation",
    "validation": "Validation",
    "Validation": "Validation",
}


async def test_every_word_is_answered_by_its_label(shared: Api) -> None:
    detail = await created(shared, elements={word: {"element_type": word} for word in LABELS})
    assert {element["name"]: element["element_type"] for element in detail["elements"]} == LABELS


async def test_the_configuration_keeps_the_word_that_was_sent(shared: Api) -> None:
    detail = await created(shared, elements={word: {"element_type": word, "x": 1} for word in LABELS})
    assert [element["job_config"] for element in detail["elements"]] == [{"element_type": w, "x": 1} for w in LABELS]


@pytest.mark.parametrize("word", ["", "fit", "optimisation", "data-fit", "DIRECT_ENTRIES", None, 1, ["entry"], {}])
async def test_another_word_is_none(shared: Api, word: object) -> None:
    body = {"project_id": "p", "elements": {"odd": {"element_type": word}}}
    answer = await shared.http.post("/pipelines", json=body)
    assert answer.status_code == 422
    [fault] = answer.json()["detail"]
    assert fault["loc"] == ["body", "elements", "odd", "element_type"]
    assert "data_fit" in fault["msg"]
