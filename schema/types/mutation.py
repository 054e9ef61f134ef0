"""GraphQL mutations."""

from typing import Annotated

import strawberry
from strawberry import UNSET

from app.errors import Rejected
from app.models.tables import Pipeline
from app.pipelines import bulk, lifecycle, service
from app.pipelines.rerun.service import rerun
from app.server.observability.request_log import request_id
from schema.types.context import Info
from schema.types.inputs import CreatePipelineInput, RerunPipelineInput, UpdatePipelineInput
from schema.types.keys.operations import KeyMutations
from schema.types.lists.fields import given
from schema.types.measurements.mutation import MeasurementMutations
from schema.types.payloads import (
    DeletePipelinePayload,
    DeletePipelinesPayload,
    PipelinePayload,
    PipelinesPayload,
    entry_errors,
    payload,
    payloads,
    user_errors,
)
from schema.types.pipelines import ID
from schema.types.results.checks import create, drafted

PipelineIds = Annotated[
    list[ID],
    strawberry.argument(description=f"Their ids: 1 to {bulk.MOST}. One that is given twice is handled twice."),
]
PipelineId = Annotated[ID, strawberry.argument(description="The pipeline's id.")]


@strawberry.type(description="Operations that change data.")
class Mutation(MeasurementMutations, KeyMutations):
    @strawberry.mutation(
        description="Create a pending pipeline with its elements. It does not run until `startPipeline`, unless "
        "`start` is true."
    )
    async def create_pipeline(
        self,
        info: Info,
        input: Annotated[CreatePipelineInput, strawberry.argument(description="The pipeline to create.")],
    ) -> PipelinePayload:
        return await payload(lambda: create(info.context, input))

    @strawberry.mutation(
        description=f"Create 1 to {bulk.MOST} pipelines in one transaction. An input that is refused stores nothing; "
        "the others are created."
    )
    async def create_pipelines(
        self,
        info: Info,
        inputs: Annotated[list[CreatePipelineInput], strawberry.argument(description="The pipelines to create.")],
    ) -> PipelinesPayload:
        bulk.require_count("inputs", len(inputs))
        services, caller = info.context.services, info.context.caller
        drafts = [await drafted(info.context, input) for input in inputs]
        created = await bulk.create(services.database, services.queue_limits, caller, drafts, request_id())
        return payloads(created, "inputs")

    @strawberry.mutation(
        description="Change a pipeline. Elements and options can change only while PENDING. If all values are equal to "
        "the present ones, nothing changes: `updatedAt` stays, and no event is sent."
    )
    async def update_pipeline(
        self,
        info: Info,
        id: PipelineId,
        input: Annotated[UpdatePipelineInput, strawberry.argument(description="The changes.")],
    ) -> PipelinePayload:
        database, caller = info.context.database, info.context.caller
        return await payload(lambda: service.update(database, caller, id, input.changes()), "id")

    @strawberry.mutation(
        description="Start a pending pipeline: it waits in its organization's queue until a worker takes it. A RUNNING "
        "one is returned unchanged; a terminal one is INVALID_STATE."
    )
    async def start_pipeline(self, info: Info, id: PipelineId) -> PipelinePayload:
        services, caller = info.context.services, info.context.caller
        limits = services.queue_limits
        return await payload(lambda: lifecycle.start(services.database, limits, caller, id, request_id()), "id")

    @strawberry.mutation(
        description=f"Start 1 to {bulk.MOST} pipelines in one transaction; they are queued in the order of the list. "
        "Each is started or refused as by `startPipeline`."
    )
    async def start_pipelines(self, info: Info, ids: PipelineIds) -> PipelinesPayload:
        bulk.require_count("ids", len(ids))
        services, caller = info.context.services, info.context.caller
        started = await bulk.start(services.database, services.queue_limits, caller, ids, request_id())
        return payloads(started, "ids")

    @strawberry.mutation(
        description="Cancel a pipeline and stop its running job. A CANCELED one is returned unchanged."
    )
    async def cancel_pipeline(self, info: Info, id: PipelineId) -> PipelinePayload:
        services, caller = info.context.services, info.context.caller
        return await payload(lambda: lifecycle.cancel(services.database, caller, id), "id")

    @strawberry.mutation(
        description=f"Cancel 1 to {bulk.MOST} pipelines in one transaction, each as by `cancelPipeline`."
    )
    async def cancel_pipelines(self, info: Info, ids: PipelineIds) -> PipelinesPayload:
        bulk.require_count("ids", len(ids))
        services, caller = info.context.services, info.context.caller
        return payloads(await bulk.cancel(services.database, caller, ids), "ids")

    @strawberry.mutation(description="Create a pending copy, to run again or to change a finished run.")
    async def duplicate_pipeline(
        self,
        info: Info,
        id: PipelineId,
        name: Annotated[
            str | None,
            strawberry.argument(description="The copy's name; by default the original name followed by ` (copy)`."),
        ] = UNSET,
    ) -> PipelinePayload:
        context = info.context
        return await payload(
            lambda: service.duplicate(context.database, context.caller, id, given(name), context.take_copy),
            "id",
            "name",
        )

    @strawberry.mutation(
        description="Run an ended pipeline again as a new one, which takes over the results of its completed elements "
        "before the first that runs again. A pipeline that has not ended is INVALID_STATE."
    )
    async def rerun_pipeline(
        self,
        info: Info,
        id: PipelineId,
        input: Annotated[
            RerunPipelineInput | None, strawberry.argument(description="Where it begins, and what changes.")
        ] = UNSET,
    ) -> PipelinePayload:
        context, wanted = info.context, given(input) or RerunPipelineInput()
        limits = context.services.queue_limits

        async def work() -> Pipeline:
            command = wanted.command()
            return await rerun(
                context.services.database, limits, context.caller, id, command, context.take_copy, request_id()
            )

        return await payload(work, "id")

    @strawberry.mutation(description="Delete a pipeline and its elements. A RUNNING one is INVALID_STATE.")
    async def delete_pipeline(self, info: Info, id: PipelineId) -> DeletePipelinePayload:
        try:
            await service.delete(info.context.database, info.context.caller, id)
        except Rejected as rejected:
            return DeletePipelinePayload(deleted_pipeline_id=None, user_errors=user_errors(rejected, "id"))
        return DeletePipelinePayload(deleted_pipeline_id=id, user_errors=[])

    @strawberry.mutation(
        description=f"Delete 1 to {bulk.MOST} pipelines and their elements in one transaction, each as by "
        "`deletePipeline`."
    )
    async def delete_pipelines(self, info: Info, ids: PipelineIds) -> DeletePipelinesPayload:
        bulk.require_count("ids", len(ids))
        deleted = await bulk.delete(info.context.services.database, info.context.caller, ids)
        entries = [
            DeletePipelinePayload(
                deleted_pipeline_id=id if refused is None else None,
                user_errors=[] if refused is None else entry_errors(refused, "ids", place),
            )
            for place, (id, refused) in enumerate(zip(ids, deleted, strict=True))
        ]
        return DeletePipelinesPayload(results=entries)
