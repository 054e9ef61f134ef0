"""The fixtures of GraphQL over HTTP."""

from tests.sharing import shared, shared_url

__all__ = ["shared", "shared_url"]
