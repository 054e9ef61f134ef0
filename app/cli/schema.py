"""`voltgraph schema`: print the SDL."""

from app.main import sdl


def schema() -> None:
    """Print the GraphQL schema, as it is committed in schema/schema.graphql."""
    print(sdl(), end="")  # noqa: T201  the SDL itself, for a pipe
