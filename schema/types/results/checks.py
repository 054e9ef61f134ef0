"""GraphQL query that checks a pipeline before it runs, and the check of a mutation."""

from typing import Annotated

import strawberry

from app.errors import Rejected
from app.execution.checking.problems import require_valid
from app.models import tables
from app.pipelines import service
from app.pipelines.budget import size_of
from app.pipelines.inputs import PipelineCreate
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
    """Create a pipeline; with `check`, only if its configurations have no problems. A repeated create with the same
    idempotency key returns the first pipeline, unchecked. Raises Rejected with every problem."""
    database, caller, draft = context.database, context.caller, input.draft()
    if input.check:
        if (first := await service.find_created(database, caller, draft)) is not None:
            return first
        faults = await context.services.checker.faults(caller, draft.elements, context.services.rate_limiter)
        require_valid(draft.elements, faults, is_listed=given(input.elements) is not None)
    return await service.create(database, caller, draft)
