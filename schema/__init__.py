"""GraphQL API: the schema and its transports. May import app, except app.main and app.rest."""

import strawberry
from strawberry.schema.config import StrawberryConfig

from schema.strawberry_internals import core_schema
from schema.types.measurements.types import Measurement
from schema.types.mutation import Mutation
from schema.types.pipelines import Job, PipelineElement
from schema.types.query import Query
from schema.types.results.outcomes import OUTCOMES
from schema.types.subscription import Subscription
from schema.types.values.scalars import SCALARS

schema = strawberry.Schema(
    Query,
    Mutation,
    Subscription,
    types=[Job, Measurement, PipelineElement, *OUTCOMES.values()],
    config=StrawberryConfig(scalar_map=SCALARS),
)
graphql_schema = core_schema(schema)
"""The schema as graphql-core executes it."""
