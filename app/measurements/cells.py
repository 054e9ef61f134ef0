"""Service of cells: specifications and their instances, as the official client has them."""

from __future__ import annotations

from typing import Any, TypeVar

import orjson
import uuid_utils
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.auth.caller import NOT_THEIRS, Caller
from app.database.audit import audit_in
from app.database.interface import Database
from app.errors import AlreadyExists, Problem, ProblemCode, Rejected, forbidden, not_found
from app.measurements import uploads
from app.measurements.inputs import merged_fields, reject, text_problems
from app.models.columns import now
from app.models.enums import AuditAction, MeasurementStatus
from app.models.measurements import CellInstance, CellSpecification, Measurement
from app.pipelines.access import require_write, visible
from app.pipelines.service import next_timestamp

Cell = TypeVar("Cell", CellSpecification, CellInstance)
LONGEST_FIELDS = 1_000_000
"""Maximum bytes of the client's own fields of a cell."""
NAMES = {CellSpecification: "cell specification", CellInstance: "cell instance"}


async def create_specification(
    database: Database, caller: Caller, project_id: str | None, name: str | None, fields: dict[str, Any]
) -> CellSpecification:
    """Create a specification. Raises Rejected: AlreadyExists if the project has one of this name."""
    require_write(caller)
    problems = list(text_problems({"project_id": project_id, "name": name}, {"project_id", "name"}))
    reject([*problems, *_field_problems(fields)])
    assert project_id is not None
    assert name is not None
    if not caller.may_use(project_id):
        raise forbidden(NOT_THEIRS, "project_id")
    specification = CellSpecification(**_new(caller, name, fields), project_id=project_id)
    same = (
        col(CellSpecification.organization_id) == caller.organization_id,
        col(CellSpecification.project_id) == project_id,
        col(CellSpecification.name) == name,
    )
    return await _store(database, caller, CellSpecification, specification, same)


async def create_instance(
    database: Database, caller: Caller, specification_id: str, name: str | None, fields: dict[str, Any]
) -> CellInstance:
    """Create an instance. Raises Rejected: NOT_FOUND; AlreadyExists if the specification has one of this name."""
    require_write(caller)
    reject([*text_problems({"name": name}, {"name"}), *_field_problems(fields)])
    assert name is not None
    specification = await find(database, caller, CellSpecification, specification_id)
    instance = CellInstance(
        **_new(caller, name, fields), project_id=specification.project_id, cell_specification_id=specification.id
    )
    same = (col(CellInstance.cell_specification_id) == specification.id, col(CellInstance.name) == name)
    return await _store(database, caller, CellInstance, instance, same)


async def find(database: Database, caller: Caller, model: type[Cell], id: str) -> Cell:
    """Load a cell. Raises NOT_FOUND."""
    async with database.read() as session:
        row = (await session.exec(select(model).where(visible(caller, model), col(model.id) == id))).first()
    if row is None:
        raise not_found(NAMES[model], "id")
    return row


async def update(database: Database, caller: Caller, model: type[Cell], id: str, values: dict[str, Any]) -> Cell:
    """Change the name and the client's own fields of a cell; null removes a field. Equal values change nothing, and
    nothing is recorded. Raises Rejected."""
    require_write(caller)
    others: dict[str, Any] = {name: value for name, value in values.items() if name != "name"}
    reject([*text_problems({k: v for k, v in values.items() if k == "name"}, {"name"}), *_field_problems(others)])

    async def work(session: AsyncSession) -> Cell:
        row = await lock(session, caller, model, id)
        name, details = values.get("name", row.name), merged_fields(row.details, others)
        if (name, details) == (row.name, row.details):
            return row
        row.name, row.folded_name, row.details = name, name.casefold(), details
        row.updated_at = next_timestamp(row.updated_at)
        await audit_in(session, caller, AuditAction.UPDATED, row)
        return row

    try:
        return await database.write(work)
    except IntegrityError:
        message = f"Another {NAMES[model]} has this name."
        raise Rejected(Problem(ProblemCode.CONFLICT, message, ("name",))) from None


async def delete(database: Database, caller: Caller, model: type[Cell], id: str) -> None:
    """Delete a cell. Raises NOT_FOUND; INVALID_STATE if it has instances or measurements."""
    require_write(caller)

    async def work(session: AsyncSession) -> None:
        row = await lock(session, caller, model, id)
        if isinstance(row, CellInstance):
            await _require_no_measurements(session, caller, id)
        elif (await session.exec(_instances(id).limit(1))).first() is not None:
            raise _in_use(NAMES[model], "cell instances")
        await session.delete(row)
        await audit_in(session, caller, AuditAction.DELETED, row)

    await database.write(work)


async def lock(session: AsyncSession, caller: Caller, model: type[Cell], id: str) -> Cell:
    """Load a cell and lock its row until the transaction ends. Raises NOT_FOUND."""
    query = select(model).where(visible(caller, model), col(model.id) == id).with_for_update()
    row = (await session.exec(query)).first()
    if row is None:
        raise not_found(NAMES[model], "id")
    return row


async def _require_no_measurements(session: AsyncSession, caller: Caller, id: str) -> None:
    """Delete uploads that never came; raise INVALID_STATE if there are other measurements."""
    rows = await session.exec(select(Measurement).where(col(Measurement.cell_instance_id) == id).limit(1000))
    for row in rows:
        if row.status is not MeasurementStatus.UPLOADING:
            raise _in_use(NAMES[CellInstance], "measurements")
        await uploads.remove(session, row)
        await audit_in(session, caller, AuditAction.DELETED, row)


def _instances(specification_id: str) -> Any:
    return select(CellInstance.id).where(col(CellInstance.cell_specification_id) == specification_id)


async def _store(database: Database, caller: Caller, model: type[Cell], row: Cell, same: tuple[Any, ...]) -> Cell:
    async def work(session: AsyncSession) -> Cell:
        if (existing := (await session.exec(select(model.id).where(*same))).first()) is not None:
            raise AlreadyExists(f"The {NAMES[model]} {row.name!r:.80} exists.", existing, "name")
        session.add(row)
        await audit_in(session, caller, AuditAction.CREATED, row)
        return row

    try:
        return await database.write(work)
    except IntegrityError:  # created at the same time
        async with database.read() as session:
            existing = (await session.exec(select(model.id).where(*same))).first()
        if existing is None:
            raise not_found(NAMES[CellSpecification], "cell_specification_id") from None
        raise AlreadyExists(f"The {NAMES[model]} {row.name!r:.80} exists.", existing, "name") from None


def _new(caller: Caller, name: str, fields: dict[str, Any]) -> dict[str, Any]:
    at = now()
    kept = {key: value for key, value in fields.items() if value is not None}
    return {
        "id": str(uuid_utils.uuid7()),
        "organization_id": caller.organization_id,
        "user_id": caller.user_id,
        "created_by_email": caller.email,
        "name": name,
        "folded_name": name.casefold(),
        "created_at": at,
        "updated_at": at,
        "details": orjson.dumps(kept).decode(),
    }


def _field_problems(fields: dict[str, Any]) -> list[Problem]:
    size = len(orjson.dumps(fields))
    if size <= LONGEST_FIELDS:
        return []
    return [Problem(ProblemCode.INVALID, f"The fields take {size:,} bytes; at most {LONGEST_FIELDS:,} are kept.")]


def _in_use(what: str, by: str) -> Rejected:
    return Rejected(Problem(ProblemCode.INVALID_STATE, f"The {what} has {by}: delete them first.", ("id",)))
