"""Page of docs in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.explorer.test_browser import Server, browser

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

__all__ = ["browser"]


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_docs_are_readable_in_both_schemes_and_widths(
    browser: BrowserContext, server: Server, scheme: str, width: int
) -> None:
    hosts, complaints = set(), []
    browser.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    browser.on("console", lambda message: complaints.append(message.text))
    page = browser.pages[0]
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{server.url}/docs")
    for is_open in (False, True):  # all operations closed, then all open
        page.evaluate("open => document.querySelectorAll('details').forEach(each => each.open = open)", is_open)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light dark"
    assert (hosts, complaints) == ({urlsplit(server.url).netloc}, [])
