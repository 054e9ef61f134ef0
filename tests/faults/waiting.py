"""Waiting for conditions in other processes, and printing of figures."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


async def until(so: Callable[[], Awaitable[bool]] | Callable[[], bool], seconds: float) -> None:
    """Return once a condition holds. Raises TimeoutError if that takes too long."""
    async with asyncio.timeout(seconds):
        while True:
            found = so()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.02)


def told(figures: str) -> None:
    """Print figures for `pytest -s`."""
    print(f"\n{figures}")  # noqa: T201  the purpose of this function
