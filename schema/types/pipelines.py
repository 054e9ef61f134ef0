"""GraphQL types of pipelines, elements and jobs. Resolvers return rows; a field without a resolver reads the attribute
of its name."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, Any, NamedTuple

import orjson
import strawberry
from strawberry import UNSET
from strawberry.scalars import JSON

from app.models import tables
from app.models.enums import (
    ElementType,
    JobErrorCode,
    JobLogStream,
    JobStatus,
    PipelineElementStatus,
    PipelineStatus,
    SeriesSource,
)
from app.pipelines import repository
from app.pipelines.budget import size_of
from app.pipelines.results import objectives as stored
from app.pipelines.results import outcomes, parameter_sets, parsed
from schema.types.account.actions import PipelineActions
from schema.types.account.projects import Project
from schema.types.context import Info
from schema.types.node import ID, Node
from schema.types.results.failures import Failure, failure
from schema.types.results.outcomes import ElementObjective, Outcome, ParameterValue, ResultWarning
from schema.types.results.parameter_sets import ParameterSet
from schema.types.results.series import (
    DESCRIPTION,
    HISTORY_DESCRIPTION,
    Columns,
    MaxPoints,
    Objective,
    Source,
    XMax,
    XMin,
    wanted,
    wanted_history,
)
from schema.types.values import enums  # noqa: F401  registers the enums

__all__ = ["ID", "Job", "Node", "Pipeline", "PipelineElement", "PipelineOptions"]

Names = Annotated[list[str] | None, strawberry.argument(description="Names to select; by default all.")]
ElementNames = Annotated[
    list[str] | None, strawberry.argument(description="Only elements with one of these names; by default all.")
]
ElementTypes = Annotated[
    list[ElementType] | None, strawberry.argument(description="Only elements of one of these types; by default all.")
]
ElementStatuses = Annotated[
    list[PipelineElementStatus] | None,
    strawberry.argument(description="Only elements with one of these statuses; by default all."),
]
TracePoints = Annotated[
    int, strawberry.argument(description=f"Maximum number of checkpoints: 1 to {repository.MAX_TRACE:,}.")
]

Format = Annotated[parameter_sets.ParameterSetFormat, strawberry.argument(description="The format of the file.")]
AfterLine = Annotated[
    int, strawberry.argument(description="Number of the last line known; 0 begins with the first line.")
]
MaxLines = Annotated[int, strawberry.argument(description=f"Maximum number of lines: 1 to {repository.MAX_LINES:,}.")]


@strawberry.type(description="Options for how a pipeline runs.")
class PipelineOptions:
    live_progress_updates: bool | None = strawberry.field(
        description="Save checkpoint progress while a job runs. Null: the worker chooses by job type."
    )


@strawberry.type(description="Progress of a job at one time.")
class Checkpoint:
    at: datetime = strawberry.field(description="When it was reported.")
    iteration: int | None = strawberry.field(description="Iterations so far.")
    cost: float | None = strawberry.field(description="The cost at that time.")
    best_cost: float | None = strawberry.field(description="The lowest cost so far.")

    @strawberry.field(description="Physical values, by parameter name.", graphql_type=JSON | None)
    def parameters(self) -> Any:
        return orjson.Fragment(self.parameters)  # the column of the row, not this method


@strawberry.type(description="A line of the log of a job.")
class JobLogLine:
    number: int = strawberry.field(description="Number from 1, without gaps, over all attempts.")
    attempt: int = strawberry.field(description="The attempt that wrote it.")
    at: datetime = strawberry.field(description="When the worker received it.")
    stream: JobLogStream = strawberry.field(description="Its origin.")
    text: str = strawberry.field(description="Its text. Passwords and API keys are replaced by `***`.")


@strawberry.type(description="The execution of one element: one job per element, kept across retries.")
class Job(Node):
    row: strawberry.Private[tables.PipelineElement]

    @classmethod
    def of(cls, row: tables.PipelineElement) -> "Job | None":
        """Return the job of an element; None until it is submitted."""
        return None if row.job_id is None else cls(id=ID(row.job_id), row=row)

    @strawberry.field(description="The type of its element.")
    def element(self) -> Annotated["PipelineElement", strawberry.lazy(".pipelines")]:
        return self.row  # type: ignore[return-value]

    @strawberry.field(description="Its status.")
    def status(self) -> JobStatus:
        return self.row.job_status or JobStatus.PENDING

    @strawberry.field(
        description="Number of attempts: 1, or more after crashes and retries; 0 if the result was taken over by a "
        "rerun."
    )
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
    async def progress(self, info: Info) -> tables.Checkpoint | None:
        return await info.context.newest_checkpoints.load(self.row.id)

    @strawberry.field(
        description="Checkpoints, oldest first, downsampled to at most `maxPoints` including the newest.",
        graphql_type=list[Checkpoint],
    )
    async def trace(self, info: Info, max_points: TracePoints = repository.DEFAULT_TRACE) -> list[tables.Checkpoint]:
        return await info.context.trace(self.row.id, repository.checked_points(max_points))

    @strawberry.field(
        description="Lines of its log after the line `after`, oldest first. Fewer than `maxLines` are all so far.",
        graphql_type=list[JobLogLine],
    )
    async def log(
        self, info: Info, after: AfterLine = 0, max_lines: MaxLines = repository.DEFAULT_LINES
    ) -> list[tables.JobLogLine]:
        repository.checked_lines(after, max_lines)
        return await info.context.log(self.row.id, after, max_lines)


@strawberry.type(description="One job of a pipeline.")
class PipelineElement(Node):
    pipeline_id: ID = strawberry.field(description="The pipeline it belongs to.")

    @strawberry.field(
        description="The pipeline it belongs to.",
        graphql_type=Annotated["Pipeline", strawberry.lazy(".pipelines")],
    )
    async def pipeline(self, info: Info) -> Any:
        return await info.context.pipelines.load(self.pipeline_id)

    organization_id: ID = strawberry.field(description="The organization that owns it.")
    name: str = strawberry.field(description="Unique within its pipeline.")
    element_order: int = strawberry.field(description="Position in its pipeline, from 1.")
    element_type: ElementType = strawberry.field(description="The type of its job.")
    job_id: ID | None = strawberry.field(description="Null until submitted.")
    job_status: JobStatus | None = strawberry.field(description="The status of its job. Null until submitted.")
    status: PipelineElementStatus = strawberry.field(description="Its status.")
    error: str | None = strawberry.field(description="The error message. Null unless FAILED.")
    error_code: JobErrorCode | None = strawberry.field(description="The error code. Null unless FAILED.")
    created_at: datetime = strawberry.field(description="When it was created.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    is_reused: bool = strawberry.field(
        description="Whether its result, series and checkpoints were taken over from the original of a rerun. Its job "
        "is COMPLETED with the original's times, `attempt` 0 and an empty log."
    )

    @strawberry.field(description="The configuration of its job, as it was sent.", graphql_type=JSON)
    async def job_config(self, info: Info) -> Any:
        return await info.context.large("job_config", self.id)

    @strawberry.field(description="The result of its job. Null unless COMPLETED.", graphql_type=JSON | None)
    async def result(self, info: Info) -> Any:
        return await info.context.large("result", self.id)

    @strawberry.field(
        description="The parameter values of `result`, which later elements use. `names` selects some.",
        graphql_type=JSON | None,
    )
    async def parameter_values(self, info: Info, names: Names = UNSET) -> Any:
        result = await info.context.results.load(self.id)
        if result is None:
            return None
        info.context.budget.take_bytes(result.size)
        return result.parameter_values(None if names is UNSET else names)

    @strawberry.field(
        description="Warnings of `result`: reasons why it may be untrustworthy. Null unless COMPLETED.",
        graphql_type=list[ResultWarning] | None,
    )
    async def warnings(self, info: Info) -> list[parsed.ResultWarning] | None:
        result = await info.context.results.load(self.id)
        return None if result is None else result.warnings

    @strawberry.field(
        description="Its result, typed by the type of the element. Null unless COMPLETED.",
        graphql_type=Outcome | None,
    )
    async def outcome(self, info: Info) -> outcomes.Outcome | None:
        result = await info.context.results.load(self.id)
        return None if result is None else outcomes.Outcome(self.element_type, self.name, result)

    @strawberry.field(
        description="Its objectives whose series are stored, in their order. Empty unless COMPLETED.",
        graphql_type=list[ElementObjective],
    )
    async def objectives(self, info: Info) -> list[stored.ElementObjective]:
        return stored.objectives(self.id, await info.context.channels.load(self.id), {})

    @strawberry.field(description="Its failure, with the problems of its configuration. Null unless FAILED.")
    def failure(self) -> Failure | None:
        return failure(self, [self])  # type: ignore[list-item]

    @strawberry.field(description=DESCRIPTION, graphql_type=JSON | None)
    async def series(
        self,
        info: Info,
        objective: Objective,
        source: Source = SeriesSource.OPTIMAL,
        columns: Columns = UNSET,
        max_points: MaxPoints = UNSET,
        x_min: XMin = UNSET,
        x_max: XMax = UNSET,
    ) -> Any:
        asked = wanted(objective, source, columns, max_points=max_points, x_min=x_min, x_max=x_max)
        text = await info.context.series.load((self.id, asked))
        return None if text is None else orjson.Fragment(text)

    @strawberry.field(description=HISTORY_DESCRIPTION, graphql_type=JSON | None)
    async def history(self, info: Info, max_points: MaxPoints = UNSET) -> Any:
        text = await info.context.series.load((self.id, wanted_history(max_points)))
        return None if text is None else orjson.Fragment(text)

    @strawberry.field(description="Its execution. Null until submitted.", graphql_type=Job | None)
    def job(self, info: Info) -> Job | None:
        return Job.of(self)  # type: ignore[arg-type]

    @strawberry.field(description="Details of the failure, for programs.", graphql_type=JSON | None)
    async def error_detail(self, info: Info) -> Any:
        return await info.context.large("error_detail", self.id)

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        return isinstance(value, tables.PipelineElement)


class ChosenElements(NamedTuple):
    """Arguments that select elements; None selects all."""

    names: frozenset[str] | None
    types: frozenset[ElementType] | None
    statuses: frozenset[PipelineElementStatus] | None

    @classmethod
    def of(cls, names: Any = UNSET, types: Any = UNSET, statuses: Any = UNSET) -> "ChosenElements":
        """Return the selection of arguments that may be unset."""
        return cls(*(frozenset(each) if isinstance(each, list) else None for each in (names, types, statuses)))

    def contain(self, element: tables.PipelineElement) -> bool:
        return (
            (self.names is None or element.name in self.names)
            and (self.types is None or element.element_type in self.types)
            and (self.statuses is None or element.status in self.statuses)
        )


@strawberry.type(description="Progress of a pipeline.")
class PipelineProgress:
    elements: strawberry.Private[list[tables.PipelineElement]]

    @strawberry.field(description="Number of elements that have ended, in any status.")
    def finished(self) -> int:
        return sum(each.status.is_terminal for each in self.elements)

    @strawberry.field(description="Number of elements.")
    def total(self) -> int:
        return len(self.elements)

    @strawberry.field(description="The running element, if any.", graphql_type=PipelineElement | None)
    def current(self) -> tables.PipelineElement | None:
        return next((each for each in self.elements if each.status is PipelineElementStatus.RUNNING), None)


@strawberry.type(description="An ordered list of elements, each a job.")
class Pipeline(Node):
    project_id: ID = strawberry.field(description="The project it belongs to.")
    organization_id: ID = strawberry.field(description="The organization that owns it.")
    user_id: ID | None = strawberry.field(description="The user who created it, if known.")
    created_by_email: str | None = strawberry.field(description="The email of the user who created it, if known.")
    name: str = strawberry.field(description="A name for people; need not be unique.")
    description: str | None = strawberry.field(description="Its purpose, in its owner's words.")
    status: PipelineStatus = strawberry.field(description="Its status.")
    is_terminal: bool = strawberry.field(description="True once `status` cannot change again: stop polling.")
    error: str | None = strawberry.field(description="The error message of the run. Null unless FAILED.")
    error_code: JobErrorCode | None = strawberry.field(description="The error code of the run. Null unless FAILED.")
    created_at: datetime = strawberry.field(description="When it was created.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    started_at: datetime | None = strawberry.field(description="When it was started.")
    finished_at: datetime | None = strawberry.field(description="When it became terminal.")
    duration: float | None = strawberry.field(
        description="Seconds from its start to its end. Null until it has ended, and if it never started."
    )

    @strawberry.field(description="Free labels, sorted.", graphql_type=list[str])
    def labels(self) -> Any:
        return orjson.loads(self.labels)  # the column of the row, not this method

    @strawberry.field(
        description="Position in its organization's queue, from 1, while it waits for a worker. Null unless it waits. "
        "Subscriptions do not report changes of the position."
    )
    async def queue_position(self, info: Info) -> int | None:
        queued = self.status is PipelineStatus.RUNNING and self.worker_id is None  # type: ignore[attr-defined]
        return await info.context.queue_positions.load(self.id) if queued else None

    @strawberry.field(
        description="The pipeline that it is a rerun of. Null if it is none, or if that pipeline was deleted.",
        graphql_type=Annotated["Pipeline", strawberry.lazy(".pipelines")] | None,
    )
    async def rerun_of(self, info: Info) -> tables.Pipeline | None:
        original: Any = self.rerun_of  # the column of the row, not this method
        return None if original is None else await info.context.pipelines.load(original)

    @strawberry.field(description="Its options.", graphql_type=PipelineOptions)
    def options(self) -> Any:
        return self

    @strawberry.field(
        description="Its elements, in execution order: all, or those that the arguments select.",
        graphql_type=list[PipelineElement],
    )
    async def elements(
        self,
        info: Info,
        names: ElementNames = UNSET,
        types: ElementTypes = UNSET,
        statuses: ElementStatuses = UNSET,
    ) -> list[tables.PipelineElement]:
        chosen = ChosenElements.of(names, types, statuses)
        return list(filter(chosen.contain, await info.context.elements.load(self.id)))

    @strawberry.field(description="The project it belongs to.")
    def project(self) -> Project:
        return Project(id=self.project_id, seen=self.updated_at)

    @strawberry.field(description="The actions that the caller may do with it now.")
    def can(self, info: Info) -> PipelineActions:
        return PipelineActions(status=self.status, caller=info.context.caller)

    @strawberry.field(description="Its progress.")
    async def progress(self, info: Info) -> PipelineProgress:
        return PipelineProgress(elements=await info.context.elements.load(self.id))

    @strawberry.field(
        description="The failure of the run, with the problems of all configurations. Null unless FAILED."
    )
    async def failure(self, info: Info) -> Failure | None:
        if self.error_code is None:
            return None
        elements = await info.context.elements.load(self.id)
        return failure(self, [each for each in elements if each.error_code is not None])

    @strawberry.field(
        description="The parameter values of its elements, later ones over earlier ones. `names` selects some. Null "
        "until an element is COMPLETED.",
        graphql_type=JSON | None,
    )
    async def parameter_values(self, info: Info, names: Names = UNSET) -> Any:
        results = [result for _, result in await _results(self, info)]
        info.context.budget.take_bytes(sum(each.size for each in results))
        return parsed.merged_values(results, None if names is UNSET else names)

    @strawberry.field(
        description="The same values, typed; empty until an element is COMPLETED.", graphql_type=list[ParameterValue]
    )
    async def parameters(self, info: Info) -> Sequence[parsed.ParameterValue]:
        return parsed.merged_parameters(await _results(self, info))

    @strawberry.field(
        description="The parameter values of its elements as a file. Null until an element is COMPLETED.",
        graphql_type=ParameterSet | None,
    )
    async def parameter_set(self, info: Info, format: Format) -> parameter_sets.ParameterSet | None:
        context = info.context
        results = await _results(self, info)
        services = context.services
        charge = partial(services.rate_limiter.charge, context.caller)
        found = await parameter_sets.parameter_set(self.name, results, format, services.exporter, charge)
        if found is not None:
            context.budget.take_bytes(size_of(found.content))
        return found

    @classmethod
    def is_type_of(cls, value: Any, _info: Info) -> bool:
        return isinstance(value, tables.Pipeline)


async def _results(pipeline: Any, info: Info) -> list[tuple[str, parsed.ParsedResult]]:
    """Load the results of a pipeline's elements with the names of these, in execution order."""
    elements = await info.context.elements.load(pipeline.id)
    results = await info.context.results.load_many([each.id for each in elements])
    return [(each.name, result) for each, result in zip(elements, results, strict=True) if result is not None]
