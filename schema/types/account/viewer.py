"""GraphQL types of the caller: its identity, its rights, and its rate limit."""

import strawberry

from app.auth.caller import Caller
from schema.types.node import ID


@strawberry.type(description="The caller: an API key, or anyone while no key exists.")
class Viewer:
    user_id: ID | None = strawberry.field(description="The user, if known.")
    email: str | None = strawberry.field(description="The user's email, if known.")
    organization_id: ID = strawberry.field(description="The organization whose pipelines the caller sees.")

    @strawberry.field(description="An id for client caches, the same for every request of an API key. Not for `node`.")
    def id(self) -> ID:
        return ID(_caller(self).id)

    @strawberry.field(description="Whether the caller may change data: false for a key that is for reading only.")
    def can_write(self) -> bool:
        return _caller(self).may_write

    @strawberry.field(description="Whether the caller may manage API keys and read the audit log.")
    def is_admin(self) -> bool:
        return _caller(self).may_manage_keys

    @strawberry.field(description="The projects that the API key may use, sorted. Null: all of the organization.")
    def project_ids(self) -> list[ID] | None:
        projects = _caller(self).projects
        return None if projects is None else [ID(each) for each in sorted(projects)]


def _caller(viewer: object) -> Caller:
    """Return the caller, which the resolvers of a viewer receive."""
    assert isinstance(viewer, Caller)
    return viewer


@strawberry.type(description="The cost of the operation, and the cost that may still be spent.")
class RateLimit:
    cost: int = strawberry.field(description="The cost of this operation, from its document and variables.")
    max_cost: int = strawberry.field(description="The maximum cost of an operation.")
    limit: int = strawberry.field(description="The cost that an API key may spend per minute, and at once.")
    remaining: int | None = strawberry.field(
        description="The cost that the key may still spend after this operation. Null without API keys."
    )
