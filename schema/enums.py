"""The words of the application as GraphQL enums, each value with the sentence that explains it there."""

from inspect import cleandoc

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

from app import errors, models, paging
from app.words import Word


def describe(words: type[Word], name: str | None = None) -> None:
    """Make `words` a GraphQL enum, in place: its docstring and its members' descriptions go with it."""
    strawberry.enum(words, name=name, description=cleandoc(words.__doc__ or ""))
    definition: StrawberryEnumDefinition = words.__strawberry_definition__  # type: ignore[attr-defined]
    for value in definition.values:
        value.description = words[value.name].description


for each in (
    models.ElementType,
    models.PipelineStatus,
    models.PipelineElementStatus,
    models.JobStatus,
    models.JobErrorCode,
    models.SeriesSource,
):
    describe(each)
describe(paging.OrderField, "PipelineOrderField")
describe(paging.Direction, "OrderDirection")
describe(errors.ProblemCode, "UserErrorCode")
