"""Page of the console and its files, over HTTP. tests/explorer/test_page.py tests the module that serves both pages."""

from __future__ import annotations

import gzip
import re
from collections.abc import AsyncIterator
from urllib.parse import urljoin

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from app.main import serve_console
from tests.api import ROOT, Api

DIST = ROOT / "app" / "server" / "pages" / "console" / "dist"
ASSETS = sorted(path.stem for path in (DIST / "console").glob("*.gz"))
ENTRY_BYTES = 70_000
"""Maximum of the compressed bytes that the first screen needs."""
ALL_BYTES = 130_000
"""Maximum of the compressed bytes of all files but those of the editor."""


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    inner = Starlette()
    serve_console(inner)  # type: ignore[arg-type]
    app = Starlette(routes=[Mount("/behind/a/prefix", inner), Mount("", inner)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://voltgraph.test") as client:
        yield client


def size(name: str) -> int:
    return (DIST / "console" / f"{name}.gz").stat().st_size


async def test_policy_lets_the_page_reach_its_own_files_only(api: Api) -> None:
    answer = await api.http.get("/console")
    policy = {
        words[0]: words[1:] for words in (each.split() for each in answer.headers["content-security-policy"].split(";"))
    }
    for directive in ("script-src", "style-src", "img-src", "connect-src"):
        assert policy.pop(directive) == ["'self'"]
    assert policy.pop("require-trusted-types-for") == ["'script'"]
    for directive in ("default-src", "base-uri", "form-action", "frame-ancestors", "trusted-types"):
        assert policy.pop(directive) == ["'none'"]
    assert policy == {}
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_page_has_no_inline_script_and_no_inline_style(client: httpx.AsyncClient) -> None:
    page = (await client.get("/console")).text
    assert re.findall(r"<script[^>]*>(?!</script>)", page) == []
    assert "style=" not in page
    assert "<style" not in page


@pytest.mark.parametrize("path", ["/console", "/behind/a/prefix/console"])
async def test_every_link_is_relative_and_leads_to_a_file(client: httpx.AsyncClient, path: str) -> None:
    links = re.findall(r'(?:src|href)="([^"]*)"', (await client.get(path)).text)
    assert any(link.endswith(".js") for link in links)
    for link in links:
        assert re.fullmatch(r"\./console/[\w.-]+", link)
        assert (await client.get(urljoin(path, link))).status_code == 200


@pytest.mark.parametrize("path", ["/console/", "/behind/a/prefix/console/"])
async def test_its_folder_leads_to_the_page(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path, follow_redirects=True)
    assert (answer.status_code, answer.url.path) == (200, path.rstrip("/"))


async def test_every_file_a_script_or_style_names_exists() -> None:
    named = set()
    for name in ASSETS:
        if name.endswith((".js", ".css")):
            text = gzip.decompress((DIST / "console" / f"{name}.gz").read_bytes()).decode()
            named |= set(re.findall(r"[\w.-]+-[\w-]{8}\.(?:js|css|svg)\b", text))
    assert named
    assert named <= set(ASSETS)


@pytest.mark.parametrize("path", ["index.html", "../index.html", "../sources.sha256", "/etc/passwd", f"{ASSETS[0]}.gz"])
async def test_no_other_name_is_served(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(f"/console/{path.replace('/', '%2f')}")).status_code == 404


def test_the_build_has_few_bytes() -> None:
    linked = set(re.findall(r'(?:src|href)="\./console/([^"]*)"', (DIST / "index.html").read_text()))
    entry = {name for name in linked if not name.endswith(".txt")}
    assert sum(map(size, entry)) <= ENTRY_BYTES
    rest = [name for name in ASSETS if not name.startswith("editor") and not name.endswith(".txt")]
    assert sum(map(size, rest)) <= ALL_BYTES


def test_licences_of_the_packages_are_beside_the_code() -> None:
    [name] = [name for name in ASSETS if name.startswith("licences")]
    text = gzip.decompress((DIST / "console" / f"{name}.gz").read_bytes()).decode()
    for package in ("preact", "@urql/core", "@urql/exchange-graphcache"):
        assert f"{package} " in text
