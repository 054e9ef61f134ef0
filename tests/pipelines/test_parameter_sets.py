"""Parameter sets as files: PyBaMM's JSON, CSV, and BPX by GraphQL and REST."""

from __future__ import annotations

import csv
import io
from typing import Any

import orjson
import pytest

from app.errors import RequestError, RequestErrorCode
from app.pipelines.results.parameter_sets import COLUMNS, ParameterSet, ParameterSetFormat, parameter_set
from app.pipelines.results.parsed import ParsedResult
from tests import completed
from tests.api import Api
from tests.pipelines.test_outcomes import FIT

HOSTILE = {
    "=1+1": 1.0,
    "@SUM(A1)": 2.0,
    "-2": -2.5,
    "+x": 3.0,
    ' =cmd|"/c calc"!A0': 4.0,
    'quote " and, comma': 5.0,
    "line\r\nbreak": 6.0,
    "\tx": 7.0,
    "text": "=2+2",
    "none": None,
}


class Exporter:
    """Exporter that returns what it is given."""

    async def bpx(self, values: Any, title: str, charge: Any) -> dict[str, Any]:
        return {"document": {"title": title, "values": values}, "omitted": [{"name": "a", "reason": "b"}]}


async def made(format: ParameterSetFormat, *results: Any, name: str = "Cell 7") -> ParameterSet:
    parsed = [(f"e{n}", ParsedResult(orjson.dumps(each).decode())) for n, each in enumerate(results)]
    found = await parameter_set(name, parsed, format, Exporter(), lambda seconds: None)
    assert found is not None
    return found


async def test_the_set_of_pybamm_is_what_results_hold() -> None:
    found = await made(ParameterSetFormat.PYBAMM, {"parameter_values": {"a": 1, "b": 2.5}}, FIT)
    values = orjson.loads(found.content)
    assert values == {"a": 1, "b": 2.5} | {
        name: each for name, each in FIT["parameter_values"].items() if each is not None
    }
    assert (found.file_name, found.media_type) == ("Cell-7.pybamm.json", "application/json")
    assert [each.name for each in found.omitted] == ["none"]


async def test_csv_has_a_row_for_each_parameter() -> None:
    found = await made(ParameterSetFormat.CSV, FIT)
    header, first, *rows = csv.reader(io.StringIO(found.content, newline=""))
    assert tuple(header) == COLUMNS
    assert first == ["D [m2.s-1]", "m2.s-1", "2.0", "0.25", "1.5", "2.5", "e0"]
    assert [row[2] for row in rows] == ["3.0", "1.5", "", "a"]
    assert {each.name for each in found.omitted} == {"f [V]", "none"}


async def test_no_text_in_csv_is_a_formula() -> None:
    found = await made(ParameterSetFormat.CSV, {"parameter_values": HOSTILE})
    _, *rows = csv.reader(io.StringIO(found.content, newline=""))
    assert len(rows) == len(HOSTILE) - 1
    for row, (name, value) in zip(rows, HOSTILE.items(), strict=False):
        assert row[0].removeprefix("'") == name
        assert row[2] == (repr(value) if isinstance(value, float) else f"'{value}")
        for text in (row[0], row[1], row[6]):
            assert not text.strip().startswith(("=", "+", "-", "@"))
            assert not text.startswith(("\t", "\r"))


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("../../etc/passwd", "etc-passwd"),
        ("", "pipeline"),
        ("é\r\nX: y", "X-y"),
        ('"; x="', "x"),
        ("a" * 99, "a" * 80),
    ],
)
async def test_a_file_has_a_name_for_any_system(name: str, stem: str) -> None:
    assert (await made(ParameterSetFormat.CSV, FIT, name=name)).file_name == f"{stem}.csv"


async def test_bpx_comes_from_the_exporter_with_what_it_omits() -> None:
    found = await made(ParameterSetFormat.BPX, {"parameter_values": {"a": 1, "none": None}})
    assert orjson.loads(found.content) == {"title": "Cell 7", "values": {"a": 1}}
    assert [tuple(each) for each in found.omitted] == [("a", "b"), ("none", "It has no value.")]


async def test_without_a_result_there_is_none() -> None:
    assert await parameter_set("x", [], ParameterSetFormat.CSV, Exporter(), lambda seconds: None) is None


async def fitted(api: Api) -> str:
    hold, element = await completed.held(api, name='Fit "1"\n')
    await hold.complete_element(element["id"], FIT)
    id: str = element["pipeline_id"]
    return id


async def test_both_apis_give_the_same_file(api: Api) -> None:
    id = await fitted(api)
    for format in ("PYBAMM", "CSV"):
        found = (await api.run("ParameterSet", id=id, format=format))["parameterSet"]
        answer = await api.http.get(f"/pipelines/{id}/parameters", params={"format": format.lower()})
        assert (answer.status_code, answer.text) == (200, found["content"])
        assert answer.headers["content-type"] == found["mediaType"]
        assert answer.headers["content-disposition"] == f'attachment; filename="{found["fileName"]}"'
        assert answer.headers["x-omitted"] == str(len(found["omitted"]))


async def test_what_has_not_completed_has_no_set(api: Api) -> None:
    id = (await api.create())["id"]
    assert (await api.run("ParameterSet", id=id, format="CSV"))["parameterSet"] is None
    answer = await api.http.get(f"/pipelines/{id}/parameters", params={"format": "csv"})
    assert (answer.status_code, answer.json()["error_code"]) == (409, "INVALID_STATE")


@pytest.mark.parametrize("format", ["", "xml", "PYBAMM"])
async def test_another_format_is_refused(api: Api, format: str) -> None:
    answer = await api.http.get(f"/pipelines/{await fitted(api)}/parameters", params={"format": format})
    assert answer.status_code == 422
    assert (await api.http.get("/pipelines/none/parameters", params={"format": "csv"})).status_code == 404


async def test_errors_of_the_exporter_are_those_of_the_request(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def busy(*_: Any) -> Any:
        raise RequestError(RequestErrorCode.BUSY, "Too many.")

    monkeypatch.setattr("app.execution.reading.exporter.Exporter.bpx", busy)
    id = await fitted(api)
    answer = await api.http.get(f"/pipelines/{id}/parameters", params={"format": "bpx"})
    assert answer.status_code == 503
    refused = await api.post("query ($id: ID!) { pipeline(id: $id) { parameterSet(format: BPX) { content } } }", id=id)
    assert refused["errors"][0]["extensions"]["code"] == "BUSY"
