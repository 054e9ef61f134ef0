"""Keys in the console, in a real browser: an administrator creates and revokes them."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Literal

import httpx
from playwright.sync_api import expect

from app.auth.keys import PREFIX_LENGTH
from tests import servers
from tests.console.conftest import FAKE, NARROW, WIDE, Visitor, create, run, visiting
from tests.console.test_connection import unexpected, with_keys

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHANGES = 22
"""Changes of a pipeline that fill more than a page of the audit log."""


def refused(url: str, key: str) -> bool:
    """Return whether the server does not know a key."""
    body = {"query": "{ viewer { id } }"}
    return httpx.post(f"{url}/graphql", json=body, headers={"x-api-key": key}, trust_env=False).status_code == 401


def use(visitor: Visitor, key: str) -> None:
    """Enter a key in the form that asks for it."""
    visitor.page.get_by_role("dialog").get_by_label("Key", exact=True).fill(key)
    visitor.page.get_by_role("button", name="Use this key").click()
    visitor.page.get_by_role("dialog").wait_for(state="hidden")


def faults(visitor: Visitor) -> list[str]:
    """Serious faults of accessibility in both schemes, in a wide and in a narrow window."""
    found = []
    schemes: tuple[Literal["dark", "light"], ...] = ("dark", "light")
    for scheme, size in product(schemes, (NARROW, WIDE)):
        visitor.page.emulate_media(color_scheme=scheme)
        visitor.resize(size)
        found += visitor.serious() + ([] if visitor.is_within() else [f"wider than {size}"])
    return found


def test_an_administrator_creates_a_key_and_revokes_it(chromium: Browser, sqlite_url: str) -> None:
    admin = with_keys(sqlite_url, lambda keys: keys.create("local", email="root@lab.example", is_admin=True))
    with servers.serving(sqlite_url, **FAKE) as server, visiting(chromium, server.url) as visitor:
        pipelines = [create(server.url, f"made {number}", key=admin) for number in range(CHANGES)]
        page = visitor.go("/keys")
        page.get_by_role("dialog").get_by_label("Key", exact=True).wait_for()
        assert faults(visitor) == []
        use(visitor, admin)
        log = page.get_by_role("region", name="Audit log")
        log.get_by_role("link", name=f"made {CHANGES - 1}").wait_for()
        expect(log.get_by_role("row")).to_have_count(21)
        page.get_by_role("button", name="More").click()
        log.get_by_role("link", name="made 0").wait_for()
        # Besides the changes: the heading, and the key that the command line made.
        expect(log.get_by_role("row")).to_have_count(CHANGES + 2)
        expect(log.get_by_role("link", name="made 0")).to_have_attribute("href", f"#/pipeline/{pipelines[0]}")

        page.get_by_label("Email of its holder").fill("<b>ada</b>@lab.example")
        page.get_by_label("Rights").select_option("read only")
        projects = page.get_by_role("textbox", name="Only these projects")
        projects.fill("cells")
        projects.press("Enter")
        projects.fill("a,b")
        page.get_by_role("button", name="Create key").click()
        secret = page.get_by_label("Secret").input_value()
        prefix = secret[:PREFIX_LENGTH]
        page.get_by_text("it is shown only this once").wait_for()
        assert faults(visitor) == []
        visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.get_by_role("button", name="Copy").click()
        page.get_by_text("Copied.").wait_for()
        assert page.evaluate("navigator.clipboard.readText()") == secret
        [made] = [each for each in run(server.url, "ApiKeys", admin) if each["prefix"] == prefix]
        assert sorted(made["projectIds"]) == ["a,b", "cells"]
        assert (made["readOnly"], made["isAdmin"]) == (True, False)
        assert run(server.url, "Pipeline", secret, id=pipelines[0])["name"] == "made 0"

        page.get_by_role("button", name="I have copied it").click()
        row = page.get_by_role("region", name="API keys").get_by_role("row").filter(has_text=prefix)
        row.get_by_text("<b>ada</b>@lab.example").wait_for()
        row.get_by_text("read only").wait_for()
        assert secret not in page.content()
        page.reload()
        row.wait_for()
        expect(page.get_by_label("Secret")).to_have_count(0)

        row.get_by_role("button", name="Revoke").click()
        page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
        assert not refused(server.url, secret)
        row.get_by_role("button", name="Revoke").click()
        page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
        row.get_by_text(f"by {admin[:PREFIX_LENGTH]}").wait_for()
        visitor.wait(lambda: refused(server.url, secret), seconds=5)

        page.get_by_role("navigation", name="Main").get_by_role("link", name="System").click()
        page.get_by_role("link", name="Create, list and revoke keys").wait_for()
        assert faults(visitor) == []
        assert unexpected(visitor) == []


def test_who_may_not_manage_keys_is_told_how(chromium: Browser, sqlite_url: str) -> None:
    with servers.serving(sqlite_url, **FAKE) as server, visiting(chromium, server.url) as visitor:
        asked: list[str] = []
        visitor.context.on("request", lambda request: asked.append(request.post_data or ""))
        page = visitor.go("/keys")
        page.get_by_text("This server has no keys").wait_for()
        page.get_by_text("voltgraph keys create --admin").wait_for()

        key = with_keys(sqlite_url, lambda keys: keys.create("local"))
        page.wait_for_timeout(2_000)  # servers look for new keys every second
        page.reload()
        use(visitor, key)
        page.get_by_text("Your key may not manage keys.").wait_for()
        page.get_by_text("voltgraph keys create --admin").wait_for()
        expect(page.get_by_role("navigation", name="Main").get_by_role("link", name="Keys")).to_have_count(0)
        assert not any("apiKeys" in body or "auditLog" in body for body in asked)
        assert unexpected(visitor) == []
