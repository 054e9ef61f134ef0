"""What mutations answer: the thing, or every reason why not."""

from collections.abc import Awaitable, Callable
from typing import Any

import strawberry
from strawberry.utils.str_converters import to_camel_case

from app.errors import Path, ProblemCode, Rejected
from schema.types import ID, Pipeline


@strawberry.type(description="A problem the caller can fix. Anything else is a top-level error with `extensions.code`.")
class UserError:
    code: ProblemCode = strawberry.field(description="What kind of problem it is, for a program.")
    message: str = strawberry.field(description="What is wrong, for a person.")
    field: list[str] | None = strawberry.field(
        description='Path to the argument at fault, as it was sent: `["input", "elements", "1", "jobConfig"]`.'
    )


@strawberry.type(description="`pipeline` is null exactly when `userErrors` is not empty.")
class PipelinePayload:
    pipeline: Pipeline | None = strawberry.field(description="The pipeline after the change.")
    user_errors: list[UserError] = strawberry.field(description="Everything that kept it from being done.")


@strawberry.type(description="`deletedPipelineId` is null exactly when `userErrors` is not empty.")
class DeletePipelinePayload:
    deleted_pipeline_id: ID | None = strawberry.field(description="The id that is free of its pipeline now.")
    user_errors: list[UserError] = strawberry.field(description="Everything that kept it from being done.")


async def payload(work: Callable[[], Awaitable[Any]], *arguments: str) -> PipelinePayload:
    """The pipeline that `work` comes to, or everything that it is rejected for. `arguments` stand beside `input`."""
    try:
        return PipelinePayload(pipeline=await work(), user_errors=[])
    except Rejected as rejected:
        return PipelinePayload(pipeline=None, user_errors=user_errors(rejected, *arguments))


def user_errors(rejected: Rejected, *arguments: str) -> list[UserError]:
    return [UserError(code=p.code, message=p.message, field=_field(p.path, arguments)) for p in rejected.problems]


def _field(path: Path, arguments: tuple[str, ...]) -> list[str] | None:
    """The path as GraphQL spells it: what is no argument of its own is in `input`. What lies below the first step is
    the caller's own spelling already."""
    if not path:
        return None
    first, *rest = map(str, path)
    return [*([] if first in arguments else ["input"]), to_camel_case(first), *rest]
