"""What everything with an id is."""

import strawberry

ID = strawberry.ID


@strawberry.interface(description="Anything with an id that `node` finds.")
class Node:
    id: ID = strawberry.field(description="A UUID, the same in REST. Ids made later sort later.")
