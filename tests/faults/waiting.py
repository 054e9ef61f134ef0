"""Waiting for what another process does, and telling what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


async def until(so: Callable[[], Awaitable[bool]] | Callable[[], bool], seconds: float) -> None:
    """Return once something is so; TimeoutError when that takes too long."""
    async with asyncio.timeout(seconds):
        while True:
            found = so()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.02)


def told(figures: str) -> None:
    """Figures for whoever runs `pytest -s`."""
    print(f"\n{figures}")  # noqa: T201  that is what it is for
