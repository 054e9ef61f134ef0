"""One browser and one server for all tests of a module, and a visitor of the console who hears every complaint."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import expect, sync_playwright

from tests import servers
from tests.api import ROOT, operation
from tests.explorer.test_browser import FLAGS
from tests.shaken import slow_down

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

AXE = ROOT / "tests" / "node" / "node_modules" / "axe-core" / "axe.min.js"
REAL = {"VOLTGRAPH_WORKERS": "2"}
FAKE = {"VOLTGRAPH_WORKERS": "2", "VOLTGRAPH_EXECUTOR": "app.execution.fake:FakeExecutor"}
WIDE, NARROW = (1280, 900), (390, 844)
"""Sizes of windows."""
PATIENCE = 60_000
"""Milliseconds that a page may take to show what a test expects."""
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def database(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a database for all tests of a module."""
    file = tmp_path_factory.mktemp("console") / "test.db"
    shutil.copy(sqlite_template, file)
    return f"sqlite:///{file}"


@pytest.fixture(scope="module")
def variables() -> dict[str, str]:
    """Settings of the server of a module. Its jobs need no battery software."""
    return FAKE


@pytest.fixture(scope="module")
def running(database: str, variables: dict[str, str]) -> Iterator[servers.Server]:
    """Server for all tests of a module, with two places for pipelines."""
    with servers.serving(database, **variables) as server:
        yield server


open_visitors: list[Visitor] = []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None]:
    """Add to a failure what the pages showed."""
    try:
        yield
    except Exception as error:
        for visitor in open_visitors:
            with suppress(Exception):
                shown = visitor.page.locator("body").inner_text(timeout=1_000)
                error.add_note(f"{visitor.page.url} {visitor.complaints}\n{shown}")
        raise


class Visitor:
    """A tab of the console, and whatever the browser complained of."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context, self.url = context, url
        self.hosts: set[str] = set()
        self.complaints: list[str] = []
        context.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))
        context.on("console", lambda message: self._hear(message.type, message.text))
        context.on("weberror", lambda error: self._hear("error", str(error.error)))
        self.page: Page = context.new_page()
        self.page.set_default_timeout(PATIENCE)
        slow_down(self.page)

    def _hear(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.complaints.append(f"{kind}: {text}")

    def resize(self, size: tuple[int, int]) -> None:
        width, height = size
        self.page.set_viewport_size({"width": width, "height": height})

    def is_within(self) -> bool:
        """Return whether the page is no wider than its window."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"))

    def wait(self, until: Callable[[], bool], seconds: float = PATIENCE / 1000) -> None:
        """Wait until something outside of the page's elements is so."""
        deadline = monotonic() + seconds
        while not until():
            assert monotonic() < deadline
            self.page.wait_for_timeout(50)

    def go(self, path: str = "/") -> Page:
        """Open a screen of the console, and wait for its heading."""
        self.page.goto(f"{self.url}/console#{path}")
        self.page.get_by_role("heading", level=1).wait_for()
        return self.page

    def run(self, name: str, /, **variables: Any) -> Any:
        """Send an operation of `queries/` to the server without the browser, and return its only field."""
        return run(self.url, name, **variables)

    def create(self, name: str, *elements: dict[str, Any], start: bool = False) -> str:
        """Create a pipeline, and return its id. Each element has a `name` and the rest of its configuration."""
        made = create(self.url, name, *elements)
        if start:
            assert self.run("StartPipeline", id=made)["userErrors"] == []
        return made

    def check(self) -> None:
        """Expect no complaint of the browser, and no request to another host."""
        assert self.complaints == []
        assert self.hosts == {urlsplit(self.url).netloc}

    def serious(self) -> list[str]:
        """Serious faults of accessibility that axe finds on the page as it is."""
        if not AXE.exists():
            pytest.skip("axe-core is not installed: npm ci --prefix tests/node")
        # By the debugger: the policy of the page refuses scripts from elsewhere.
        self.page.context.new_cdp_session(self.page).send("Runtime.evaluate", {"expression": AXE.read_text()})
        found = self.page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
        return [
            f"{each['id']}: {each['nodes'][0]['html'][:200]} {each['nodes'][0]['failureSummary'][:300]}"
            for each in found["violations"]
            if each["impact"] in {"serious", "critical"}
        ]


def run(url: str, name: str, /, key: str | None = None, **variables: Any) -> Any:
    """Send an operation of `queries/`, and return its only field."""
    return post(url, operation(name), key, **variables)


def post(url: str, query: str, key: str | None = None, /, **variables: Any) -> Any:
    """Send an operation, and return its only field."""
    body = {"query": query, "variables": variables}
    headers = {} if key is None else {"x-api-key": key}
    answer = httpx.post(f"{url}/graphql", json=body, headers=headers, trust_env=False, timeout=30).json()
    assert "errors" not in answer, answer
    [value] = answer["data"].values()
    return value


def create(url: str, name: str, /, *elements: dict[str, Any], key: str | None = None) -> str:
    """Create a pipeline, by default with one entry, and return its id."""
    listed = elements or ({"name": "known", "values": {"a": 1}},)
    made = run(
        url,
        "CreatePipeline",
        key,
        input={
            "projectId": "cells",
            "name": name,
            "elements": [
                {
                    "name": each["name"],
                    "elementType": each.get("type", "DIRECT_ENTRY"),
                    "jobConfig": {part: value for part, value in each.items() if part not in {"name", "type"}},
                }
                for each in listed
            ],
        },
    )
    assert made["userErrors"] == []
    return str(made["pipeline"]["id"])


@contextmanager
def visiting(browser: Browser, url: str, **options: Any) -> Iterator[Visitor]:
    """Open a tab in a browser profile of its own."""
    context = browser.new_context(
        **{"viewport": {"width": WIDE[0], "height": WIDE[1]}, "color_scheme": "light"} | options
    )
    visitor = Visitor(context, url)
    open_visitors.append(visitor)
    try:
        yield visitor
    finally:
        open_visitors.remove(visitor)
        context.close()


@pytest.fixture
def visitor(chromium: Browser, running: servers.Server) -> Iterator[Visitor]:
    """A visitor whose browser must not complain of anything."""
    with visiting(chromium, running.url) as visitor:
        yield visitor
        visitor.check()
