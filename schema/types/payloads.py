"""Payloads of mutations: the pipeline, or all user errors."""

from collections.abc import Awaitable, Callable, Iterable
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


@strawberry.type(description="The outcome of a mutation of several pipelines.")
class PipelinesPayload:
    results: list[PipelinePayload] = strawberry.field(
        description="One entry for each id or input, in their order: each was changed or refused alone."
    )


@strawberry.type(description="The outcome of a deletion of several pipelines.")
class DeletePipelinesPayload:
    results: list[DeletePipelinePayload] = strawberry.field(
        description="One entry for each id, in their order: each was deleted or refused alone."
    )


def payloads(outcomes: Iterable[Any], argument: str) -> PipelinesPayload:
    """Return the payload of the entries of an argument: pipelines, or the refusals in their place."""
    return PipelinesPayload(results=[_entry(each, argument, place) for place, each in enumerate(outcomes)])


def _entry(outcome: Any, argument: str, place: int) -> PipelinePayload:
    if isinstance(outcome, Rejected):
        return PipelinePayload(pipeline=None, user_errors=entry_errors(outcome, argument, place))
    return PipelinePayload(pipeline=outcome, user_errors=[])


async def payload(work: Callable[[], Awaitable[Any]], *arguments: str) -> PipelinePayload:
    """Run `work` and return its pipeline or the user errors. `arguments` are the mutation's arguments beside
    `input`."""
    try:
        return PipelinePayload(pipeline=await work(), user_errors=[])
    except Rejected as rejected:
        return PipelinePayload(pipeline=None, user_errors=user_errors(rejected, *arguments))


def user_errors(rejected: Rejected, *arguments: str) -> list[UserError]:
    return [UserError(code=p.code, message=p.message, field=_field(p.path, arguments)) for p in rejected.problems]


def entry_errors(rejected: Rejected, argument: str, place: int) -> list[UserError]:
    """Return the user errors of an entry of an argument."""
    entry = [argument, str(place)]
    return [UserError(code=p.code, message=p.message, field=_entry_field(p.path, entry)) for p in rejected.problems]


def _entry_field(path: Path, entry: list[str]) -> list[str] | None:
    """Return the path in GraphQL's spelling; the id of an entry is the entry itself."""
    if not path:
        return None
    first, *rest = map(str, path)
    return entry if first == "id" else [*entry, to_camel_case(first), *rest]


def _field(path: Path, arguments: tuple[str, ...]) -> list[str] | None:
    """Return the path in GraphQL's spelling: a field that is not an argument belongs to `input`. Below the first step
    it is in the caller's spelling already."""
    if not path:
        return None
    first, *rest = map(str, path)
    return [*([] if first in arguments else ["input"]), to_camel_case(first), *rest]
