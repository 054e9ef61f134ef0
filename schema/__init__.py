"""GraphQL API: Strawberry types, thin resolvers, and GraphQL over HTTP."""

import strawberry
from strawberry.schema.config import StrawberryConfig

from schema.jobs import Job
from schema.mutation import Mutation
from schema.query import Query
from schema.scalars import SCALARS
from schema.subscription import Subscription
from schema.types import PipelineElement

schema = strawberry.Schema(
    Query, Mutation, Subscription, types=[Job, PipelineElement], config=StrawberryConfig(scalar_map=SCALARS)
)
