"""Editor of the console in a real browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests import servers
from tests.console.conftest import NARROW, REAL, WIDE, Visitor, post, visiting

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, FilePayload, Locator, Route

MARKUP = '<img src=x onerror=alert(1)> & "x"'
PIPELINE = (
    "query ($id: ID!) { pipeline(id: $id) { name projectId labels status elements { name elementType jobConfig } } }"
)
NUMBERS = ", ".join(str(number / 8) for number in range(80_000))
LONG = f'{{"source": "x", "values": {{"10": 1.50, "b": 12345678901234567, "9": [{NUMBERS}]}}}}'
"""A configuration whose keys, digits and length must stay."""


@pytest.fixture
def editor(visitor: Visitor) -> Visitor:
    visitor.go("/new")
    visitor.page.on("pageerror", lambda error: pytest.fail(str(error)))
    return visitor


@pytest.fixture(scope="module")
def variables() -> dict[str, str]:
    return REAL


@pytest.fixture(scope="module", params=["light", "dark"])
def everywhere(chromium: Browser, running: servers.Server, request: pytest.FixtureRequest) -> Iterator[Visitor]:
    with visiting(chromium, running.url, color_scheme=request.param) as visitor:
        yield visitor
        visitor.check()


def file(name: str, content: Any) -> FilePayload:
    text = content if isinstance(content, str) else json.dumps(content)
    return {"name": name, "mimeType": "application/json", "buffer": text.encode()}


def write(editor: Visitor, element: str, text: str) -> Locator:
    """Write a configuration in place of the one of an element, once its editor has taken the place of a plain one."""
    area = editor.page.locator(".cm-content").and_(editor.page.get_by_label(f"Configuration of {element}", exact=True))
    area.click()
    editor.page.keyboard.press("ControlOrMeta+a")
    editor.page.keyboard.insert_text(text)
    return area


def stored(editor: Visitor) -> Any:
    """Return the pipeline whose screen is shown."""
    editor.page.wait_for_url("**#/pipeline/*")
    return post(editor.url, PIPELINE, id=editor.page.url.rsplit("/", 1)[1])


def expect_names(editor: Visitor, *names: str) -> None:
    """Expect elements of these names, in this order."""
    articles = editor.page.get_by_role("article")
    expect(articles).to_have_count(len(names))
    for number, name in enumerate(names):
        expect(articles.nth(number)).to_have_attribute("aria-label", name)


def test_a_template_is_saved_as_it_is_shown(editor: Visitor) -> None:
    page = editor.page
    page.get_by_label("Calculate an electrode capacity").check()
    page.get_by_role("button", name="Use this template").click()
    expect_names(editor, "datasheet", "capacity")
    page.get_by_label("Name", exact=True).fill(MARKUP)
    page.get_by_label("Project").fill("cells")
    page.get_by_role("button", name="Save", exact=True).click()
    pipeline = stored(editor)
    assert (pipeline["name"], pipeline["projectId"], pipeline["status"]) == (MARKUP, "cells", "PENDING")
    assert [each["name"] for each in pipeline["elements"]] == ["datasheet", "capacity"]
    assert pipeline["elements"][0]["jobConfig"]["values"]["Electrode area [m2]"] == 0.1027
    editor.go("/new")
    expect(page.get_by_label("Project")).to_have_value("cells")


def test_a_problem_stands_at_its_line(editor: Visitor) -> None:
    page = editor.page
    page.get_by_role("button", name="+ Direct entry").click()
    area = write(editor, "cell", '{\n  "values": {\n    "a": NaN\n  }\n}')
    page.get_by_text("One problem").wait_for()
    expect(page.get_by_role("button", name="cell, line 3")).to_be_visible()
    page.get_by_text("NaN is no value of JSON").wait_for()
    expect(area.locator(".cm-lintRange-error")).to_have_text("NaN")
    expect(page.get_by_role("button", name="Save and start")).to_be_disabled()

    write(editor, "cell", '{\n  "a": 1,\n\n  "a": 2\n}')
    page.get_by_role("button", name="cell, line 4").click()
    expect(area.locator(".cm-lintRange-error")).to_have_text('"a"')
    focused = "document.activeElement.shadowRoot?.activeElement?.ariaLabel"
    editor.wait(lambda: page.evaluate(focused) == "Configuration of cell")

    write(editor, "cell", '{\n  "element_type": "nonsense"\n}')
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="cell, line 2").wait_for()
    expect(area.locator(".cm-lintRange-error")).to_have_text('"nonsense"')
    write(editor, "cell", '{"parameter_set": "Chen2020"}')
    page.get_by_label("Name of element 1").fill(" ")
    page.get_by_text("An element needs a name.").first.wait_for()


def test_only_the_check_of_the_newest_text_counts(editor: Visitor) -> None:
    page = editor.page
    held: list[Route] = []

    def hold_the_first(route: Route) -> None:
        if "Nobody2020" not in (route.request.post_data or "") or held:
            route.continue_()
        else:
            held.append(route)

    page.route("**/graphql", hold_the_first)
    page.get_by_role("button", name="+ Direct entry").click()
    write(editor, "cell", '{"parameter_set": "Nobody2020"}')
    editor.wait(lambda: len(held) > 0)
    write(editor, "cell", '{"parameter_set": "Chen2020"}')
    page.get_by_text("No problems found.").wait_for()
    with page.expect_response(lambda response: "Nobody2020" in (response.request.post_data or "")) as late:
        held[0].continue_()
    assert "Nobody2020" in late.value.text()
    page.wait_for_timeout(500)
    expect(page.get_by_text("No problems found.")).to_be_visible()

    write(editor, "cell", '{"parameter_set": "Nobody2020"}')
    page.get_by_text("One problem").wait_for()
    write(editor, "cell", '{"parameter_set": NaN}')
    page.get_by_text("NaN is no value of JSON").wait_for()
    expect(page.get_by_text("One problem")).to_be_visible()


def test_elements_are_moved_by_buttons_and_by_dragging(editor: Visitor) -> None:
    page = editor.page
    for kind in ("Direct entry", "Data fit", "Validation"):
        page.get_by_role("button", name=f"+ {kind}").click()
    expect_names(editor, "cell", "fit", "validation")
    page.get_by_role("button", name="Move validation up").press("Enter")
    page.get_by_text("validation is now element 2 of 3.").wait_for()
    expect_names(editor, "cell", "validation", "fit")
    before = page.get_by_label("Configuration of cell", exact=True).inner_text()
    page.locator(".handle").nth(2).drag_to(page.get_by_label("Configuration of cell", exact=True))
    expect_names(editor, "fit", "cell", "validation")
    expect(page.get_by_label("Configuration of cell", exact=True)).to_have_text(before, use_inner_text=True)
    page.get_by_role("button", name="Copy fit").click()
    page.get_by_role("button", name="Remove cell").click()
    expect_names(editor, "fit", "fit2", "validation")
    page.get_by_label("Type of fit2").select_option("Calculation")
    page.get_by_label("Template for fit2").select_option("Electrode capacity")
    expect(page.get_by_label("Configuration of fit2", exact=True)).to_contain_text("ElectrodeCapacity")


def test_unsaved_changes_are_not_lost_by_a_click(editor: Visitor) -> None:
    page = editor.page

    def stay(dialog: Dialog) -> None:
        dialog.dismiss()

    editor.go("/")
    editor.go("/new")
    page.get_by_role("button", name="+ Direct entry").click()
    page.on("dialog", stay)
    for leave in (
        page.get_by_role("link", name="Pipelines").click,
        lambda: page.evaluate("history.back()"),
        lambda: page.evaluate("location.hash = '#/data'"),
    ):
        with page.expect_event("dialog", timeout=20_000) as asked:
            leave()
        assert asked.value.message == "Your changes are not saved. Leave the editor and lose them?"
    expect_names(editor, "cell")
    page.remove_listener("dialog", stay)
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("link", name="Pipelines").click()
    page.get_by_role("heading", name="Pipelines").wait_for()


def test_a_file_of_run_keeps_order_and_digits(editor: Visitor) -> None:
    page = editor.page
    second = f'"second": {{"element_type": "entry", {LONG[1:]}'
    other = '"1": {"element_type": "calculation", "type": "ElectrodeSOH"}'
    source = f'{{"project_id": "cells", "name": "long", "labels": ["C/5, warm"], "elements": {{{second}, {other}}}}}'
    page.get_by_label("Import a file").set_input_files([file("x.json", source)])
    expect(page.get_by_label("Name of element 1")).to_have_value("second")
    expect_names(editor, "second", "1")  # an object of JavaScript would move "1" to the front
    expect(page.get_by_label("Configuration of second", exact=True)).to_have_count(0)  # it is long: only when asked for
    with page.expect_request(lambda request: "ConsoleCreatePipeline" in (request.post_data or "")) as sent:
        page.get_by_role("button", name="Save", exact=True).click()
    body = sent.value.post_data or ""
    assert '"10": 1.50,' in body
    assert '"b": 12345678901234567,' in body
    pipeline = stored(editor)
    assert pipeline["labels"] == ["C/5, warm"]
    config = pipeline["elements"][0]["jobConfig"]
    assert list(config) == ["element_type", "source", "values"]
    assert list(config["values"]) == ["10", "b", "9"]
    assert config["values"]["b"] == 12345678901234567
    assert config["values"]["9"][-1] == 9_999.875

    editor.go(f"/edit/{page.url.rsplit('/', 1)[1]}")
    page.get_by_role("button", name="Open", exact=False).first.click()
    area = page.get_by_label("Configuration of second", exact=True)
    area.get_by_text("1.5,", exact=False).first.wait_for()
    expect(area).to_contain_text('"b": 12345678901234567')
    page.get_by_role("button", name="Move 1 up").click()
    page.get_by_role("button", name="Remove C/5, warm").click()
    page.get_by_role("textbox", name="Labels").fill("aged")
    page.get_by_role("textbox", name="Labels").press("Enter")
    page.get_by_role("textbox", name="Labels").fill("typed last")
    page.get_by_role("button", name="Save", exact=True).click()
    pipeline = stored(editor)
    assert [each["name"] for each in pipeline["elements"]] == ["1", "second"]
    assert pipeline["labels"] == ["aged", "typed last"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"elements": {"a": 1}', 'Line 1, column 22: The text ends before "}".'),
        ([1], "must hold one JSON object"),
        ({"name": "x"}, 'has no "elements"'),
        ({"elements": {"<b>": {"x": 1}}}, 'element "<b>": its type is missing or unknown.'),
    ],
)
def test_a_file_that_is_none_is_refused_with_its_place(editor: Visitor, content: Any, said: str) -> None:
    editor.page.get_by_label("Import a file").set_input_files([file("x.json", content)])
    expect(editor.page.get_by_role("alert")).to_contain_text(said)


def test_every_view_is_accessible(everywhere: Visitor) -> None:
    page = everywhere.go("/new")
    for size in (WIDE, NARROW):
        everywhere.resize(size)
        assert everywhere.serious() == []
    page.get_by_role("button", name="Use this template").click()
    write(everywhere, "fit", '{"objectives": NaN}')
    page.get_by_text("One problem").wait_for()
    for size in (WIDE, NARROW):
        everywhere.resize(size)
        assert everywhere.serious() == []
        assert everywhere.is_within()
    page.get_by_role("button", name="Insert data…").first.click()
    page.get_by_role("dialog").wait_for()
    assert everywhere.serious() == []


def test_a_pipeline_that_started_is_not_edited(visitor: Visitor, tmp_path: Path) -> None:
    config = {
        "projectId": "cells",
        "elements": [{"name": "a", "elementType": "DIRECT_ENTRY", "jobConfig": {"values": {"x": 1}}}],
    }
    create = "mutation ($input: CreatePipelineInput!) { createPipeline(input: $input) { pipeline { id } } }"
    id = post(visitor.url, create, input=config)["pipeline"]["id"]
    post(visitor.url, "mutation ($id: ID!) { startPipeline(id: $id) { userErrors { message } } }", id=id)
    page = visitor.go(f"/edit/{id}")
    page.get_by_text("This pipeline has started").wait_for()
    expect(page.get_by_role("button", name="Save and start")).to_have_count(0)
    expect(page.get_by_label("Name of element 1")).to_be_disabled()
    page.get_by_role("link", name="Edit a copy").click()
    page.get_by_role("heading", name="New pipeline").wait_for()
    expect(page.get_by_label("Name of element 1")).to_be_enabled()
    visitor.go("/edit/01a22926-c911-753a-a410-4d49bc2d6479")
    page.get_by_text("This pipeline does not exist").wait_for()
