"""Readings of uploaded files in the console: what a user is told of them while requests fail, overtake or come late."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import httpx
import pytest
from playwright.sync_api import expect

from tests import servers
from tests.console.conftest import REAL, Visitor, visiting
from tests.console.test_connection import unexpected
from tests.console.test_data import discharge, found

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Locator, Route

READING = "ConsoleMeasurementStatus"
"""The query that asks whether a file was read."""


@pytest.fixture(scope="module")
def variables() -> dict[str, str]:
    return REAL


@pytest.fixture
def visitor(chromium: Browser, running: servers.Server) -> Iterator[Visitor]:
    """A visitor whose requests may fail."""
    with visiting(chromium, running.url) as visitor:
        yield visitor
        assert unexpected(visitor) == []


def is_of(route: Route, name: str) -> bool:
    return name in (route.request.post_data or "")


def choose(visitor: Visitor, name: str) -> Locator:
    """Choose a file on the screen of the data, and return its row among the uploads."""
    visitor.page.get_by_label("Choose files").set_input_files([discharge(name)])
    return visitor.page.get_by_role("list", name="Uploads").get_by_role("listitem").filter(has_text=name)


def test_a_lost_server_is_told_until_the_file_is_read(visitor: Visitor) -> None:
    page = visitor.go("/data")
    page.route("**/graphql", lambda route: route.abort() if is_of(route, READING) else route.continue_())
    row = choose(visitor, "lost.csv")
    row.get_by_role("status").get_by_text("The server does not answer. Trying again.").wait_for()
    page.unroute("**/graphql")
    row.get_by_text("601 rows").wait_for()


def test_a_refused_query_is_told_until_the_file_is_read(visitor: Visitor) -> None:
    page = visitor.go("/data")
    refused = json.dumps({"errors": [{"message": "Too many requests.", "extensions": {"code": "RATE_LIMITED"}}]})
    page.route(
        "**/graphql",
        lambda route: (
            route.fulfill(status=429, body=refused, content_type="application/json")
            if is_of(route, READING)
            else route.continue_()
        ),
    )
    row = choose(visitor, "refused.csv")
    row.get_by_text("Too many requests. Trying again.").wait_for()
    page.unroute("**/graphql")
    row.get_by_text("601 rows").wait_for()


def test_a_silent_server_is_told_until_the_file_is_read(visitor: Visitor) -> None:
    visitor.page.clock.install()
    page = visitor.go("/data")
    held: list[Route] = []

    def hold_the_first(route: Route) -> None:
        if is_of(route, READING) and not held:
            held.append(route)
        else:
            route.continue_()

    page.route("**/graphql", hold_the_first)
    row = choose(visitor, "silent.csv")
    visitor.wait(lambda: len(held) > 0)
    page.clock.fast_forward(20_000)
    row.get_by_text("The server has not answered for 20 seconds.").wait_for()
    held[0].continue_()
    row.get_by_text("601 rows").wait_for()


def test_a_file_waits_for_the_next_key(visitor: Visitor) -> None:
    page = visitor.go("/data")
    refused = json.dumps({"errors": [{"message": "This key was revoked.", "extensions": {"code": "UNAUTHENTICATED"}}]})
    asked: list[str] = []

    def refuse(route: Route) -> None:
        if not is_of(route, READING):
            return route.continue_()
        asked.append(route.request.url)
        return route.fulfill(status=401, body=refused, content_type="application/json")

    page.route("**/graphql", refuse)
    row = choose(visitor, "revoked.csv")
    row.get_by_text("This key was revoked.").wait_for()
    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    page.wait_for_timeout(3_000)
    assert len(asked) == 1  # otherwise the form opens again and again
    page.unroute("**/graphql")
    dialog.get_by_label("Key", exact=True).fill("any")
    dialog.get_by_role("button", name="Use this key").click()
    row.get_by_text("601 rows").wait_for()


def test_an_answer_that_is_overtaken_by_an_older_list_counts(visitor: Visitor) -> None:
    page = visitor.go("/data")
    held: list[Route] = []
    is_late = False

    def overtake(route: Route) -> None:
        if is_of(route, READING) and not held:
            return held.append(route)
        if not held or is_late or not is_of(route, "ConsoleMeasurementList"):
            return route.continue_()
        answer: Any = route.fetch().json()
        for node in answer["data"]["measurements"]["nodes"]:
            node.update(name="of the older list", status="PROCESSING", isTerminal=False, rows=None)
        return route.fulfill(json=answer)

    page.route("**/graphql", overtake)
    row = choose(visitor, "overtaken.csv")
    visitor.wait(lambda: len(held) > 0)
    page.get_by_label("Name contains").fill("overtaken")
    region = page.get_by_role("region", name="Measurements")
    region.get_by_text("of the older list").wait_for()
    visitor.wait(lambda: found(visitor, "overtaken")["status"] == "READY")
    is_late = True
    held[0].continue_()
    row.get_by_text("601 rows").wait_for()
    expect(region.get_by_role("row").filter(has_text="ready")).to_have_count(1)


def test_the_list_shows_what_is_uploaded_elsewhere(visitor: Visitor) -> None:
    page = visitor.go("/data")
    region = page.get_by_role("region", name="Measurements")
    expect(region.get_by_text("Loading…")).to_have_count(0)
    made = visitor.run("CreateMeasurement", input={"projectId": "cells", "name": "elsewhere", "fileName": "e.csv"})
    row = region.get_by_role("row").filter(has_text="elsewhere")
    expect(row).to_contain_text("uploading")
    content = discharge("elsewhere.csv")["buffer"]
    address = urljoin(visitor.url, made["upload"]["url"])
    assert httpx.put(address, content=content, headers=made["upload"]["headers"], trust_env=False).is_success
    assert visitor.run("CompleteMeasurement", id=made["measurement"]["id"])["userErrors"] == []
    expect(row).to_contain_text("ready")
    expect(row).to_contain_text("601")
