"""The fixtures of GraphQL over HTTP."""

from tests.http.sharing import shared, shared_url

__all__ = ["shared", "shared_url"]
