"""Reading of uploaded files: in a child process, whose answer is not trusted; a bad file is FAILED with its reason."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app.measurements import ingestion
from tests.measurements.conftest import CSV, Lab, serving

ANSWERED = "The process that read the file answered with"


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("a.csv", b"Time [s]\n0\nx\n", "Line 3 must have numbers; got 'x'."),
        ("a.csv", b"\xff\xfe", "The file is no text in UTF-8."),
        ("a.csv", b"a,b\n1\n", "The job ended with an unexpected ValueError."),
        ("die.csv", CSV, ingestion.DIED),
        ("link.csv", CSV, f"{ANSWERED} a file that cannot be opened: Too many levels of symbolic links."),
        ("pipe.csv", CSV, f"{ANSWERED} a file that is no regular file."),
        ("elsewhere.csv", CSV, f"{ANSWERED} a file that cannot be opened: No such file or directory."),
        ("slow.csv", CSV, "Reading the file took longer than 1 s."),
    ],
)
async def test_a_file_that_cannot_be_read_is_failed(sqlite_url: str, name: str, content: bytes, error: str) -> None:
    # Without the sandbox, which refuses links and pipes earlier.
    async with serving(sqlite_url, ingest_timeout=1, sandbox="off") as lab:
        id = await lab.upload(content, fileName=name)
        state = await lab.complete(id)
        assert (state["status"], state["error"]) == ("FAILED", error)
        assert (state["rows"], state["series"], state["steps"], state["columns"]) == (None, None, None, [])
        assert (await lab.http.get(state["downloadUrl"])).content == content


async def test_a_missing_reader_is_named(sqlite_url: str) -> None:
    async with serving(sqlite_url, ingest="tests.nowhere:ingest") as lab:
        state = await lab.complete(await lab.upload())
        assert state["status"] == "FAILED"
        assert state["error"] == "This server cannot read files: No module named 'tests.nowhere'"


async def test_a_reading_whose_worker_stopped_begins_again(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingestion, "LEASE", timedelta(seconds=5))
    async with serving(database_url, workers=0) as lab:
        id = await lab.upload(fileName="briefly.csv")
        done = "mutation($id: ID!) { completeMeasurement(id: $id) { measurement { status } } }"
        assert (await lab.data(done, id=id))["completeMeasurement"]["measurement"]["status"] == "PROCESSING"
        assert lab._database is not None
        taken = await ingestion.take(lab._database)
        assert taken is not None
        assert await ingestion.take(lab._database) is None  # another worker holds the lease
    async with serving(database_url) as lab:
        assert (await lab.until_read(id, 60))["status"] == "READY"
        assert lab._database is not None
        with pytest.raises(ingestion.ReadingLost):  # the first worker stores nothing any more
            await ingestion.fail(lab._database, taken, "late")


@pytest.mark.parametrize(
    "change",
    [
        {"rows": 0},
        {"columns": []},
        {"preview": {"a": [1.0], "b": [1.0, 2.0]}},
        {"preview": {"other": [1.0]}},
        {"preview": {"a": [1.0] * 5001}},
        {"changes": ["\0"]},
        {"columns": [{"name": "a"}, {"name": "a"}]},
    ],
)
def test_a_wrong_answer_is_refused(change: dict[str, Any]) -> None:
    right = {"rows": 1, "columns": [{"name": "a"}, {"name": "b"}], "preview": {}, "changes": [], "steps": None}
    right |= {"cycles": None}
    ingestion.check(right)
    with pytest.raises(ingestion.WrongAnswer):
        ingestion.check(right | change)


async def test_a_subscription_tells_until_it_is_read(lab: Lab) -> None:
    feed, id = lab.services.measurements, await lab.upload(fileName="briefly.csv")
    seen = []
    async for state in feed.states(lab.caller, id):
        seen.append(state.status.name)
        if len(seen) == 1:
            await lab.complete(id)
    assert (seen[0], seen[-1]) == ("UPLOADING", "READY")
