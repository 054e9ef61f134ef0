"""Entrance of a server for browsers."""

from __future__ import annotations

import gzip
import re
from html import escape

from app import __version__
from app.server.pages.reference.document import OPEN
from app.server.pages.reference.page import reference
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
    links = re.findall(r'href="([^"#]+)"', page.text)
    assert len(links) == 7
    assert "<script" not in page.text
    for link in links:
        assert (await api.http.get(f"/{link}", headers={"accept": "text/html"})).status_code == 200, link


async def test_a_server_without_keys_answers_only_to_names_of_its_machine(api: Api) -> None:
    for path in ("/", "/docs"):
        assert (await api.http.get(path, headers={"host": "evil.example"})).status_code == 403


async def test_the_page_of_docs_is_a_reference_of_rest(api: Api) -> None:
    document = (await api.http.get("/openapi.json")).json()
    page = (await api.http.get("/docs")).text
    ids = re.findall(r' id="([^"]+)"', page)
    operations = [each["operationId"] for item in document["paths"].values() for each in item.values()]
    assert len(set(ids)) == len(ids)
    assert {*operations, *(f"schema-{name}" for name in document["components"]["schemas"])} == set(ids)
    assert {link.removeprefix("#") for link in re.findall(r'href="(#[^"]+)"', page)} <= set(ids)
    assert len(gzip.compress(page.encode(), 1)) < 20_000
    assert not re.search(r'(src|href)="(https?:)?//', page)
    assert page.count(escape('"Electrode area [m2]": 0.1027')) == 3  # examples of a create, a check and a bulk create


async def test_texts_of_the_document_are_escaped() -> None:
    evil = "<img src=x onerror=alert(1)>"
    operation = {"operationId": evil, "summary": evil, "description": evil, "responses": {"200": {"description": evil}}}
    made = reference(
        {
            "servers": [{"url": f"http://{evil}"}],
            "paths": {f"/{evil}": {"get": operation}},
            "components": {"schemas": {evil: {"properties": {evil: {"type": evil}}, "enum": [evil]}}},
        }
    )
    assert "<img" not in made


async def test_the_openapi_document_says_what_occurs(api: Api) -> None:
    document = (await api.http.get("/openapi.json", headers={"host": "localhost:8123"})).json()
    assert document["servers"] == [{"url": "http://localhost:8123"}]
    assert document["info"]["version"] == __version__
    assert set(document["components"]["securitySchemes"]) == {"ApiKey", "Bearer"}
    ids = []
    for path, item in document["paths"].items():
        for each in item.values():
            ids.append(each["operationId"])
            statuses = {"400", "403", "429", "503"}
            statuses.add("404" if path in OPEN else "401")
            if "requestBody" in each:
                statuses |= {"408", "413", "415", "422"}
            assert statuses <= each["responses"].keys(), path
            assert (each.get("security") == []) is (path in OPEN)
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", id) for id in ids), ids
