"""Entrance of a server for browsers."""

from __future__ import annotations

import re

from app import __version__
from tests.api import Api
from tests.sharing import in_process


async def test_a_browser_is_led_to_the_console(api: Api) -> None:
    answer = await api.http.get("/", headers={"accept": "text/html,*/*;q=0.8"})
    assert (answer.status_code, answer.headers["location"]) == (307, "console")
    page = await api.http.get("/", headers={"accept": "text/html"}, follow_redirects=True)
    assert "<title>" in page.text
    assert page.url.path == "/console"


async def test_a_browser_is_led_to_graphiql_without_a_console(sqlite_url: str) -> None:
    async with in_process(sqlite_url, console=False) as api:
        answer = await api.http.get("/", headers={"accept": "text/html"})
        assert (answer.status_code, answer.headers["location"]) == (307, "graphql")
        assert "console" not in (await api.http.get("/")).json()
        for path in ("/console", "/console/"):
            assert (await api.http.get(path)).status_code == 404


async def test_other_clients_are_told_the_places(api: Api) -> None:
    places = (await api.http.get("/")).json()
    assert places.pop("voltgraph") == __version__
    for path in places:
        answer = await api.http.get(f"/{path}", headers={"accept": "text/html"})
        assert answer.status_code == 200, path


async def test_the_page_of_docs_links_to_places_that_answer(api: Api) -> None:
    page = await api.http.get("/docs", headers={"accept": "text/html"})
    links = re.findall(r'href="([^"]+)"', page.text)
    assert len(links) == 6
    assert "script" not in page.text
    for link in links:
        assert (await api.http.get(f"/{link}", headers={"accept": "text/html"})).status_code == 200, link


async def test_a_server_without_keys_answers_only_to_names_of_its_machine(api: Api) -> None:
    for path in ("/", "/docs"):
        assert (await api.http.get(path, headers={"host": "evil.example"})).status_code == 403
