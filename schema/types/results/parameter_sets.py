"""GraphQL types of parameter sets."""

import strawberry

from app.pipelines.results.parameter_sets import ParameterSetFormat


@strawberry.type(description="A parameter that a set does not hold, or not exactly.")
class OmittedParameter:
    name: str = strawberry.field(description="Its name, or that of a part of the set.")
    reason: str = strawberry.field(description="The reason, for people.")


@strawberry.type(description="The parameter values of a pipeline as a file of other programs.")
class ParameterSet:
    format: ParameterSetFormat = strawberry.field(description="Its format.")
    file_name: str = strawberry.field(description="A name for the file, made from that of the pipeline.")
    media_type: str = strawberry.field(description="Its media type.")
    content: str = strawberry.field(description="The content of the file.")
    omitted: list[OmittedParameter] = strawberry.field(
        description="All that the file does not hold, or not exactly. Nothing else is left out."
    )
