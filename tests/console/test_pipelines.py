"""Pipelines of the console in a real browser: counted, filtered, live, selected."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests import servers
from tests.console.conftest import NARROW, WIDE, Visitor, visiting

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route

HOSTILE = '<img src=x onerror="document.title=1"> {{7*7}} </script> \u202e ' + "long " * 30
SECONDS = {"name": "slow", "fake": {"seconds": 600}}


def test_a_new_pipeline_appears_and_its_changes_too(visitor: Visitor) -> None:
    page = visitor.go()
    rows = page.get_by_role("table").locator("tbody tr")
    first = visitor.create("appears by itself", {"name": "fast", "fake": {}})
    row = rows.filter(has_text="appears by itself")
    row.get_by_text("pending").wait_for()
    visitor.run("StartPipeline", id=first)
    row.get_by_text("completed").wait_for()
    page.get_by_role("button", name="1 completed").wait_for()
    visitor.run("DeletePipeline", id=first)
    row.wait_for(state="detached")


def test_a_pipeline_that_came_before_the_stream_was_open_is_shown(visitor: Visitor) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        if route.request.headers["accept"].startswith("text/event-stream"):
            held.append(route)
        else:
            route.continue_()

    visitor.page.route("**/graphql", hold)
    page = visitor.go("/?name=between")
    page.get_by_text("No pipeline matches.").wait_for()
    visitor.wait(lambda: len(held) > 0)
    visitor.create("between list and stream")
    for stream in held:
        stream.continue_()
    page.get_by_role("link", name="between list and stream").wait_for()


def test_what_one_tab_cancels_the_other_shows(chromium: Browser, visitor: Visitor) -> None:
    visitor.create("long run", SECONDS, start=True)
    page = visitor.go("/?name=long")
    with visiting(chromium, visitor.url) as other:
        shown = other.go("/?name=long").get_by_role("row").filter(has_text="long run")
        shown.get_by_text("running").wait_for()
        page.get_by_label("Select long run").check()
        page.get_by_role("button", name="Cancel", exact=True).click()
        page.get_by_role("dialog").get_by_role("button", name="Cancel them").click()
        shown.get_by_text("canceled").wait_for(timeout=2_000 * 5)  # 2 s on a quiet machine
        other.check()
    page.get_by_text("1 canceled.").wait_for()


def test_filters_stand_in_the_address_and_markup_is_text(visitor: Visitor) -> None:
    visitor.create(HOSTILE)
    visitor.create("other one")
    page = visitor.go()
    page.get_by_role("link", name="other one").wait_for()
    page.get_by_label("Name", exact=True).fill("onerror=")
    page.wait_for_url("**#/?name=onerror*")
    page.get_by_role("link", name="other one").wait_for(state="detached")
    page.get_by_text('<img src=x onerror="document.title=1"> {{7*7}} </script>').wait_for()
    expect(page.locator("main img")).to_have_count(0)
    page.get_by_role("button", name="failed").click()
    page.get_by_text("No pipeline matches.").wait_for()
    page.reload()
    page.get_by_text("No pipeline matches.").wait_for()
    expect(page.get_by_role("button", name="failed")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="failed").click()
    page.locator("a.name").click()
    page.get_by_role("heading", name="onerror").wait_for()
    expect(page).to_have_title(re.compile("^<img src=x onerror="))
    expect(page.locator("main img")).to_have_count(0)


def test_labels_are_shown_and_filter(visitor: Visitor) -> None:
    label = "<i>aged</i> 45 °C"
    visitor.run("UpdatePipeline", id=visitor.create("labelled"), input={"labels": [label]})
    visitor.create("without a label")
    page = visitor.go()
    page.get_by_role("link", name=label).click()
    page.get_by_role("link", name="without a label").wait_for(state="detached")
    page.get_by_role("link", name="labelled", exact=True).wait_for()
    expect(page.get_by_label("Label", exact=True)).to_have_value(label)


def test_selected_pipelines_are_deleted_and_refusals_are_named(visitor: Visitor) -> None:
    visitor.create("goes", {"name": "a", "fake": {}})
    stays = visitor.create("stays", SECONDS, start=True)
    page = visitor.go()
    for name in ("goes", "stays"):
        page.get_by_label(f"Select {name}").check()
    page.get_by_role("region", name="Selected pipelines").get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.get_by_role("alert").get_by_text(re.compile("stays: ")).wait_for()
    page.get_by_role("link", name="goes").wait_for(state="detached")
    expect(page.get_by_role("link", name="stays")).to_have_count(1)
    visitor.run("CancelPipeline", id=stays)


def test_pages_lead_to_all_pipelines_and_back(visitor: Visitor) -> None:
    for number in range(30):
        visitor.create(f"page {number:02}")
    page = visitor.go("/?name=page&order=name")
    names = page.locator("a.name")
    page.get_by_text(re.compile("1.25 of 30")).wait_for()
    expect(names.first).to_have_text("page 00")
    page.get_by_role("button", name="Next page").click()
    page.get_by_text(re.compile("26.30 of 30")).wait_for()
    page.get_by_text("page 29").wait_for()
    page.get_by_role("button", name="Previous page").click()
    page.get_by_text("page 00").wait_for()
    expect(names).to_have_count(25)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(chromium: Browser, running: servers.Server, scheme: str) -> None:
    with visiting(chromium, running.url, color_scheme=scheme) as visitor:
        for size in (WIDE, NARROW):
            visitor.resize(size)
            page = visitor.go()
            page.get_by_role("row").nth(1).wait_for()
            assert visitor.serious() == []
            assert visitor.is_within()
            page.get_by_label("Select all of this page").check()
            page.get_by_role("region", name="Selected pipelines").wait_for()
            assert visitor.serious() == []
        visitor.check()
