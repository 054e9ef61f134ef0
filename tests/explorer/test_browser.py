"""GraphiQL page in a real browser."""

import asyncio
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import httpx
import pytest

from app.auth.keys import open_keys
from app.database.connect import database_url as parsed
from tests.shaken import slow_down

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
        slow_down(self.page)
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

    def write(self, editor: str, text: str) -> None:
        """Replace the text of one of GraphiQL's editors."""
        self.page.evaluate(
            "([name, text]) => __MONACO.editor.getModels().find(model => model.uri.path.endsWith(name)).setValue(text)",
            [editor, text],
        )

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


EXACT = '{"big": 9223372036854775807, "two": 2.0, "small": 1e-07, "third": 750727362669608961, "zero": -0.0}'
ELEMENTS = '[{name: "e", elementType: DIRECT_ENTRY, jobConfig: $config}]'
ECHO = f"""mutation ($config: JSON!) {{ createPipeline(input: {{projectId: "p", elements: {ELEMENTS}}}) {{
  pipeline {{ id elements {{ jobConfig }} }} }} }}"""


def test_numbers_are_sent_and_shown_as_they_are_written(visitor: Visitor) -> None:
    visitor.open("New tab")
    visitor.write("operation.graphql", ECHO)
    visitor.write("variables.json", f'{{"config": {EXACT}}} // exact')
    visitor.execute()
    shown = json.loads(visitor.shown("response.json"), parse_int=str, parse_float=str)
    [element] = shown["data"]["createPipeline"]["pipeline"]["elements"]
    assert element["jobConfig"] == {
        "big": "9223372036854775807",
        "two": "2.0",
        "small": "1e-7",
        "third": "750727362669608961",
        "zero": "-0.0",
    }
    assert visitor.complaints == []


@pytest.fixture
def key(sqlite_url: str) -> str:
    """API key of the database, so that the server needs one."""
    return asyncio.run(_created(sqlite_url))


async def _created(url: str) -> str:
    async with open_keys(parsed(url)) as store:
        return await store.create("ours")


def test_one_key_serves_the_whole_page(key: str, visitor: Visitor) -> None:
    page, field = visitor.page, visitor.page.get_by_label("API key")
    page.get_by_text("Key needed").wait_for()
    field.fill("vg_wrong")
    field.press("Enter")
    page.get_by_text("Key refused").wait_for()
    visitor.open("PipelinesUpdated")
    page.get_by_role("button", name="Execute query").click()
    page.get_by_label("Result Window").get_by_text("UNAUTHENTICATED").wait_for()
    assert json.loads(visitor.shown("response.json"))["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}
    with page.expect_response(lambda response: "__schema" in (response.request.post_data or "")) as schema:
        field.fill(key)
        field.press("Enter")
    assert schema.value.status == 200
    page.get_by_text("Key refused").wait_for(state="detached")
    page.reload()
    page.get_by_role("button", name="Execute query").wait_for()
    visitor.open("CreatePipeline")
    assert visitor.execute()["createPipeline"]["userErrors"] == []
    assert key not in json.dumps(page.evaluate("({...localStorage})"))
    assert all("401" in each for each in visitor.complaints)


def test_panes_are_stacked_on_a_narrow_screen(visitor: Visitor) -> None:
    page = visitor.page
    page.set_viewport_size({"width": 390, "height": 800})
    editors, answer = (page.locator(name).bounding_box() for name in (".graphiql-editors", ".graphiql-response"))
    assert editors
    assert answer
    for box in (editors, answer):
        assert box["width"] > 330
    assert answer["y"] >= editors["y"] + editors["height"]
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.locator(".graphiql-response").scroll_into_view_if_needed()
    page.get_by_role("button", name="Show Documentation Explorer").click()
    page.get_by_text("A GraphQL schema provides").wait_for()
    docs = page.locator(".graphiql-plugin").bounding_box()
    assert docs
    assert docs["width"] > 330
    assert 0 < docs["y"] < 200
    assert visitor.complaints == []


def test_tabs_run_one_after_the_other(visitor: Visitor) -> None:
    visitor.open("CreatePipeline")
    visitor.execute()
    visitor.open("Pipelines")
    assert visitor.execute()["pipelines"]["totalCount"] == 1
    visitor.open("DuplicatePipeline")
    copy = visitor.execute()["duplicatePipeline"]["pipeline"]["id"]
    visitor.open("UpdatePipeline")
    assert visitor.execute()["updatePipeline"]["pipeline"]["id"] == copy
    visitor.open("CreateCellSpecification")
    kind = visitor.execute()["createCellSpecification"]["cellSpecification"]["id"]
    visitor.open("CreateCellInstance")
    assert json.loads(visitor.shown("variables.json"))["input"]["cellSpecificationId"] == kind
    assert visitor.execute()["createCellInstance"]["userErrors"] == []
    assert visitor.complaints == []


def test_the_editor_of_variables_marks_what_the_server_refuses(visitor: Visitor) -> None:
    visitor.open("CreatePipeline")
    visitor.execute()
    visitor.write("variables.json", visitor.shown("variables.json").replace("DIRECT_ENTRY", "NOPE"))
    marked = "__MONACO.editor.getModelMarkers({}).map(marker => marker.message)"
    deadline = monotonic() + 30
    while not (found := visitor.page.evaluate(marked)):  # `wait_for_function` needs `eval`, which the policy refuses
        assert monotonic() < deadline
        visitor.page.wait_for_timeout(50)
    [message] = found  # not the JSON of `jobConfig`, nor fields with a default
    assert "DIRECT_ENTRY" in message
