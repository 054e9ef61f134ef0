"""GraphQL query that checks a pipeline before it runs, and the check of a mutation."""

from functools import partial
from typing import Annotated

import strawberry

from app.errors import Rejected
from app.execution.checking.problems import require_valid
from app.models import tables
from app.pipelines import service
from app.pipelines.budget import size_of
from app.pipelines.inputs import PipelineCreate
from app.pipelines.lifecycle import Start
from app.server.observability.request_log import request_id
from schema.types.context import Context, Info
from schema.types.inputs import CreatePipelineInput
from schema.types.lists.fields import given
from schema.types.payloads import UserError, user_errors
from schema.types.results.problems import ConfigurationProblem

OVERHEAD = 40
"""Bytes of the answer per problem, besides its texts."""


@strawberry.type(description="The problems of a pipeline that is not stored.")
class PipelineCheck:
    is_valid: bool = strawberry.field(description="Whether there are neither `problems` nor `userErrors`.")
    problems: list[ConfigurationProblem] = strawberry.field(
        description="All problems for which its run would fail before the first job. Later ones, such as a solver that "
        "finds no solution, show only while it runs."
    )
    user_errors: list[UserError] = strawberry.field(
        description="All errors for which `createPipeline` would refuse it. Configurations are checked if there are "
        "none."
    )


@strawberry.type
class CheckQueries:
    @strawberry.field(
        description="Check a pipeline without storing or running it: as `createPipeline` and the start of its run do. "
        "`idempotencyKey` has no effect. Read-only keys may check, too. BUSY: too many checks wait; try again."
    )
    async def check_pipeline(
        self,
        info: Info,
        input: Annotated[CreatePipelineInput, strawberry.argument(description="The pipeline to check.")],
    ) -> PipelineCheck:
        context = info.context
        try:
            draft = input.draft()
            service.require_project(context.caller, draft)
        except Rejected as rejected:
            return PipelineCheck(is_valid=False, problems=[], user_errors=user_errors(rejected))
        problems = await _problems(context, draft)
        return PipelineCheck(is_valid=not problems, problems=problems, user_errors=[])


async def _problems(context: Context, draft: PipelineCreate) -> list[ConfigurationProblem]:
    services = context.services
    faults = await services.checker.faults(context.caller, draft.elements, services.rate_limiter)
    problems = []
    for element, found in zip(draft.elements, faults, strict=True):
        for fault in found:
            path = [*map(str, fault.path)]
            context.budget.take_bytes(OVERHEAD + sum(map(size_of, (element.name, fault.message, *path))))
            problems.append(ConfigurationProblem(element=element.name, path=path, message=fault.message))
    return problems


async def create(context: Context, input: CreatePipelineInput) -> tables.Pipeline:
    """Create a pipeline, and start it if the input says so. Raises Rejected with every problem."""
    services, caller, draft = context.services, context.caller, await checked_draft(context, input)
    start = partial(Start, services.queue_limits, caller, request_id()) if draft.start else None
    return await service.create(context.database, caller, draft, start)


async def checked_draft(context: Context, input: CreatePipelineInput) -> PipelineCreate:
    """Return the draft of an input; with `check`, only if its configurations have no problems. A repeated create with
    the same idempotency key is not checked. Raises Rejected with every problem."""
    caller, draft = context.caller, input.draft()
    if input.check and await service.find_created(context.database, caller, draft) is None:
        faults = await context.services.checker.faults(caller, draft.elements, context.services.rate_limiter)
        require_valid(draft.elements, faults, is_listed=given(input.elements) is not None)
    return draft


async def drafted(context: Context, input: CreatePipelineInput) -> PipelineCreate | Rejected:
    """Return the draft of an entry of a list, or its refusal."""
    try:
        return await checked_draft(context, input)
    except Rejected as rejected:
        return rejected
