"""The fixtures of GraphQL over HTTP."""

from tests.http.sharing import plans, shared, shared_url

__all__ = ["plans", "shared", "shared_url"]
