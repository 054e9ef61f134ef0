"""Audit log: each change that a key makes is recorded once, in its own transaction."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlmodel import col, select

from app.auth.caller import LOCAL, Caller
from app.database.connect import database_url as parsed
from app.database.connect import open_database
from app.database.interface import Database
from app.database.migrations import migrate
from app.errors import Rejected, RequestError
from app.measurements import cells
from app.measurements import service as measurements
from app.measurements.inputs import MeasurementUpdate, parse_create
from app.measurements.uploads import UploadLimits
from app.models.audit import AuditEntry
from app.models.enums import AuditAction, ElementType, PipelineStatus
from app.models.measurements import CellInstance, CellSpecification
from app.models.tables import Pipeline
from app.pipelines import lifecycle, service
from app.pipelines.elements import Element
from app.pipelines.inputs import PipelineCreate, PipelineUpdate
from app.pipelines.lifecycle import QueueLimits
from app.pipelines.lists.audit import AuditOrder
from app.pipelines.lists.pagination import Page, window
from app.pipelines.rerun.command import RerunCommand
from app.pipelines.rerun.service import rerun
from schema.types.keys.audit import AuditFilter

ADA = Caller("org", "ada", "ada@example.org", key="vg_ada")
READER = Caller("org", may_write=False, key="vg_reader")
LIMITS, UPLOADS = QueueLimits(1), UploadLimits(1000, 10_000)
DRAFT = PipelineCreate("p", "né", None, None, [Element("e", ElementType.CALCULATION, "{}")])


@pytest.fixture(name="database")
async def _database(database_url: str) -> AsyncIterator[Database]:
    await migrate(parsed(database_url))
    async with open_database(parsed(database_url), 100) as database:
        yield database


async def recorded(database: Database) -> list[tuple[str, str, str]]:
    """Return action, type and id of all entries, oldest first."""
    async with database.read() as session:
        entries = list(await session.exec(select(AuditEntry).order_by(col(AuditEntry.id))))
    assert all(each.organization_id == "org" and each.at.tzinfo for each in entries)
    return [(each.action.name, each.object_type.name, each.object_id) for each in entries]


async def set_status(database: Database, id: str, status: PipelineStatus) -> None:
    async def work(session: Any) -> None:
        (await session.get_one(Pipeline, id)).status = status

    await database.write(work)


def upload(**fields: Any) -> Any:
    given = dict.fromkeys(
        ("notes", "tags", "cell_instance_id", "format", "file_name", "reader", "size", "data", "idempotency_key")
    )
    return parse_create(**{"project_id": "p", "name": "m", **given, **fields})


async def test_each_change_of_a_pipeline_is_recorded(database: Database) -> None:
    id = (await service.create(database, ADA, DRAFT)).id
    await service.update(database, ADA, id, PipelineUpdate({"name": "new"}, None))
    copy = (await service.duplicate(database, ADA, id, None, lambda size: None)).id
    await lifecycle.start(database, LIMITS, ADA, id)
    await lifecycle.start(database, LIMITS, ADA, id)  # nothing changes
    await lifecycle.cancel(database, ADA, id)
    await lifecycle.cancel(database, ADA, id)
    command = RerunCommand(None, None, {}, False)
    again = (await rerun(database, LIMITS, ADA, id, command, lambda size: None)).id
    await service.delete(database, ADA, id)
    assert await recorded(database) == [
        ("CREATED", "PIPELINE", id),
        ("UPDATED", "PIPELINE", id),
        ("DUPLICATED", "PIPELINE", copy),
        ("STARTED", "PIPELINE", id),
        ("CANCELED", "PIPELINE", id),
        ("RERUN", "PIPELINE", again),
        ("DELETED", "PIPELINE", id),
    ]
    async with database.read() as session:
        entries = list(await session.exec(select(AuditEntry).order_by(col(AuditEntry.id))))
    assert {(each.key, each.user_id, each.email, each.project_id) for each in entries} == {
        ("vg_ada", "ada", "ada@example.org", "p")
    }
    assert [each.object_name for each in entries][:3] == ["né", "new", "new (copy)"]


async def test_updates_with_equal_values_change_nothing(database: Database) -> None:
    draft = DRAFT._replace(labels=["a", "b"], description="d")
    pipeline = await service.create(database, ADA, draft)
    other = await service.create(database, ADA, draft)
    specification = await cells.create_specification(database, ADA, "p", "s", {"form": "pouch"})
    cell = await cells.create_instance(database, ADA, specification.id, "c", {})
    measurement, _ = await measurements.create(
        database, ADA, upload(cell_instance_id=cell.id, tags=["t"], notes="n"), UPLOADS
    )
    before = len(await recorded(database))
    with database.broker.subscribe(ADA) as subscriber:
        await database.listen()
        for values, elements, labels in (
            ({}, None, None),
            ({"name": "né", "description": "d", "live_progress_updates": None}, DRAFT.elements, ["a", "b"]),
        ):
            same = await service.update(database, ADA, pipeline.id, PipelineUpdate(values, elements, labels))
            assert same.updated_at == pipeline.updated_at
        for change in (MeasurementUpdate({}), MeasurementUpdate({"name": "m", "notes": "n"}, ["t"], {})):
            assert (
                await measurements.update(database, ADA, measurement.id, change)
            ).updated_at == measurement.updated_at
        for fields in ({}, {"name": "s", "form": "pouch", "missing": None}):
            same_cell = await cells.update(database, ADA, CellSpecification, specification.id, fields)
            assert same_cell.updated_at == specification.updated_at
        assert len(await recorded(database)) == before
        await service.update(database, ADA, other.id, PipelineUpdate({}, labels=["a"]))
        async with asyncio.timeout(30):
            assert list(await subscriber.take(10)) == [other.id]
    assert (await recorded(database))[before:] == [("UPDATED", "PIPELINE", other.id)]


@pytest.mark.parametrize(
    "element",
    [
        Element("f", ElementType.CALCULATION, "{}"),
        Element("e", ElementType.VALIDATION, "{}"),
        Element("e", ElementType.CALCULATION, '{"a":1}'),
    ],
)
async def test_one_other_value_of_an_element_is_a_change(database: Database, element: Element) -> None:
    draft = DRAFT._replace(elements=[*DRAFT.elements, Element("last", ElementType.VALIDATION, "{}")])
    before = await service.create(database, ADA, draft)
    changes = PipelineUpdate({}, [element, draft.elements[1]])
    assert (await service.update(database, ADA, before.id, changes)).updated_at > before.updated_at
    swapped = PipelineUpdate({}, [draft.elements[1], element])
    assert (await service.update(database, ADA, before.id, swapped)).updated_at > before.updated_at
    assert len(await recorded(database)) == 3


async def test_a_repeat_with_an_idempotency_key_is_recorded_once(database: Database) -> None:
    draft = PipelineCreate("p", "n", None, None, DRAFT.elements, idempotency_key="k")
    first = await service.create(database, ADA, draft)
    assert (await service.create(database, ADA, draft)).id == first.id
    assert await recorded(database) == [("CREATED", "PIPELINE", first.id)]


async def test_what_is_refused_is_not_recorded(database: Database) -> None:
    mine = (await service.create(database, LOCAL, DRAFT)).id
    await lifecycle.start(database, LIMITS, LOCAL, mine)
    others = (await service.create(database, Caller("org"), DRAFT)).id
    for work in (
        service.create(database, READER, DRAFT),
        service.update(database, READER, others, PipelineUpdate({"name": "x"}, None)),
        service.delete(database, ADA, mine),
        lifecycle.start(database, LIMITS, READER, others),
        lifecycle.cancel(database, Caller("org", projects=frozenset("q"), key="vg_q"), others),
    ):
        with pytest.raises(Rejected):
            await work
    assert await recorded(database) == []


async def test_changes_without_a_key_are_not_recorded(database: Database) -> None:
    id = (await service.create(database, LOCAL, DRAFT)).id
    await service.delete(database, LOCAL, id)
    await cells.create_specification(database, LOCAL, "p", "s", {})
    assert await recorded(database) == []


async def test_each_change_of_a_measurement_is_recorded(database: Database) -> None:
    specification = await cells.create_specification(database, ADA, "p", "s", {})
    cell = await cells.create_instance(database, ADA, specification.id, "c", {})
    await cells.update(database, ADA, CellInstance, cell.id, {"name": "d"})
    draft = upload(cell_instance_id=cell.id, data={"Time [s]": [0, 1], "Voltage [V]": [4, 4]})
    row, _ = await measurements.create(database, ADA, draft, UPLOADS)
    await measurements.complete(database, ADA, row.id)  # it was completed with its data
    await measurements.update(database, ADA, row.id, MeasurementUpdate({"name": "n"}))
    await measurements.delete(database, ADA, row.id)
    broken, _ = await measurements.create(database, ADA, upload(cell_instance_id=cell.id, name="broken"), UPLOADS)
    await cells.delete(database, ADA, CellInstance, cell.id)
    await cells.delete(database, ADA, CellSpecification, specification.id)
    assert await recorded(database) == [
        ("CREATED", "CELL_SPECIFICATION", specification.id),
        ("CREATED", "CELL_INSTANCE", cell.id),
        ("UPDATED", "CELL_INSTANCE", cell.id),
        ("CREATED", "MEASUREMENT", row.id),
        ("COMPLETED", "MEASUREMENT", row.id),
        ("UPDATED", "MEASUREMENT", row.id),
        ("DELETED", "MEASUREMENT", row.id),
        ("CREATED", "MEASUREMENT", broken.id),
        ("DELETED", "MEASUREMENT", broken.id),
        ("DELETED", "CELL_INSTANCE", cell.id),
        ("DELETED", "CELL_SPECIFICATION", specification.id),
    ]


async def test_entries_are_listed_by_filter_and_rights(database: Database) -> None:
    ids = [(await service.create(database, ADA, DRAFT._replace(project_id=name))).id for name in "pqpq"]
    await service.delete(database, Caller("org", key="vg_bob"), ids[0])
    await service.create(database, Caller("others", key="vg_stranger"), DRAFT)

    async def page(caller: Caller = ADA, size: int | None = None, cursor: str | None = None, **filter: Any) -> Page:
        order, wanted = AuditOrder(), AuditFilter(**filter).plain()
        return await Page(database, caller, wanted, order, window(order, size, cursor, None, None)).load()

    async def found(caller: Caller = ADA, **filter: Any) -> list[str]:
        return [row.object_id for row in (await page(caller, **filter)).rows]

    everything = [ids[0], *ids[::-1]]
    assert await found() == everything
    assert await found(object_id=ids[0]) == [ids[0], ids[0]]
    assert await found(key="vg_bob") == [ids[0]]
    assert await found(actions=(AuditAction.CREATED,)) == ids[::-1]
    assert await found(actions=()) == []
    assert await found(project_id="q") == [ids[3], ids[1]]
    narrowed = Caller("org", projects=frozenset("q"), key="vg_ada")
    assert await found(narrowed) == [ids[3], ids[1]]
    with pytest.raises(RequestError, match="may not use this project"):
        await found(narrowed, project_id="p")
    at = (await page()).rows[2].at
    assert await found(after=at) == everything[:2]
    assert await found(before=at) == everything[3:]
    first = await page(size=3)
    assert await first.has_next()
    rest = await page(cursor=first.order.cursor(first.rows[-1]))
    assert [row.object_id for row in first.rows + rest.rows] == everything
