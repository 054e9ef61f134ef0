"""Series of a measurement with more rows than its preview: windows and steps are exact, against numpy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from app.errors import RequestError, RequestErrorCode, WrongArguments
from app.execution.reading import parts as reading
from app.execution.reading.parts import Parts
from app.measurements.parts import Part
from app.measurements.series import Selection, step_rows
from app.models.columns import now
from app.models.enums import FileKind
from app.models.measurements import MeasurementFile
from app.pipelines.results.series import Wanted
from app.settings import Settings
from tests.measurements.conftest import Lab, serving

ROWS, STEP = 200_000, 25_000
TIME, CURRENT, VOLTAGE, TEMPERATURE = "Time [s]", "Current [A]", "Voltage [V]", "Temperature [degC]"
SERIES = """query($id: ID!, $columns: [String!], $xColumn: String, $maxPoints: Int, $xMin: Float, $xMax: Float,
  $firstStep: Int, $lastStep: Int) { measurement(id: $id) { series(columns: $columns, xColumn: $xColumn,
  maxPoints: $maxPoints, xMin: $xMin, xMax: $xMax, firstStep: $firstStep, lastStep: $lastStep) } }"""
Columns = dict[str, "np.ndarray[Any, Any]"]


class Zoomed(NamedTuple):
    lab: Lab
    id: str
    columns: Columns

    async def series(self, **asked: Any) -> Columns:
        [found] = (await self.lab.data(SERIES, id=self.id, **asked))["measurement"].values()
        return {name: np.array(values, float) for name, values in found.items()}

    async def error(self, **asked: Any) -> tuple[str, str]:
        answer = await self.lab.send({"query": SERIES, "variables": {"id": self.id, **asked}})
        [error] = answer["errors"]
        return error["extensions"]["code"], error["message"]


def _columns() -> Columns:
    """Return 8 steps of a noisy cycle, with a peak of one row in the middle of the sixth."""
    dice = np.random.default_rng(5)
    time = np.arange(ROWS) * 0.5
    step: Any = np.arange(ROWS) // STEP
    voltage = 3.7 + np.where(step % 2, 1, -1) * 0.1 * (np.arange(ROWS) % STEP) / STEP + dice.normal(0, 1e-3, ROWS)
    temperature = 25 + dice.normal(0, 0.1, ROWS)
    temperature[137_511] = 60.0
    return {
        TIME: time,
        CURRENT: np.where(step % 2, -1.0, 1.0),
        VOLTAGE: voltage.round(6),
        TEMPERATURE: temperature.round(4),
    }


def _text(columns: Columns) -> bytes:
    rows = zip(*(values.tolist() for values in columns.values()), strict=True)
    return "\n".join([",".join(columns), *(",".join(map(repr, row)) for row in rows), ""]).encode()


@pytest.fixture
async def zoomed(database_url: str) -> AsyncIterator[Zoomed]:
    pytest.importorskip("ionworksdata", reason="the extra `data` is not installed")
    columns = _columns()
    async with serving(database_url, ingest="app.battery.ingest:ingest") as lab:
        id = await lab.upload(_text(columns))
        state = await lab.complete(id, 120)
        assert (state["status"], state["error"], state["rows"]) == ("READY", None, ROWS)
        yield Zoomed(lab, id, columns)


async def test_windows_and_steps_are_exact(zoomed: Zoomed) -> None:
    await _require_exact(zoomed)
    await _require_peaks(zoomed)
    missing = (
        "Step 9 does not exist: the measurement has 8, from 0. Step -9 does not exist: the measurement has 8, from 0."
    )
    assert await zoomed.error(firstStep=9, lastStep=-9) == ("BAD_USER_INPUT", missing)
    assert (await zoomed.error(columns=["Volts"], firstStep=1))[0] == "BAD_USER_INPUT"


async def _require_exact(zoomed: Zoomed) -> None:
    columns = zoomed.columns
    cases: list[tuple[dict[str, Any], np.ndarray[Any, Any]]] = [
        ({"xMin": 1000.25, "xMax": 3400.0}, np.arange(2001, 6801)),
        ({"xMin": 99_990.0}, np.arange(199_980, ROWS)),
        ({"xMax": 0.0}, np.arange(1)),
        ({"xMin": 1e9}, np.arange(0)),
        ({"firstStep": 5, "lastStep": 5, "maxPoints": 100_000}, np.arange(5 * STEP, 6 * STEP)),
        ({"firstStep": -1, "maxPoints": 100_000}, np.arange(7 * STEP, ROWS)),
        ({"lastStep": 0, "maxPoints": 100_000}, np.arange(STEP)),
        ({"firstStep": 3, "lastStep": 4, "xMin": 49_999.0, "xMax": 50_001.0}, np.arange(99_998, 100_003)),
        ({"xColumn": TEMPERATURE, "xMin": 59.0}, np.array([137_511])),
    ]
    for asked, rows in cases:
        found = await zoomed.series(columns=[VOLTAGE, TEMPERATURE], **asked)
        axis = asked.get("xColumn", TIME)
        assert list(found) == [name for name in columns if name in {axis, VOLTAGE, TEMPERATURE}]
        for name, values in found.items():
            np.testing.assert_array_equal(values, columns[name][rows], str(asked))


async def _require_peaks(zoomed: Zoomed) -> None:
    for asked, (first, end), most in (
        ({"firstStep": 4, "lastStep": 6}, (4 * STEP, 7 * STEP), 5_000),
        ({"xMin": 60_000, "maxPoints": 700}, (120_000, ROWS), 700),
        ({"maxPoints": 50_000}, (0, ROWS), 50_000),
    ):
        found = await zoomed.series(**asked)
        rows: Any = np.searchsorted(zoomed.columns[TIME], found[TIME])
        assert most / 3 < len(rows) <= most
        assert (rows[0], rows[-1]) == (first, end - 1)
        for name, whole in zoomed.columns.items():
            np.testing.assert_array_equal(found[name], whole[rows])
            assert (found[name].min(), found[name].max()) == (whole[first:end].min(), whole[first:end].max())
        assert found[TEMPERATURE].max() == 60.0
    assert len((await zoomed.series())[TIME]) <= 5_000


@pytest.mark.parametrize(
    ("first", "last", "answer"),
    [
        (None, 1, (0, 9)),
        (1, None, (4, 12)),
        (-1, -1, (9, 12)),
        (3, None, {"first_step": "Step 3 does not exist: the measurement has 3, from 0."}),
        (None, -4, {"last_step": "Step -4 does not exist: the measurement has 3, from 0."}),
        (2, 1, {"last_step": "The steps end, at 1, before they begin, at 2."}),
    ],
)
def test_steps_are_rows_of_the_table(first: int | None, last: int | None, answer: Any) -> None:
    steps = {"Start index": [0, 4, 9], "End index": [3, 8, 11]}
    selection = Selection(Wanted(""), first, last)
    if isinstance(answer, tuple):
        assert step_rows(selection, steps) == answer
        return
    with pytest.raises(WrongArguments) as wrong:
        step_rows(selection, steps)
    assert wrong.value.faults == answer


async def test_a_small_measurement_is_read_from_its_preview(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    id = await lab.ready()

    async def read(*_: Any) -> bytes:
        raise AssertionError("the preview is enough")

    monkeypatch.setattr(lab.services.parts, "read", read)
    small = Zoomed(lab, id, {})
    assert {name: list(values) for name, values in (await small.series(xMin=0.5, xMax=1)).items()} == {
        TIME: [1.0],
        VOLTAGE: [4.1],
    }
    assert (await small.error(firstStep=0)) == ("BAD_USER_INPUT", "The measurement has no steps.")


async def test_an_answer_has_few_parts(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"{TIME},{VOLTAGE}\n" + "".join(f"{row},4.0\n" for row in range(5_500))
    id = await lab.ready(text.encode())
    parts = []

    async def read(_: MeasurementFile, part: Part) -> bytes:
        parts.append(part)
        return b"{}"

    monkeypatch.setattr(lab.services.parts, "read", read)
    fields = " ".join(f"s{number}: series(maxPoints: 2, xMin: {number})" for number in range(25))
    answer = await lab.send({"query": f'{{ measurement(id: "{id}") {{ {fields} }} }}'})
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["ANSWER_TOO_LARGE"]
    assert [part.x_min for part in parts] == list(range(19))


PART = Part(("a", "b"), "a", 0, 10, None, None, 10)


def _file(number: int) -> MeasurementFile:
    return MeasurementFile(
        id=str(number), measurement_id="m", organization_id="o", kind=FileKind.TABLE, created_at=now()
    )


class Slow(Parts):
    """Reader whose parts take as long as the test wants."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(Settings(), lab.services.database)
        self.free, self.read_now, self.most = asyncio.Event(), 0, 0
        self.count = 0

    async def _samples(self, file: MeasurementFile, part: Part) -> dict[str, bytes]:
        self.count += 1
        self.read_now += 1
        self.most = max(self.most, self.read_now)
        try:
            await self.free.wait()
        finally:
            self.read_now -= 1
        return dict.fromkeys(part.columns, b"\0" * 8)


