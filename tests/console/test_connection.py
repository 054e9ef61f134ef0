"""Console of a server that goes, comes back, asks for keys, or runs trusted documents only."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from app.auth.keys import PREFIX_LENGTH, KeyStore, open_keys
from app.database.connect import database_url as parsed
from tests import servers
from tests.console.conftest import FAKE, Visitor, create, run, visiting

if TYPE_CHECKING:
    from playwright.sync_api import Browser

T = TypeVar("T")
EXPECTED = ("Failed to load resource", "net::ERR_")
"""Beginnings of what a browser itself writes about refused and failed requests."""


def with_keys(database: str, work: Callable[[KeyStore], Awaitable[T]]) -> T:
    """Work on the keys of a database, in a thread: the browser's library holds the event loop of this one."""

    async def opened() -> T:
        async with open_keys(parsed(database)) as keys:
            return await work(keys)

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, opened()).result()


def unexpected(visitor: Visitor) -> list[str]:
    return [each for each in visitor.complaints if not any(part in each for part in EXPECTED)]


def test_a_lost_server_is_told_and_the_page_goes_on_when_it_is_back(chromium: Browser, sqlite_url: str) -> None:
    with servers.serving(sqlite_url, **FAKE) as first:
        create(first.url, "before")
        port = str(urlsplit(first.url).port)
        with visiting(chromium, first.url) as visitor:
            page = visitor.go()
            page.get_by_text("before").wait_for()
            servers.stop(first.process)
            page.get_by_text("The server does not answer.").wait_for()
            expect(page.get_by_role("link", name="before")).to_have_count(1)
            with servers.serving(sqlite_url, **FAKE, port=port) as second:
                create(second.url, "while it was away")
                page.get_by_role("link", name="while it was away").wait_for()
                page.get_by_text("The server does not answer.").wait_for(state="detached")
                create(second.url, "afterwards")
                page.get_by_role("link", name="afterwards").wait_for()
                assert unexpected(visitor) == []


def test_keys_are_asked_for_kept_and_revoked(chromium: Browser, sqlite_url: str) -> None:
    key = with_keys(sqlite_url, lambda keys: keys.create("local"))
    reader = with_keys(sqlite_url, lambda keys: keys.create("local", read_only=True))
    with servers.serving(sqlite_url, **FAKE) as server, visiting(chromium, server.url) as visitor:
        create(server.url, "seen with a key", key=key)
        page = visitor.go("/?name=seen")
        field = page.get_by_role("dialog").get_by_label("Key", exact=True)
        field.fill("vg_wrong_key")
        page.get_by_role("button", name="Use this key").click()
        page.get_by_role("dialog").wait_for(state="visible")
        field.fill(key)
        page.get_by_role("button", name="Use this key").click()
        page.get_by_role("link", name="seen with a key").wait_for()
        assert "name=seen" in page.url
        page.reload()
        page.get_by_role("link", name="seen with a key").wait_for()
        assert page.evaluate("[sessionStorage.length, localStorage.length]") == [1, 0]

        assert with_keys(sqlite_url, lambda keys: keys.revoke(key[:PREFIX_LENGTH]))
        page.get_by_role("dialog").wait_for()
        expect(page.get_by_role("link", name="seen with a key")).to_have_count(1)
        field.fill(reader)
        page.get_by_label("Remember on this device").check()
        page.get_by_role("button", name="Use this key").click()
        page.get_by_role("dialog").wait_for(state="hidden")
        page.get_by_role("link", name="seen with a key").click()
        page.get_by_role("heading", name="seen with a key").wait_for()
        for action in ("Start", "Duplicate", "Delete"):
            button = page.get_by_role("button", name=action)
            expect(button).to_be_disabled()
            expect(button).to_have_attribute("title", "Your API key may only read.")
        assert page.evaluate("[sessionStorage.length, localStorage.length]") == [0, 1]
        visitor.go()
        expect(page.get_by_role("button", name="New pipeline")).to_be_disabled()
        visitor.go("/data")
        page.get_by_role("region", name="Upload").get_by_text("Your API key may only read.").wait_for()
        expect(page.get_by_label("Choose files")).to_be_disabled()
        visitor.go("/new")
        page.get_by_text("You can check a pipeline, but not save it.").wait_for()
        expect(page.get_by_role("button", name="Save and start")).to_be_disabled()
        assert unexpected(visitor) == []


@pytest.fixture
def own_documents(tmp_path: Path) -> str:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "Mine.graphql").write_text("query Mine { viewer { organizationId } }")
    return str(folder)


def test_it_works_where_only_trusted_documents_run(chromium: Browser, sqlite_url: str, own_documents: str) -> None:
    with (
        servers.serving(sqlite_url, **FAKE, VOLTGRAPH_TRUSTED_DOCUMENTS=own_documents) as server,
        visiting(chromium, server.url) as visitor,
    ):
        page = visitor.go()
        id = create(server.url, "trusted")
        page.get_by_role("link", name="trusted").click()
        page.get_by_role("button", name="Start").click()
        page.get_by_text("completed").first.wait_for()
        assert run(server.url, "Pipeline", id=id)["status"] == "COMPLETED"
        page.get_by_role("tab", name="Log").click()
        page.get_by_role("log").wait_for()
        visitor.check()
