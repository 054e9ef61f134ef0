"""Answers that come late to the console's editor: what is typed meanwhile, and what is said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests import servers
from tests.console.conftest import REAL, Visitor, visiting
from tests.console.test_editor import LONG, file, stored, write

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Route


@pytest.fixture(scope="module")
def variables() -> dict[str, str]:
    return REAL


def hold(visitor: Visitor, name: str) -> list[Route]:
    """Hold the requests of an operation back; return the list that takes them."""
    held: list[Route] = []
    visitor.page.route(
        "**/graphql",
        lambda route: held.append(route) if name in (route.request.post_data or "") else route.fallback(),
    )
    return held


def type_at(area: Locator, text: str) -> None:
    """Click and type as a user does, whether or not the page takes it."""
    box = area.bounding_box()
    assert box
    area.page.mouse.click(box["x"] + 20, box["y"] + 10)
    area.page.keyboard.insert_text(text)


def test_nothing_can_be_typed_while_a_pipeline_is_saved(visitor: Visitor) -> None:
    page = visitor.go("/new")
    hold(visitor, "ConsoleCheck")  # its answer would stand beside that to the save
    saves = hold(visitor, "ConsoleCreatePipeline")
    page.get_by_role("button", name="+ Direct entry").click()
    area = write(visitor, "cell", '{\n  "element_type": "nonsense"\n}')
    save = page.get_by_role("button", name="Save", exact=True)
    save.click()
    visitor.wait(lambda: len(saves) == 1)
    expect(page.get_by_role("button", name="Saving…")).to_be_disabled()
    assert visitor.serious() == []
    type_at(area, "typed late")
    type_at(page.get_by_label("Name", exact=True), "named late")
    saves[0].continue_()
    page.get_by_role("button", name="cell, line 2").wait_for()
    expect(area).not_to_contain_text("typed late")
    expect(area.locator(".cm-lintRange-error")).to_have_text('"nonsense"')
    expect(page.get_by_label("Name", exact=True)).to_have_value("")
    expect(save).to_be_focused()

    write(visitor, "cell", '{"values": {"a": 1}}')
    save.click()
    visitor.wait(lambda: len(saves) == 2)
    type_at(area, "typed late")
    saves[1].continue_()
    assert stored(visitor)["elements"][0]["jobConfig"]["values"] == {"a": 1}


def test_a_check_of_a_text_that_changed_since_says_so(visitor: Visitor) -> None:
    page = visitor.go("/new")
    held = hold(visitor, "ConsoleCheck")
    source = f'{{"elements": {{"long": {{"element_type": "entry", {LONG[1:]}}}}}'
    page.get_by_label("Import a file").set_input_files([file("x.json", source)])
    check = page.get_by_role("button", name="Check", exact=True)
    check.click()
    visitor.wait(lambda: len(held) == 1)
    page.get_by_label("Name", exact=True).fill("later")
    held[0].continue_()
    said = page.get_by_text("The text changed while it was checked.")
    said.wait_for()
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    check.click()
    expect(said).to_have_count(0)
    visitor.wait(lambda: len(held) == 2)
    held[1].continue_()
    page.get_by_role("button", name="long, line 7").wait_for()
    expect(said).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_stands_in_a_list_that_loads_can_be_read(chromium: Browser, running: servers.Server, scheme: str) -> None:
    with visiting(chromium, running.url, color_scheme=scheme) as visitor:
        held = hold(visitor, "ConsolePipelineList")
        page = visitor.go()
        expect(page.get_by_role("cell", name="Loading…")).to_be_visible()
        page.wait_for_timeout(500)  # only then is the list marked
        assert visitor.serious() == []
        assert len(held) > 0
