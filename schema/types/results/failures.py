"""GraphQL type of failures."""

from typing import Annotated, Any

import strawberry

from app.models import tables
from app.models.enums import JobErrorCode
from app.pipelines.results import failures
from schema.types.context import Info
from schema.types.results.problems import ConfigurationProblem

Element = Annotated["PipelineElement", strawberry.lazy("..pipelines")]  # type: ignore[name-defined]  # noqa: F821
"""The type of elements, whose module imports this one."""


@strawberry.type(description="The failure of a pipeline or of an element.")
class Failure:
    code: JobErrorCode = strawberry.field(description="The error code, for programs.")
    message: str = strawberry.field(description="The error message, for people.")
    failed: strawberry.Private[list[tables.PipelineElement]]

    @strawberry.field(
        description="The element that failed; of a pipeline the first one.",
        graphql_type=Element | None,
    )
    def element(self) -> tables.PipelineElement | None:
        return self.failed[0] if self.failed else None

    @strawberry.field(
        description="Problems of the configuration; of a pipeline those of all its elements. Empty if the failure has "
        "other reasons.",
        graphql_type=list[ConfigurationProblem],
    )
    async def problems(self, info: Info) -> list[failures.ConfigurationProblem]:
        found = await info.context.problems.load_many([each.id for each in self.failed])
        return [problem for each in found for problem in each]


def failure(row: Any, failed: list[tables.PipelineElement]) -> Failure | None:
    """Return the failure of a pipeline or element; None unless it failed."""
    if row.error_code is None:
        return None
    return Failure(code=row.error_code, message=row.error or "", failed=failed)
