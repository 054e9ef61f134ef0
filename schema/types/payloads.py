"""Payloads of mutations: the pipeline, or all user errors."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import strawberry
from strawberry.utils.str_converters import to_camel_case

from app.errors import Path, ProblemCode, Rejected
from schema.types.pipelines import ID, Pipeline

QUERY = "Queries after the change, such as counts and pages that it alters."
Root = Annotated["Query", strawberry.lazy(".query")]  # type: ignore[name-defined]  # noqa: F821  imports this module
ROOT = object()
"""Parent of the root fields of queries, which they do not use."""


@strawberry.type(description="A problem the caller can fix. Anything else is a top-level error with `extensions.code`.")
class UserError:
    code: ProblemCode = strawberry.field(description="The error code, for programs.")
    message: str = strawberry.field(description="The error message, for people.")
    field: list[str] | None = strawberry.field(
        description='Path to the argument at fault, as it was sent: `["input", "elements", "1", "jobConfig"]`.'
    )


@strawberry.type(description="`pipeline` is null exactly when `userErrors` is not empty.")
class PipelinePayload:
    pipeline: Pipeline | None = strawberry.field(description="The pipeline after the change.")
    user_errors: list[UserError] = strawberry.field(description="All errors that prevented it.")

    @strawberry.field(description=QUERY, graphql_type=Root)
    def query(self) -> object:
        return ROOT


@strawberry.type(description="`deletedPipelineId` is null exactly when `userErrors` is not empty.")
class DeletePipelinePayload:
    deleted_pipeline_id: ID | None = strawberry.field(description="The id of the deleted pipeline.")
    user_errors: list[UserError] = strawberry.field(description="All errors that prevented it.")

    @strawberry.field(description=QUERY, graphql_type=Root)
    def query(self) -> object:
        return ROOT


async def payload(work: Callable[[], Awaitable[Any]], *arguments: str) -> PipelinePayload:
    """Run `work` and return its pipeline or the user errors. `arguments` are the mutation's arguments beside
    `input`."""
    try:
        return PipelinePayload(pipeline=await work(), user_errors=[])
    except Rejected as rejected:
        return PipelinePayload(pipeline=None, user_errors=user_errors(rejected, *arguments))


def user_errors(rejected: Rejected, *arguments: str) -> list[UserError]:
    return [UserError(code=p.code, message=p.message, field=_field(p.path, arguments)) for p in rejected.problems]


def _field(path: Path, arguments: tuple[str, ...]) -> list[str] | None:
    """Return the path in GraphQL's spelling: a field that is not an argument belongs to `input`. Below the first step
    it is in the caller's spelling already."""
    if not path:
        return None
    first, *rest = map(str, path)
    return [*([] if first in arguments else ["input"]), to_camel_case(first), *rest]
