"""Uploads: the address is the right to send one file, once, within a size; downloads are byte-equal."""

from __future__ import annotations

import hashlib
import os
from typing import Any

import pytest
from sqlmodel import select

from app.measurements import uploads
from app.models.columns import now
from app.models.enums import FileKind
from app.models.measurements import Measurement, MeasurementChunk, MeasurementFile, Upload
from tests.measurements.conftest import CSV, Lab, serving

LARGE = os.urandom(2**20 + 2**19)
"""One chunk and a half."""


async def _count(lab: Lab, model: Any) -> int:
    assert lab._database is not None
    async with lab._database.read() as session:
        return len((await session.exec(select(model))).all())


async def test_a_file_is_read_and_described(lab: Lab) -> None:
    id = await lab.upload(fileName="../../etc/passwd", tags=["RPT", "rpt ", "25 °C"], notes="first")
    state = await lab.complete(id)
    assert state["status"] == "READY"
    assert (state["rows"], state["bytes"]) == (3, len(CSV))
    assert state["sha256"] == hashlib.sha256(CSV).hexdigest()
    assert state["columns"][1] == {"name": "Voltage [V]", "unit": "V", "min": 4.0, "max": 4.2, "missing": 0}
    assert state["series"] == {"Time [s]": [0, 1, 2], "Voltage [V]": [4.2, 4.1, 4.0]}
    assert (state["steps"], state["cycles"]) == ({"Step count": [0, 1]}, {"Cycle count": [0]})
    assert state["changes"] == ["The sign of the current was changed."]
    assert (state["fileName"], state["tags"]) == ("../../etc/passwd", ["25 °C", "RPT"])
    answer = await lab.http.get(state["downloadUrl"])
    assert answer.content == CSV
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''..%2F..%2Fetc%2Fpasswd"


async def test_inline_data_are_read_too(lab: Lab) -> None:
    columns = {"Time [s]": [0, 0.1], "Voltage [V]": [4.2, 1 / 3]}
    payload = await lab.new(data=columns, format=None)
    assert payload["upload"] is None
    state = await lab.until_read(payload["measurement"]["id"])
    assert state["series"] == columns


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        (None, 200, slice(None)),
        ("bytes=0-0", 206, slice(0, 1)),
        ("bytes=1048570-1048590", 206, slice(1048570, 1048591)),
        ("bytes=1048576-", 206, slice(1048576, None)),
        ("bytes=-5", 206, slice(-5, None)),
        ("bytes=-99999999", 206, slice(None)),
        ("bytes=5-99999999", 206, slice(5, None)),
        ("bytes=0-1,3-4", 200, slice(None)),
        ("bytes=5-1", 200, slice(None)),
        ("lines=1-2", 200, slice(None)),
        ("bytes=99999999-", 416, slice(0, 0)),
        ("bytes=-0", 416, slice(0, 0)),
    ],
)
async def test_downloads_have_ranges(sqlite_url: str, asked: str | None, status: int, part: slice) -> None:
    async with serving(sqlite_url, workers=0) as lab:
        id = await lab.upload(LARGE)
        address = (await lab.data("query($id: ID!) { measurement(id: $id) { downloadUrl } }", id=id))["measurement"]
        headers = {} if asked is None else {"range": asked}
        answer = await lab.http.get(address["downloadUrl"], headers=headers)
        assert (answer.status_code, answer.content) == (status, LARGE[part])
        head = await lab.http.head(address["downloadUrl"], headers=headers)
        assert (head.status_code, head.content) == (status, b"")
        if status != 416:
            assert head.headers["content-length"] == str(len(LARGE[part]))


async def test_a_range_of_another_version_is_the_whole_file(still: Lab) -> None:
    id = await still.upload(CSV)
    found = (await still.data("query($id: ID!) { measurement(id: $id) { downloadUrl sha256 } }", id=id))["measurement"]
    for etag, status in ((f'"{found["sha256"]}"', 206), ('"other"', 200)):
        answer = await still.http.get(found["downloadUrl"], headers={"range": "bytes=0-1", "if-range": etag})
        assert answer.status_code == status


async def test_an_address_works_once(lab: Lab) -> None:
    payload = await lab.new()
    url = payload["upload"]["url"]
    assert (await lab.put(url, CSV)).status_code == 200
    for content in (CSV, b"other"):
        again = await lab.put(url, content)
        assert (again.status_code, again.json()["error_code"]) == (404, "NOT_FOUND")
    assert (await lab.complete(payload["measurement"]["id"]))["bytes"] == len(CSV)


@pytest.mark.parametrize("token", ["x", "A" * 43, "%2e%2e", "é", "a" * 5000])
async def test_unknown_addresses_are_not_found(still: Lab, token: str) -> None:
    assert (await still.put(f"/uploads/{token}", CSV)).status_code == 404
    assert (await still.http.get(f"/downloads/{token}")).status_code == 404


