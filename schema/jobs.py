"""GraphQL types of jobs and their checkpoints."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import strawberry
from strawberry.scalars import JSON

from app import models, reading
from app.models import JobErrorCode, JobStatus
from schema import enums  # noqa: F401  registers the enums
from schema.context import Info
from schema.node import ID, Node

if TYPE_CHECKING:
    from schema.types import PipelineElement

MaxPoints = Annotated[
    int, strawberry.argument(description=f"Maximum number of checkpoints: 1 to {reading.MAX_TRACE:,}.")
]


@strawberry.type(description="Progress of a job at one time.")
class Checkpoint:
    at: datetime = strawberry.field(description="When it was reported.")
    iteration: int | None = strawberry.field(description="Iterations so far.")
    cost: float | None = strawberry.field(description="The cost at that time.")
    best_cost: float | None = strawberry.field(description="The lowest cost so far.")

    @strawberry.field(description="Physical values, by parameter name.", graphql_type=JSON | None)
    def parameters(self) -> Any:
        return orjson.Fragment(self.parameters)  # the column of the row, not this method


@strawberry.type(description="The execution of one element: one job per element, kept across retries.")
class Job(Node):
    row: strawberry.Private[models.PipelineElement]

    @classmethod
    def of(cls, row: models.PipelineElement) -> Job | None:
        """Return the job of an element; None until it is submitted."""
        return None if row.job_id is None else cls(id=ID(row.job_id), row=row)

    @strawberry.field(description="The type of its element.")
    def element(self) -> Annotated[PipelineElement, strawberry.lazy("schema.types")]:
        return self.row  # type: ignore[return-value]

    @strawberry.field(description="Its status.")
    def status(self) -> JobStatus:
        return self.row.job_status or JobStatus.PENDING

    @strawberry.field(description="Number of attempts: 1, or more after crashes and retries.")
    def attempt(self) -> int:
        return self.row.attempt

    @strawberry.field(description="When its first attempt started.")
    def started_at(self) -> datetime | None:
        return self.row.started_at

    @strawberry.field(description="When it ended.")
    def finished_at(self) -> datetime | None:
        return self.row.finished_at

    @strawberry.field(description="The error message. Null unless FAILED.")
    def error(self) -> str | None:
        return self.row.error

    @strawberry.field(description="The error code. Null unless FAILED.")
    def error_code(self) -> JobErrorCode | None:
        return self.row.error_code

    @strawberry.field(description="The newest checkpoint.", graphql_type=Checkpoint | None)
    async def progress(self, info: Info) -> models.Checkpoint | None:
        return await info.context.newest_checkpoints.load(self.row.id)

    @strawberry.field(
        description="Checkpoints, oldest first, downsampled to at most `maxPoints` including the newest.",
        graphql_type=list[Checkpoint],
    )
    async def trace(self, info: Info, max_points: MaxPoints = reading.DEFAULT_TRACE) -> list[models.Checkpoint]:
        return await info.context.trace(self.row.id, reading.checked_points(max_points))
