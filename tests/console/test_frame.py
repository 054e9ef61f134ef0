"""Frame of the console in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests import servers
from tests.console.conftest import NARROW, WIDE, Visitor, visiting

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route


def test_it_is_drawn_and_reaches_its_own_server_only(visitor: Visitor) -> None:
    page = visitor.go()
    page.get_by_role("heading", name="Pipelines").wait_for()
    expect(page).to_have_title("Pipelines · Voltgraph")
    page.get_by_text("No pipelines yet.").wait_for()


def test_it_works_behind_a_prefix(visitor: Visitor) -> None:
    def forward(route: Route) -> None:
        route.continue_(url=route.request.url.replace("/behind/a/prefix/", "/"))

    visitor.context.route("**/behind/a/prefix/**", forward)
    asked: set[str] = set()
    visitor.context.on("request", lambda request: asked.add(urlsplit(request.url).path))
    page = visitor.page
    page.goto(f"{visitor.url}/behind/a/prefix/console")
    page.get_by_text("No pipelines yet.").wait_for()
    id = visitor.create("behind a prefix")
    page.get_by_role("link", name="behind a prefix").click()
    page.get_by_role("heading", name="behind a prefix").wait_for()
    assert page.url == f"{visitor.url}/behind/a/prefix/console#/pipeline/{id}"
    assert all(path.startswith("/behind/a/prefix/") for path in asked), asked
    assert page.get_by_role("link", name="GraphiQL").evaluate("link => link.pathname") == "/behind/a/prefix/graphql"
    visitor.run("DeletePipeline", id=id)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_the_system(chromium: Browser, running: servers.Server, scheme: str) -> None:
    with visiting(chromium, running.url, color_scheme=scheme) as visitor:
        for place, text in (("/system", "There is no key"), ("/nowhere", "is no place in the console")):
            page = visitor.go(place)
            page.get_by_text(text).wait_for()
            for size in (WIDE, NARROW):
                visitor.resize(size)
                assert visitor.serious() == []
                assert visitor.is_within()
        visitor.check()


def test_an_unknown_place_says_so(visitor: Visitor) -> None:
    page = visitor.go("/nowhere/<b>x")
    page.get_by_text("is no place in the console").wait_for()
    expect(page.locator("main b")).to_have_count(0)
