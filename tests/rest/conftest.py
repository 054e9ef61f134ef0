"""The fixtures of the REST API."""

from tests.sharing import shared, shared_url

__all__ = ["shared", "shared_url"]
