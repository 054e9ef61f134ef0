"""GraphQL interface of objects with an id."""

import strawberry

ID = strawberry.ID


@strawberry.interface(description="An object with an id, found by `node`.")
class Node:
    id: ID = strawberry.field(description="A UUID, the same in REST. Ids sort by creation time.")
