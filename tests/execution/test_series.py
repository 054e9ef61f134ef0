"""Transfer of series from a job to its readers, and invalid series of a compromised child process."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import numpy as np
import orjson
import pytest

from app.execution.executor import Series
from app.execution.messages import ProtocolViolation, hear, packed
from app.execution.streams import samples
from app.execution.streams.samples import Allowance
from app.models.enums import SeriesSource
from tests.execution.conftest import Runs

TOLD: dict[str, Any] = {"kind": "series", "objective": "1 C", "source": "OPTIMAL", "channels": ["x", "y"], "rows": 2}
FOUR = np.array([1.0, 2.0, 3.0, math.inf]).tobytes()


async def heard(sent: bytes, allowance: Allowance | None = None) -> dict[str, Any]:
    reader = asyncio.StreamReader(limit=1 << 20)
    reader.feed_data(sent)
    reader.feed_eof()
    return await hear(reader, allowance or Allowance())


async def test_a_run_hands_its_series_to_who_reads_them(runs: Runs) -> None:
    channels = {"x": [0, 1, 2], "y": [1.5, None, -3]}
    told = [{"objective": "a", "channels": channels}, {"objective": "a", "source": "BASELINE", "channels": {"x": [9]}}]
    pipeline = await runs.end(await runs.start({}, {"series": told}))
    assert pipeline["status"] == "COMPLETED"
    first, second = [element["job"]["id"] for element in pipeline["elements"]]
    assert (await runs.http.get(f"/jobs/{first}/series/channels")).json() == {}
    assert (await runs.http.get(f"/jobs/{second}/series/channels")).json() == {
        "a": {"optimal": ["x", "y"], "baseline": ["x"]}
    }
    assert (await runs.http.get(f"/jobs/{second}/series", params={"objective": "a"})).json() == channels


async def test_the_history_of_a_fit_comes_through_beside_its_series(runs: Runs) -> None:
    kept = {"evaluation": [1, 2], "start": [0, 0], "cost": [None, 1.5], "best_cost": [None, 1.5], "a": [0.5, 0.25]}
    told = [{"objective": "a", "channels": {"x": [9]}}, {"objective": "", "channels": kept}]
    id = await runs.start({"series": told})
    assert (await runs.end(id))["status"] == "COMPLETED"
    body = {"query": "query ($id: ID!) { pipeline(id: $id) { elements { history } } }", "variables": {"id": id}}
    answer = (await runs.http.post("/graphql", json=body)).json()
    assert answer["data"]["pipeline"]["elements"] == [{"history": kept}]


async def test_many_long_series_come_through(runs: Runs) -> None:
    rows = [i / 7 for i in range(20_000)]
    told = [{"objective": f"{n}", "channels": dict.fromkeys("xyz", rows)} for n in range(5)]
    id = await runs.start({"series": told})
    [element] = (await runs.end(id, 60))["elements"]
    for n in range(5):
        found = await runs.http.get(f"/jobs/{element['job']['id']}/series", params={"objective": f"{n}"})
        assert orjson.loads(found.content) == dict.fromkeys("xyz", rows)


@pytest.mark.parametrize(
    "channels", [{"x": [1], "y": [1, 2]}, {}, {"x": []}, {"": [1]}, {"x": [[1]]}, {"y" * 1101: [1]}]
)
async def test_an_executor_that_gives_no_series_fails_its_job(runs: Runs, channels: dict[str, Any]) -> None:
    pipeline = await runs.end(await runs.start({"series": [{"objective": "a", "channels": channels}]}))
    assert (pipeline["status"], pipeline["errorCode"]) == ("FAILED", "INTERNAL_ERROR")


async def test_a_series_is_heard_channel_by_channel() -> None:
    message = await heard(packed(TOLD) + FOUR)
    assert message["samples"] == [FOUR[:16], FOUR[16:]]


def test_numbers_of_any_kind_are_told_and_what_is_none_is_nan() -> None:
    channels: dict[str, Any] = {"a": np.arange(3, dtype=np.int16), "b": [1, None, math.inf], "c": np.arange(6.0)[::2]}
    message, told = samples.told(Series("o", SeriesSource.BASELINE, channels))
    assert (message["source"], message["channels"], message["rows"]) == ("BASELINE", ["a", "b", "c"], 3)
    found = [np.frombuffer(each, "<f8") for each in told]
    np.testing.assert_array_equal(found, [[0, 1, 2], [1, np.nan, np.nan], [0, 2, 4]])


@pytest.mark.parametrize(
    "change",
    [
        {"rows": 0},
        {"rows": -1},
        {"rows": 1.5},
        {"rows": samples.MAX_SAMPLES + 1},
        {"rows": samples.MAX_SAMPLES},
        {"channels": []},
        {"channels": ["x", "x"]},
        {"channels": ["x", 7]},
        {"channels": ["x", ""]},
        {"channels": ["x", "y\0"]},
        {"channels": [f"{i}" for i in range(513)]},
        {"objective": "o" * 1101},
        {"objective": None},
        {"source": "optimal"},
    ],
)
async def test_a_child_that_tells_nonsense_is_not_believed(change: dict[str, Any]) -> None:
    with pytest.raises(ProtocolViolation):
        await heard(packed({**TOLD, **change}) + FOUR)


@pytest.mark.parametrize("iteration", [-1, 2**31, 1.5, "1"])
async def test_an_iteration_that_cannot_be_stored_is_not_believed(iteration: Any) -> None:
    told = {"kind": "progress", "iteration": 2**31 - 1, "cost": 1.0, "best_cost": None, "parameters": {}}
    assert await heard(packed(told)) == told
    with pytest.raises(ProtocolViolation):
        await heard(packed({**told, "iteration": iteration}))


async def test_fewer_samples_than_told_are_the_end_of_a_child() -> None:
    with pytest.raises(asyncio.IncompleteReadError):
        await heard(packed(TOLD) + FOUR[:-1])


async def test_the_same_series_twice_is_not_believed() -> None:
    allowance = Allowance()
    await heard(packed(TOLD) + FOUR, allowance)
    await heard(packed({**TOLD, "source": "BASELINE"}) + FOUR, allowance)
    with pytest.raises(ProtocolViolation, match="second time"):
        await heard(packed(TOLD) + FOUR, allowance)


def test_a_job_has_so_many_series_and_samples_at_most() -> None:
    allowance = Allowance()
    for n in range(samples.MAX_SERIES):
        allowance.take({**TOLD, "objective": f"{n}"})
    with pytest.raises(ValueError, match="more samples"):
        allowance.take(TOLD)
    allowance = Allowance()
    for n in range(samples.MAX_JOB_SAMPLES // samples.MAX_SAMPLES):
        allowance.take({**TOLD, "objective": f"{n}", "rows": samples.MAX_SAMPLES // 2})
    with pytest.raises(ValueError, match="more samples"):
        allowance.take({**TOLD, "rows": 1})
