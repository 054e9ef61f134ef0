"""Both ways to answer operations, over the same rows in both kinds of database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.main import create_app
from app.settings import Settings
from tests.schema.plans.data import fill
from tests.schema.plans.pair import Pair
from tests.schema.plans.stored import store
from tests.sharing import shared_url

LARGE: Any = {
    "max_depth": 100,
    "max_cost": 10**9,
    "max_aliases": 1000,
    "max_root_fields": 1000,
    "max_directives": 1000,
    "max_document_tokens": 10_000,
    "request_timeout": 300.0,
}
"""Generated operations may exceed the limits of clients, and take long on a busy machine."""
__all__ = ["pair", "shared_url"]


@pytest.fixture(scope="module")
async def pair(shared_url: str) -> AsyncIterator[Pair]:
    app = create_app(Settings(database_url=shared_url, workers=0, **LARGE))
    async with app.router.lifespan_context(app):
        await fill(app.state.services.database)
        await app.state.services.database.write(store)
        yield Pair(app)
