"""GraphQL enums of the application's enums, with their descriptions."""

from inspect import cleandoc

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

from app import errors
from app.measurements import orders
from app.models import enums
from app.models.enums import DescribedEnum
from app.pipelines.feed import kinds
from app.pipelines.lists import pagination
from app.pipelines.results.parameter_sets import ParameterSetFormat
from schema.strawberry_internals import type_definition


def describe(words: type[DescribedEnum], name: str | None = None) -> None:
    """Register `words` as a GraphQL enum, with its docstring and its members' descriptions."""
    strawberry.enum(words, name=name, description=cleandoc(words.__doc__ or ""))
    definition: StrawberryEnumDefinition = type_definition(words)
    for value in definition.values:
        value.description = words[value.name].description


for each in (
    enums.ElementType,
    enums.PipelineStatus,
    enums.PipelineElementStatus,
    enums.JobStatus,
    enums.JobErrorCode,
    enums.JobLogStream,
    enums.SeriesSource,
    enums.MeasurementType,
    enums.MeasurementStatus,
    enums.MeasurementFormat,
    enums.AuditAction,
    enums.AuditedType,
    orders.MeasurementOrderField,
    ParameterSetFormat,
):
    describe(each)
describe(kinds.Kind, "PipelineChangeKind")
describe(pagination.OrderField, "PipelineOrderField")
describe(pagination.Direction, "OrderDirection")
describe(errors.ProblemCode, "UserErrorCode")
