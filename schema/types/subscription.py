"""GraphQL subscriptions."""

from collections.abc import AsyncGenerator
from typing import Annotated, Any

import strawberry
from strawberry import UNSET

from app.models import tables
from app.pipelines.feed.kinds import Changed, Kind
from app.pipelines.feed.readings import Event
from schema.types.context import Info
from schema.types.lists.filters import PipelineFilter
from schema.types.measurements.subscription import MeasurementSubscriptions
from schema.types.pipelines import ID, AfterLine, JobLogLine, Pipeline
from schema.types.query import plain


@strawberry.type(description="A pipeline that was created, changed or deleted.")
class PipelineChange:
    kind: Kind = strawberry.field(description="The kind of the change, as the subscription sees it.")

    @strawberry.field(description="The pipeline's id.")
    @staticmethod
    def pipeline_id(parent: strawberry.Parent[Changed]) -> ID:
        return ID(parent.id)

    @strawberry.field(description="The id of a deleted pipeline, for caches to drop. Null unless DELETED.")
    @staticmethod
    def deleted_pipeline_id(parent: strawberry.Parent[Changed]) -> ID | None:
        return ID(parent.id) if parent.kind is Kind.DELETED else None

    @strawberry.field(
        description="Its newest state, which may be newer than this change. Null when DELETED.",
        graphql_type=Pipeline | None,
    )
    @staticmethod
    def pipeline(parent: strawberry.Parent[Changed]) -> Any:
        return parent.newest


@strawberry.type(
    description="Operations that watch data, over a WebSocket (graphql-transport-ws) or server-sent events."
)
class Subscription(MeasurementSubscriptions):
    @strawberry.subscription(
        description="The current state of a pipeline, then its newest state after changes (quick ones may merge). "
        "Completes after the terminal state, which is always sent, or when the pipeline is deleted. A pipeline that "
        "does not exist or that the caller may not see is an error: NOT_FOUND.",
        graphql_type=Pipeline,
    )
    def pipeline_updated(
        self, info: Info, id: Annotated[ID, strawberry.argument(description="The pipeline's id.")]
    ) -> AsyncGenerator[Event, None]:
        return info.context.services.feed.states(info.context.caller, id)

    @strawberry.subscription(
        description="Changes to pipelines that match, or matched before the change, from now on. Quick ones merge into "
        "one, whose `kind` compares the state that was sent last with the newest. Projects that the API key may not "
        "use are hidden: a pipeline that leaves one has ENTERED, and one that moves into one is DELETED.",
        graphql_type=PipelineChange,
    )
    def pipelines_updated(
        self,
        info: Info,
        filter: Annotated[
            PipelineFilter | None, strawberry.argument(description="The filter; by default all pipelines.")
        ] = UNSET,
    ) -> AsyncGenerator[Event, None]:
        return info.context.services.feed.changes(info.context.caller, plain(info.context.caller, filter))

    @strawberry.subscription(
        description="The log of a job after the line `after`, then further lines as they are written, some at a time. "
        "Completes when the job has ended. A job that does not exist or that the caller may not see is an error: "
        "NOT_FOUND.",
        graphql_type=list[JobLogLine],
    )
    def job_log(
        self,
        info: Info,
        job_id: Annotated[ID, strawberry.argument(description="The job's id.")],
        after: AfterLine = 0,
    ) -> AsyncGenerator[list[tables.JobLogLine], None]:
        return info.context.services.feed.log(info.context.caller, job_id, after)
