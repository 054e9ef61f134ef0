"""GraphiQL page in a real browser."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import httpx
import pytest

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Server(Protocol):
    @property
    def url(self) -> str: ...


@pytest.fixture
def browser(tmp_path: Path) -> Iterator["BrowserContext"]:
    """New browser profile without tabs, settings or files of an earlier visit."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed")
    with api.sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path / "profile",
            executable_path=chromium,
            args=FLAGS,
            color_scheme="light",
            viewport={"width": 1280, "height": 800},
        )
        yield context
        context.close()


class Visitor:
    """Actions on the page, and errors that occurred meanwhile."""

    def __init__(self, context: "BrowserContext", server: Server) -> None:
        self.hosts: set[str] = set()
        self.complaints: list[str] = []
        context.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))
        context.on("console", lambda message: self._hear(message.type, message.text))
        context.on("weberror", lambda error: self._hear("error", str(error.error)))
        self.page: Page = context.pages[0]
        self.page.goto(server.url + "/graphql")
        self.page.get_by_role("button", name="Execute query").wait_for()

    def _hear(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.complaints.append(f"{kind}: {text}")

    def open(self, tab: str) -> None:
        self.page.get_by_role("button", name=tab, exact=True).click()

    def shown(self, editor: str) -> str:
        """Return the text in one of GraphiQL's editors, including the part scrolled out of sight."""
        text: str = self.page.evaluate(
            "name => __MONACO.editor.getModels().find(model => model.uri.path.endsWith(name))?.getValue() ?? ''",
            editor,
        )
        return text

    def execute(self) -> dict[str, Any]:
        with self.page.expect_response(lambda response: response.request.method == "POST"):
            self.page.get_by_role("button", name="Execute query").click()
        self.page.get_by_label("Result Window").get_by_text('"data"').wait_for()
        answer: dict[str, Any] = json.loads(self.shown("response.json"))
        assert "errors" not in answer
        data: dict[str, Any] = answer["data"]
        return data


@pytest.fixture
def visitor(browser: "BrowserContext", server: Server) -> Visitor:
    return Visitor(browser, server)


def test_a_pipeline_is_created_and_listed(visitor: Visitor, server: Server) -> None:
    assert visitor.page.title() == "Voltgraph"

    visitor.open("CreatePipeline")
    payload = visitor.execute()["createPipeline"]
    assert payload["userErrors"] == []
    created = payload["pipeline"]["id"]
    visitor.page.get_by_label("Result Window").get_by_text(created).wait_for()
    if picture := os.environ.get("VOLTGRAPH_SCREENSHOT"):
        visitor.page.mouse.move(1279, 799)  # away from the button, which would show a tooltip
        visitor.page.screenshot(path=picture)

    visitor.open("Pipelines")
    assert created in json.dumps(visitor.execute()["pipelines"])
    visitor.page.get_by_label("Result Window").get_by_text(created).first.wait_for()

    assert visitor.hosts == {urlsplit(server.url).netloc}
    assert visitor.complaints == []


def test_other_tabs_take_the_new_pipelines_id(visitor: Visitor) -> None:
    visitor.open("CreatePipeline")
    created = visitor.execute()["createPipeline"]["pipeline"]["id"]
    visitor.open("Pipeline")
    visitor.page.get_by_label("Variables").get_by_text(created).wait_for()
    assert json.loads(visitor.shown("variables.json")) == {"id": created}
    assert created in json.dumps(visitor.execute()["pipeline"])
    assert visitor.complaints == []


def test_a_later_visit_knows_the_newest_pipeline(visitor: Visitor) -> None:
    visitor.open("CreatePipeline")
    created = visitor.execute()["createPipeline"]["pipeline"]["id"]
    visitor.page.reload()
    visitor.page.get_by_role("button", name="Execute query").wait_for()
    visitor.open("Pipeline")
    visitor.page.get_by_label("Variables").get_by_text(created).wait_for()
    assert visitor.complaints == []


def test_the_tabs_stay_over_a_reload(visitor: Visitor) -> None:
    visitor.open("Pipelines")
    visitor.page.wait_for_timeout(1000)  # GraphiQL stores its tabs half a second after a change
    visitor.page.reload()
    visitor.page.get_by_role("button", name="Execute query").wait_for()
    assert "query Pipelines" in visitor.shown("operation.graphql")
    keys: list[str] = visitor.page.evaluate("Object.keys(localStorage)")
    assert keys
    assert all(key.startswith("voltgraph:") for key in keys)
    assert visitor.complaints == []


def test_a_subscription_shows_what_happens_until_it_is_stopped(visitor: Visitor, server: Server) -> None:
    visitor.open("CreatePipeline")
    created = visitor.execute()["createPipeline"]["pipeline"]["id"]
    visitor.open("PipelineUpdated")
    visitor.page.get_by_label("Variables").get_by_text(created).wait_for()
    visitor.page.get_by_role("button", name="Execute query").click()
    visitor.page.get_by_label("Result Window").get_by_text("PENDING").first.wait_for()
    rename = 'mutation ($id: ID!) { updatePipeline(id: $id, input: { name: "renamed" }) { userErrors { code } } }'
    httpx.post(server.url + "/graphql", json={"query": rename, "variables": {"id": created}}, trust_env=False)
    visitor.page.get_by_label("Result Window").get_by_text("renamed").wait_for()
    visitor.page.get_by_role("button", name="Stop query").click()
    visitor.page.get_by_role("button", name="Execute query").wait_for()
    assert visitor.complaints == []
