"""Rows of cells, measurements and the audit log with all cases: every status, nulls and values, ties in every order,
two organizations."""

from __future__ import annotations

from datetime import timedelta
from struct import pack
from typing import Any

from sqlalchemy import delete

from app.auth.caller import LOCAL
from app.measurements.orders import MeasurementOrder, MeasurementOrderField
from app.measurements.repository import UsersOrder
from app.measurements.series import END as ENDS
from app.measurements.series import START as STARTS
from app.models.audit import AuditEntry
from app.models.enums import (
    AuditAction,
    AuditedType,
    FileKind,
    MeasurementFormat,
    MeasurementStatus,
    MeasurementType,
)
from app.models.measurements import (
    CellInstance,
    CellSpecification,
    Measurement,
    MeasurementChannel,
    MeasurementFile,
    MeasurementTag,
    PipelineMeasurement,
)
from app.pipelines.lists.audit import AuditOrder
from app.pipelines.lists.pagination import Direction, Order
from tests.schema.plans.data import OTHERS, PIPELINES, START, id_of, pipeline

MEASUREMENTS = 12
COLUMNS = (
    '[{"name":"Time [s]","unit":"s","min":0,"max":2,"missing":0},'
    '{"name":"é","unit":null,"min":null,"max":null,"missing":3}]'
)
STEPS = f'{{"Step number":[1,2],"{STARTS}":[0,2],"{ENDS}":[1,2]}}'
STATUSES = list(MeasurementStatus)


def _owned(number: int) -> dict[str, Any]:
    """Return the columns that all tables of measurements have. Groups of two have equal times, of three equal names."""
    name = ("Cell", "cell É", "Straße_%")[number % 3]
    return {
        "organization_id": OTHERS if number % 5 == 4 else LOCAL.organization_id,
        "project_id": "ab"[number % 2],
        "user_id": "user" if number % 3 else None,
        "created_by_email": "a@example.org" if number % 4 else None,
        "name": name,
        "folded_name": name.casefold(),
        "created_at": START + timedelta(seconds=number // 2),
        "updated_at": START + timedelta(hours=number % 4),
        "details": '{"ratings":{"é":1.50}}' if number % 2 else "{}",
    }


def specification(number: int) -> CellSpecification:
    owned = _owned(number)
    return CellSpecification(id=id_of(4, number), **owned | {"name": f"{owned['name']} {number}"})


def instance(number: int) -> CellInstance:
    owned = _owned(number)
    cell = id_of(4, number % 5)
    return CellInstance(
        id=id_of(5, number), cell_specification_id=cell, **owned | {"name": f"{owned['name']} {number}"}
    )


def measurement(number: int) -> Measurement:
    status = STATUSES[number % len(STATUSES)]
    is_ready = status is MeasurementStatus.READY
    return Measurement(
        id=id_of(6, number),
        cell_instance_id=id_of(5, number) if number % 3 else None,
        notes=None if number % 2 else 'About "it"\n',
        type=list(MeasurementType)[number % len(MeasurementType)],
        status=status,
        error="No." if status is MeasurementStatus.FAILED else None,
        format=list(MeasurementFormat)[number % len(MeasurementFormat)] if number % 2 else None,
        file_name="f.csv" if number % 2 else None,
        row_count=3 if is_ready else None,
        byte_count=55 if is_ready else None,
        sha256="00ff" if is_ready else None,
        start_time=START if is_ready else None,
        end_time=START + timedelta(microseconds=1) if is_ready else None,
        tags='["Straße","b"]' if number % 2 else "[]",
        columns=COLUMNS if is_ready else None,
        changes='["\\"a\\" became b","é"]' if is_ready else None,
        steps=STEPS if is_ready else None,
        cycles="{}" if is_ready else None,
        **_owned(number),
    )


def _parts(of: Measurement, number: int) -> list[Any]:
    """Return the tags, the references, the file and the preview of a measurement."""
    users = range(number, PIPELINES, 3) if number % 4 else ()
    return [
        *[MeasurementTag(measurement_id=of.id, folded_tag=tag) for tag in (("strasse", "b") if number % 2 else ())],
        *[PipelineMeasurement(measurement_id=of.id, pipeline_id=id_of(1, user)) for user in users],
        MeasurementFile(
            id=id_of(7, number),
            measurement_id=of.id,
            organization_id=of.organization_id,
            kind=FileKind.UPLOAD,
            is_complete=number % 3 != 0,
            created_at=START,
        ),
        *[
            MeasurementChannel(
                measurement_id=of.id, position=position, name=name, samples=pack("<3d", 0, position, float("nan"))
            )
            for position, name in enumerate(["Time [s]", "é"])
            if of.row_count
        ],
    ]


def entry(number: int) -> AuditEntry:
    owned = _owned(number)
    return AuditEntry(
        id=id_of(8, number),
        organization_id=owned["organization_id"],
        project_id=owned["project_id"],
        at=owned["created_at"],
        key=f"vg_{number % 3}",
        user_id=owned["user_id"],
        email=owned["created_by_email"],
        action=list(AuditAction)[number % len(AuditAction)],
        object_type=list(AuditedType)[number % len(AuditedType)],
        object_id=id_of(6, number % 4),
        object_name=owned["name"],
    )


async def store(session: Any) -> None:
    """Store all rows in place of the existing ones."""
    for table in (PipelineMeasurement, MeasurementFile, Measurement, CellInstance, CellSpecification, AuditEntry):
        await session.exec(delete(table))
    for rows in (
        map(specification, range(5)),
        map(instance, range(MEASUREMENTS)),
        map(measurement, range(MEASUREMENTS)),
    ):
        session.add_all(rows)
        await session.flush()
    for number in range(MEASUREMENTS):
        session.add_all(_parts(measurement(number), number))
    session.add_all(map(entry, range(10)))


IDS = {
    "CellSpecification": [id_of(4, number) for number in range(6)],
    "CellInstance": [id_of(5, number) for number in range(MEASUREMENTS + 1)],
    "Measurement": [id_of(6, number) for number in range(MEASUREMENTS + 1)],
}


def cursors(kind: str, field: str, direction: str) -> list[str]:
    """Return the cursors of a list in an order."""
    if kind == "AuditEntry":
        return [AuditOrder().cursor(entry(number)) for number in range(10)]
    if kind == "Users":
        return [UsersOrder().cursor(pipeline(number)) for number in range(PIPELINES)]
    if kind == "Measurement":
        order: Order = MeasurementOrder(MeasurementOrderField[field].value, Direction[direction])
        return [order.cursor(measurement(number)) for number in range(MEASUREMENTS)]
    return [Order().cursor(specification(number)) for number in range(10)]