async def test_few_are_read_at_a_time_and_answers_are_kept(still: Lab) -> None:
    reader = Slow(still)
    asked = [asyncio.create_task(reader.read(_file(number), PART)) for number in range(18)]
    await asyncio.sleep(0)
    with pytest.raises(RequestError) as refused:
        await reader.read(_file(18), PART)
    assert (refused.value.code, refused.value.message) == (RequestErrorCode.BUSY, reading.BUSY)
    reader.free.set()
    assert set(await asyncio.gather(*asked)) == {b'{"a":[0.0],"b":[0.0]}'}
    assert (reader.most, reader.count) == (2, 18)
    assert await reader.read(_file(3), PART) == b'{"a":[0.0],"b":[0.0]}'
    assert reader.count == 18


async def test_a_part_that_takes_too_long_is_refused(still: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "SECONDS", 0.05)
    reader = Slow(still)
    with pytest.raises(RequestError) as refused:
        await reader.read(_file(0), PART)
    assert (refused.value.code, reader.read_now) == (RequestErrorCode.TIMEOUT, 0)
    reader.free.set()
    assert await reader.read(_file(0), PART)


async def test_the_cache_forgets(still: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "CACHED", 100)
    reader = Slow(still)
    reader.free.set()
    for number in (0, 1, 2, 3, 0, 4):
        await reader.read(_file(number), PART)
    assert reader.count == 5
    await reader.read(_file(0), PART)
    assert reader.count == 5
    await reader.read(_file(1), PART)
    assert reader.count == 6


async def test_a_file_that_is_no_table_is_a_fault_of_the_server(lab: Lab, tmp_path: Path) -> None:
    """The fake reader stores text as the table, and a preview that does not have all rows."""
    pytest.importorskip("polars", reason="the extra `data` is not installed")
    text = f"{TIME},{VOLTAGE}\n" + "".join(f"{row},4.0\n" for row in range(5_500))
    id = await lab.ready(text.encode())
    code, message = await Zoomed(lab, id, {}).error(xMin=1)
    assert code == "INTERNAL_SERVER_ERROR"
    assert "table" not in message
