"""Rows of pipelines without the ORM: read, and within a transaction locked, stored and linked to measurements."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import configure_mappers
from sqlalchemy.orm.attributes import manager_of_class

from app.auth.caller import Caller
from app.database.interface import Database, ReadBudget
from app.database.interface import Steps as ReadSteps
from app.database.writes.mutations import Steps
from app.database.writes.statements import Query, compiled_writes
from app.errors import Problem, ProblemCode, Rejected, not_found
from app.models.enums import PipelineElementStatus
from app.models.tables import Pipeline, PipelineElement
from app.pipelines.access import may_see, require_write
from app.pipelines.lists.labels import fold
from app.pipelines.transactions import statements

configure_mappers()  # otherwise an object of these constructors could not be read before the first use of the ORM
NEW: Callable[[], Pipeline] = manager_of_class(Pipeline).new_instance
"""Constructor that the ORM uses for loaded rows; the class's own takes 25 times as long."""
NEW_ELEMENT: Callable[[], PipelineElement] = manager_of_class(PipelineElement).new_instance
COLUMNS, ELEMENT_COLUMNS = (tuple(table.c.keys()) for table in (statements.PIPELINE, statements.ELEMENT))
NO_VALUES: dict[str, Any] = dict.fromkeys(statements.ELEMENT.c.keys())


async def read_rows(database: Database, query: Query, values: Mapping[str, Any]) -> list[Sequence[Any]]:
    """Read the rows of one statement as plans do, outside of a transaction. Unlike a session, it keeps its connection
    if it is canceled."""
    statement = compiled_writes(database.dialect)(query)

    def steps() -> ReadSteps[list[Sequence[Any]]]:
        return statement.rows((yield statement.sql, statement.parameters(values)))

    return await database.run(steps, ReadBudget(is_single=True))


def loaded(row: Sequence[Any]) -> Pipeline:
    """Return the pipeline of a row with all columns."""
    pipeline = NEW()
    vars(pipeline).update(zip(COLUMNS, row, strict=True))
    return pipeline


def loaded_element(row: Sequence[Any]) -> PipelineElement:
    """Return the element of a row with all columns."""
    element = NEW_ELEMENT()
    vars(element).update(zip(ELEMENT_COLUMNS, row, strict=True))
    return element


def lock_pipeline(caller: Caller, id: str) -> Steps[Pipeline]:
    """Load a pipeline and lock its row until the transaction ends. Raises Rejected with FORBIDDEN or NOT_FOUND."""
    require_write(caller)
    for row in (yield statements.LOCK, {"organization": caller.organization_id, "pipeline": id}):
        pipeline = loaded(row)
        if may_see(caller, pipeline.organization_id, pipeline.project_id):
            return pipeline
    raise not_found("pipeline", "id")


def lock_pipelines(caller: Caller, ids: Sequence[str]) -> Steps[dict[str, Pipeline]]:
    """Load pipelines by id and lock their rows; those that the caller may not see are left out."""
    rows = yield statements.lock_many, {"organization": caller.organization_id, "ids": list(dict.fromkeys(ids))}
    found = map(loaded, rows)
    return {each.id: each for each in found if may_see(caller, each.organization_id, each.project_id)}


def find_pipeline(caller: Caller, id: str) -> Steps[Pipeline | None]:
    """Load a pipeline without locking its row; None if the caller may not see it."""
    for row in (yield statements.FIND, {"organization": caller.organization_id, "pipeline": id}):
        pipeline = loaded(row)
        return pipeline if may_see(caller, pipeline.organization_id, pipeline.project_id) else None
    return None


def set_columns(pipeline: Pipeline, values: dict[str, Any]) -> Steps[None]:
    """Change columns of a locked pipeline, in the database and in memory."""
    vars(pipeline).update(values)
    query = statements.update_pipeline(frozenset(values))
    yield query, {"pipeline": pipeline.id, **{f"new_{name}": value for name, value in values.items()}}


def insert_elements(pipeline: Pipeline, elements: Iterable[dict[str, Any]]) -> Steps[None]:
    """Store pending elements of a pipeline; each has the values of its own columns."""
    shared = NO_VALUES | {
        "pipeline_id": pipeline.id,
        "organization_id": pipeline.organization_id,
        "status": PipelineElementStatus.PENDING,
        "attempt": 0,
        "is_reused": False,
        "created_at": pipeline.updated_at,
        "updated_at": pipeline.updated_at,
    }
    yield statements.INSERT_ELEMENT, [shared | own for own in elements]


def invalid_state(pipeline: Pipeline, rule: str) -> Rejected:
    """Return the refusal of a change that the status of a pipeline does not allow."""
    message = f"The pipeline is {pipeline.status.name}: {rule}."
    return Rejected(Problem(ProblemCode.INVALID_STATE, message, ("id",)))


def add_labels(pipeline_id: str, labels: Sequence[str]) -> Steps[None]:
    """Store the labels of a pipeline for filters."""
    if labels:
        yield statements.INSERT_LABEL, [{"pipeline_id": pipeline_id, "folded_label": fold(each)} for each in labels]


def link(caller: Caller, pipeline_id: str, measurement_ids: list[str]) -> Steps[None]:
    """Link a pipeline to the measurements that the caller may see. A run reads only linked measurements, so that it
    reads nothing that the author of its configurations may not see. The rows of the measurements are locked until the
    transaction ends: a link to a deleted one cannot remain."""
    if not measurement_ids:
        return
    found = yield statements.lock_measurements, {"organization": caller.organization_id, "ids": measurement_ids}
    ids = [id for id, organization_id, project_id in found if may_see(caller, organization_id, project_id)]
    yield statements.INSERT_LINK, [{"pipeline_id": pipeline_id, "measurement_id": id} for id in ids]
