"""The fixtures of GraphQL over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.api import Api
from tests.schema.subscriptions import clients
from tests.sharing import in_process, shared_url

__all__ = ["shared_url"]


BY_ASGI = pytest.param(False, id="ASGI", marks=[pytest.mark.slow, pytest.mark.parallel])
"""Slow, because it runs each test a second time."""


@pytest.fixture(scope="module", params=[pytest.param(True, id="fast path"), BY_ASGI])
async def shared(request: pytest.FixtureRequest, shared_url: str, plans: bool) -> AsyncIterator[Api]:
    """The API of a server in this process, for all tests of a module: a listening one with the fast path, and one
    called by ASGI."""
    if request.param:
        async with clients.live(shared_url, plans=plans) as running:
            yield running.api
    else:
        async with in_process(shared_url, plans=plans) as api:
            yield api
