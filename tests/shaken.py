"""Voltgraph whose answers come late, each by another time, and a browser on a slow processor: `make shake`.

Pages and clients that take an order for granted fail here: answers come in the order of their questions, a list is read
before the next event, and the code after a click runs at once.
"""

from __future__ import annotations

import asyncio
import os
import random
from typing import TYPE_CHECKING

from starlette.types import Receive, Scope, Send

import app.main
from app.main import create_app
from app.settings import Settings

if TYPE_CHECKING:
    from playwright.sync_api import Page

LONGEST = float(os.environ.get("SHAKE_MS", "0")) / 1000
"""Seconds by which an answer comes late at most; 0 without `make shake`."""
SLOWNESS = float(os.environ.get("SHAKE_CPU", "1"))
"""How many times slower the browser's processor is."""
MODULE = "tests.shaken" if LONGEST else "app"
"""Module that serves."""


def slow_down(page: Page) -> None:
    """Slow down the processor of a page."""
    if SLOWNESS > 1:
        page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWNESS})


def _create_app(settings: Settings | None = None) -> app.main.Voltgraph:
    """Create the application, whose answers to HTTP requests come late."""
    made = create_app(settings)
    inner = made.around or made.inner

    async def delayed(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await asyncio.sleep(random.random() * LONGEST)
        await inner(scope, receive, send)

    made.around, made.fast_path = delayed, None
    return made


if __name__ == "__main__":
    app.main.create_app = _create_app
    from app.cli.commands import cli

    cli()
