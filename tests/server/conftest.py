"""The fixtures of requests over HTTP."""

import pytest

from tests.sharing import shared, shared_url

__all__ = ["shared", "shared_url"]


@pytest.fixture(scope="module", params=[True, False], ids=["fast path", "ASGI"])
def fast_path(request: pytest.FixtureRequest) -> bool:
    """Whether the fast path is on: listening servers run with both values."""
    chosen: bool = request.param
    return chosen
