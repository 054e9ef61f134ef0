"""GraphQL API: Strawberry types, thin resolvers, and GraphQL over HTTP."""

import strawberry
from strawberry.schema.config import StrawberryConfig

from schema.types.jobs import Job
from schema.types.mutation import Mutation
from schema.types.pipelines import PipelineElement
from schema.types.query import Query
from schema.types.scalars import SCALARS
from schema.types.subscription import Subscription

schema = strawberry.Schema(
    Query, Mutation, Subscription, types=[Job, PipelineElement], config=StrawberryConfig(scalar_map=SCALARS)
)