async def test_a_forged_or_old_download_is_not_found(still: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    id = await still.upload()
    query = "query($id: ID!) { measurement(id: $id) { downloadUrl } }"
    address = (await still.data(query, id=id))["measurement"]["downloadUrl"]
    file, end, signature = address.rpartition("/")[2].split(".")
    for forged in (
        f"{file}.{int(end) + 1}.{signature}",
        f"{file}.{end}.{signature[:-1]}",
        f"{file}.{end}.",
        f"{file}..{signature}",
        f"{file}.{end}.{signature[::-1]}",
        f"{file[::-1]}.{end}.{signature}",
    ):
        assert (await still.http.get(f"/downloads/{forged}")).status_code == 404
    monkeypatch.setattr("app.measurements.downloads.LIFETIME", -1)
    assert (await still.http.get((await still.data(query, id=id))["measurement"]["downloadUrl"])).status_code == 404


async def test_an_expired_address_is_not_found(still: Lab) -> None:
    payload = await still.new()

    async def expire(session: Any) -> None:
        (await session.exec(select(Upload))).one().expires_at = now()

    await still.write(expire)
    assert (await still.put(payload["upload"]["url"], CSV)).status_code == 404


async def _in_parts(*parts: bytes) -> Any:
    for part in parts:
        yield part


async def test_sizes_are_held(database_url: str) -> None:
    async with serving(database_url, workers=0, max_file_bytes=2**20, max_stored_bytes=3 * 2**19) as lab:
        url = (await lab.new())["upload"]["url"]
        too_long = b"x" * (2**20 + 1)
        for body in (too_long, _in_parts(b"x" * 2**20, b"x")):
            answer = await lab.put(url, body)
            assert (answer.status_code, answer.json()["error_code"]) == (413, "PAYLOAD_TOO_LARGE")
        assert await _count(lab, MeasurementChunk) == 0
        assert await _count(lab, MeasurementFile) == 0
        assert (await lab.put(url, b"x" * 2**20)).status_code == 200
        second = await lab.put((await lab.new(name="second"))["upload"]["url"], b"x" * 2**20)
        assert second.status_code == 413
        assert "The organization stores 1,048,576 of 1,572,864 bytes" in second.json()["message"]
        refused = (await lab.new(bytes=2**20 + 1))["userErrors"]
        assert [(each["code"], each["field"]) for each in refused] == [("INVALID", ["input", "bytes"])]


async def test_an_announced_size_is_exact(still: Lab) -> None:
    payload = await still.new(bytes=len(CSV))
    assert payload["upload"]["maxBytes"] == len(CSV)
    url = payload["upload"]["url"]
    assert (await still.put(url, CSV + b"1")).status_code == 413
    assert (await still.put(url, CSV[:-1])).status_code == 400
    assert (await still.put(url, _in_parts(CSV[:-1]))).status_code == 400
    assert (await still.put(url, CSV, **{"content-encoding": "gzip"})).status_code == 415
    part = {"content-range": f"bytes 5-{len(CSV) - 1}/{len(CSV)}"}
    assert (await still.put(url, CSV, **part)).status_code == 400
    assert (await still.put(url, _in_parts(CSV[:5], CSV[5:]))).status_code == 200


async def test_an_upload_that_breaks_off_leaves_nothing_and_can_be_repeated(lab: Lab) -> None:
    payload = await lab.new()
    url = payload["upload"]["url"]

    async def breaks() -> Any:
        yield LARGE
        raise EOFError

    with pytest.raises(EOFError):
        await lab.put(url, breaks())
    assert await _count(lab, MeasurementChunk) == 0
    errors = (await lab.data(COMPLETE_ERRORS, id=payload["measurement"]["id"]))["completeMeasurement"]["userErrors"]
    assert [each["code"] for each in errors] == ["INVALID_STATE"]
    assert (await lab.put(url, CSV)).status_code == 200
    assert (await lab.complete(payload["measurement"]["id"]))["status"] == "READY"


COMPLETE_ERRORS = "mutation($id: ID!) { completeMeasurement(id: $id) { userErrors { code } } }"


async def test_of_two_uploads_at_once_the_later_one_wins(lab: Lab) -> None:
    payload = await lab.new()
    url, later = payload["upload"]["url"], b"Time [s],Voltage [V]\n0,1\n"

    async def overtaken() -> Any:
        yield CSV
        assert (await lab.put(url, later)).status_code == 200

    assert (await lab.put(url, overtaken())).status_code == 404
    state = await lab.complete(payload["measurement"]["id"])
    assert state["bytes"] == len(later)
    assert (await lab.http.get(state["downloadUrl"])).content == later


async def test_what_broken_uploads_left_is_deleted(lab: Lab) -> None:
    kept = await lab.upload()
    gone = (await lab.new(name="never"))["measurement"]["id"]
    assert lab._database is not None
    old = now() - 3 * uploads.LIFETIME

    async def age(session: Any) -> None:
        file = MeasurementFile(
            id="f" * 36,
            measurement_id=kept,
            organization_id="local",
            kind=FileKind.UPLOAD,
            byte_count=9,
            created_at=old,
        )
        session.add(file)
        await session.flush()
        session.add(MeasurementChunk(file_id=file.id, number=0, content=b"half"))
        for upload in await session.exec(select(Upload).where(Upload.measurement_id == gone)):
            upload.expires_at = old
        (await session.get_one(Measurement, gone)).created_at = old

    await lab.write(age)
    await uploads.clean_up(lab._database)
    assert (await lab.data("query($id: ID!) { measurement(id: $id) { id } }", id=gone))["measurement"] is None
    assert await _count(lab, MeasurementFile) == 1
    assert await _count(lab, MeasurementChunk) == 1
    assert (await lab.complete(kept))["status"] == "READY"


async def test_a_deleted_measurement_leaves_no_bytes(lab: Lab) -> None:
    id = await lab.ready()
    state = await lab.until_read(id)
    gone = "mutation($id: ID!) { deleteMeasurement(id: $id) { deletedMeasurementId userErrors { code } } }"
    assert (await lab.data(gone, id=id))["deleteMeasurement"] == {"deletedMeasurementId": id, "userErrors": []}
    assert (await lab.http.get(state["downloadUrl"])).status_code == 404
    assert lab._database is not None
    await uploads.clean_up(lab._database)
    assert [await _count(lab, each) for each in (MeasurementFile, MeasurementChunk, Upload)] == [0, 0, 0]
