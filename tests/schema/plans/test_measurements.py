"""Measurements and cells: plans answer as the executor does."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest
from sqlmodel import col, update
from sqlmodel.ext.asyncio.session import AsyncSession

from app.auth.caller import LOCAL, Caller
from app.measurements import cells, service
from app.measurements.inputs import parse_create
from app.measurements.uploads import UploadLimits
from app.models.enums import MeasurementStatus
from app.models.measurements import CellInstance, Measurement
from tests.schema.plans.pair import Pair

STRANGER = replace(LOCAL, organization_id="strangers")
ALL = """
query All($id: ID!) { measurement(id: $id) { ...M } node(id: $id) { __typename id ...M } }
fragment M on Measurement {
  id organizationId projectId cellInstanceId name notes type status isTerminal error format fileName sha256
  createdByEmail startTime endTime createdAt updatedAt rows bytes tags changes details steps cycles
  columns { name unit min max missing __typename }
  cell { id name details specification { id name details createdAt } cellSpecificationId }
}
"""
CELL = """
query Cell($id: ID!) {
  cellInstance(id: $id) { id name organizationId details specification { name __typename details } updatedAt }
  node(id: $id) { id __typename ... on CellInstance { name cellSpecificationId } }
}
"""
SPECIFICATION = """
query Specification($id: ID!) {
  cellSpecification(id: $id) { id projectId name createdByEmail createdAt updatedAt details }
  node(id: $id) { id __typename ... on CellSpecification { name } }
}
"""
READ = {
    "status": MeasurementStatus.READY,
    "row_count": 3,
    "byte_count": 55,
    "columns": orjson.dumps(
        [
            {"name": "Time [s]", "unit": "s", "min": 0, "max": 2.5, "missing": 0},
            {"name": "é", "unit": None, "min": None, "max": None, "missing": 3},
        ]
    ).decode(),
    "changes": '["\\"a\\" became b", "é"]',
    "steps": '{"Step number": [1, 2], "Voltage [V]": [3.0, null]}',
    "cycles": "{}",
    "sha256": "00ff",
}


async def made(pair: Pair, caller: Caller, name: str, *, read: bool) -> tuple[Measurement, CellInstance]:
    """Store a measurement of a new cell, with what the reader of its file would store if `read`."""
    database = pair.services.database
    specification = await cells.create_specification(database, caller, "p", name, {"ratings": {"é": 1.50}})
    cell = await cells.create_instance(database, caller, specification.id, name, {})
    draft = parse_create(
        project_id=None, name=name, notes="É", tags=["b", "A"], cell_instance_id=cell.id, format=None,
        file_name="f.csv", reader=None, size=None, data=None, idempotency_key=None,
    )  # fmt: skip
    row, _ = await service.create(database, caller, draft, UploadLimits(1000, 10_000))
    if read:

        async def work(session: AsyncSession) -> None:
            await session.exec(update(Measurement).where(col(Measurement.id) == row.id).values(READ))

        await database.write(work)
    return row, cell


@pytest.mark.parametrize("read", [False, True])
async def test_objects_are_read_alike(pair: Pair, read: bool) -> None:
    row, cell = await made(pair, LOCAL, f"read {read}", read=read)
    body = await pair.same(ALL, {"id": row.id})
    assert body["data"]["node"]["__typename"] == "Measurement"
    assert body["data"]["measurement"]["columns"] == ([] if not read else body["data"]["node"]["columns"])
    assert body["data"]["measurement"]["isTerminal"] is read
    body = await pair.same(CELL, {"id": cell.id})
    node = {"id": cell.id, "__typename": "CellInstance", "name": cell.name}
    assert body["data"]["node"] == node | {"cellSpecificationId": cell.cell_specification_id}
    body = await pair.same(SPECIFICATION, {"id": cell.cell_specification_id})
    assert body["data"]["node"]["__typename"] == "CellSpecification"
    assert body["data"]["cellSpecification"]["details"] == {"ratings": {"é": 1.5}}


async def test_objects_of_others_are_not_found(pair: Pair) -> None:
    row, cell = await made(pair, STRANGER, "theirs", read=True)
    ids = {row.id: ALL, cell.id: CELL, cell.cell_specification_id: SPECIFICATION}
    for id, query in ids.items():
        body = await pair.same(query, {"id": id})
        assert set(body["data"].values()) == {None}


async def test_signed_addresses_are_made_alike(pair: Pair) -> None:
    body = await pair.same("{ measurements(first: 100) { nodes { id downloadUrl } } }")
    urls = [each["downloadUrl"] for each in body["data"]["measurements"]["nodes"]]
    assert any(urls)
    assert None in urls
