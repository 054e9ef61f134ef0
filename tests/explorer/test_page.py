"""GraphiQL page and its files, over HTTP."""

import gzip
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.types import Message, Receive, Scope, Send

from app.server.pages.explorer import PLACEHOLDER, PLACEHOLDERS, Explorer

DIST = Path(__file__).parents[2] / "app" / "server" / "pages" / "explorer" / "dist"
QUERIES = Path(__file__).parents[2] / "queries"
ASSETS = sorted(path.stem for path in (DIST / "explorer").glob("*.gz"))


class Endpoint:
    """Stand-in for the GraphQL endpoint, which passes browsers on to the page."""

    def __init__(self, explorer: Explorer) -> None:
        self.explorer = explorer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.explorer.page(scope, receive, send)


def app_of(queries: Path) -> Starlette:
    explorer = Explorer(queries)
    served = [Mount("/explorer", explorer.assets), Route("/graphql", Endpoint(explorer))]
    return Starlette(routes=[*served, Mount("/behind/a/prefix", routes=served)])


def client_of(queries: Path) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app_of(queries))
    return httpx.AsyncClient(transport=transport, base_url="http://voltgraph.test")


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(QUERIES) as client:
        yield client


async def tabs_of(queries: Path) -> list[dict[str, str | None]]:
    async with client_of(queries) as client:
        page = (await client.get("/graphql")).text
    (text,) = re.findall(r'<script type="application/json" id="voltgraph-tabs">(.*?)</script>', page, re.DOTALL)
    tabs: list[dict[str, str | None]] = json.loads(text)
    return tabs


def directives_of(policy: str) -> dict[str, list[str]]:
    return {words[0]: words[1:] for words in (directive.split() for directive in policy.split(";"))}


async def test_page_headers(client: httpx.AsyncClient) -> None:
    answer = await client.get("/graphql")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["vary"] == "Accept, Accept-Encoding"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"


async def test_policy_lets_the_page_run_and_reach_its_own_files_only(client: httpx.AsyncClient) -> None:
    policy = directives_of((await client.get("/graphql")).headers["content-security-policy"])
    assert policy["default-src"] == policy["script-src"] == policy["connect-src"] == ["'self'"]
    assert policy["worker-src"] == ["'self'"]
    for directive in ("base-uri", "form-action", "frame-ancestors", "object-src"):
        assert policy[directive] == ["'none'"]
    own = {"'self'", "'none'", "'unsafe-inline'", "data:"}
    assert {source for sources in policy.values() for source in sources} <= own


async def test_page_has_no_inline_script(client: httpx.AsyncClient) -> None:
    scripts = re.findall(r"<script([^>]*)>", (await client.get("/graphql")).text)
    assert len(scripts) == 2
    assert all("src=" in attributes or 'type="application/json"' in attributes for attributes in scripts)


@pytest.mark.parametrize("path", ["/graphql", "/behind/a/prefix/graphql"])
async def test_every_link_is_relative_and_leads_to_a_file(client: httpx.AsyncClient, path: str) -> None:
    page = (await client.get(path)).text
    links = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert any(link.endswith(".js") for link in links)
    for link in links:
        assert re.fullmatch(r"\./explorer/[\w.-]+", link)
        assert (await client.get(urljoin(path, link))).status_code == 200


async def test_every_file_a_script_or_style_names_exists() -> None:
    named = set()
    for name in ASSETS:
        if name.endswith((".js", ".css")):
            text = gzip.decompress((DIST / "explorer" / f"{name}.gz").read_bytes()).decode()
            named |= set(re.findall(r"[\w.-]+-[\w-]{8}\.(?:js|css|ttf|svg)\b", text))
    assert any("graphql.worker" in name for name in named)
    assert named <= set(ASSETS)


@pytest.mark.parametrize("name", ASSETS)
async def test_file_is_the_same_compressed_and_plain(client: httpx.AsyncClient, name: str) -> None:
    packed = await client.get(f"/explorer/{name}", headers={"accept-encoding": "br, GZIP;q=0.5"})
    plain = await client.get(f"/explorer/{name}", headers={"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content  # httpx decompresses
    assert int(packed.headers["content-length"]) == (DIST / "explorer" / f"{name}.gz").stat().st_size
    assert int(plain.headers["content-length"]) == len(plain.content)
    for answer in (packed, plain):
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["vary"] == "Accept-Encoding"
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("accepted", ["", "br", "gzip;q=0", "gzip; q=0.000, br", "deflate, *;q=0"])
async def test_page_is_plain_for_a_client_without_gzip(client: httpx.AsyncClient, accepted: str) -> None:
    answer = await client.get("/graphql", headers={"accept-encoding": accepted})
    assert "content-encoding" not in answer.headers
    assert answer.content.startswith(b"<!doctype html>")


@pytest.mark.parametrize(
    ("suffix", "media_type"),
    [
        (".js", "text/javascript; charset=utf-8"),
        (".css", "text/css; charset=utf-8"),
        (".ttf", "font/ttf"),
        (".svg", "image/svg+xml"),
        (".txt", "text/plain; charset=utf-8"),
    ],
)
async def test_media_types(client: httpx.AsyncClient, suffix: str, media_type: str) -> None:
    names = [name for name in ASSETS if name.endswith(suffix)]
    assert names
    for name in names:
        assert (await client.get(f"/explorer/{name}")).headers["content-type"] == media_type


@pytest.mark.parametrize("path", ["/graphql", f"/explorer/{ASSETS[0]}"])
async def test_head_is_get_without_the_body(client: httpx.AsyncClient, path: str) -> None:
    get, head = await client.get(path), await client.head(path)
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers == get.headers


@pytest.mark.parametrize(
    "path",
    [
        "",
        "unknown-12345678.js",
        "index.html",
        "explorer",
        "../index.html",
        "../../__init__.py",
        "./" + ASSETS[0],
        "/etc/passwd",
        f"{ASSETS[0]}.gz",
        f"{ASSETS[0]}/",
        f"{ASSETS[0]}\0",
        f"{ASSETS[0]}\n",
        f"more/{ASSETS[0]}",
    ],
)
async def test_no_other_name_is_served(path: str) -> None:
    # As a server passes the path on, decoded; a client such as httpx would remove the dots.
    scope = {
        "type": "http",
        "method": "GET",
        "path": f"/explorer/{path}",
        "root_path": "",
        "query_string": b"",
        "headers": [],
    }
    sent = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    await app_of(QUERIES)(scope, receive, send)
    assert sent[0]["status"] == 404


async def test_only_get_and_head(client: httpx.AsyncClient) -> None:
    assert (await client.post(f"/explorer/{ASSETS[0]}")).status_code == 405


async def test_no_text_of_a_query_ends_its_script_element(tmp_path: Path) -> None:
    query = 'query Hostile { a(b: "</script><script>alert(1)</script> <!-- <script> ]]> \u2028 \\u003c é") }\n'
    variables = {"text": "</SCRIPT ><!--"}
    (tmp_path / "Hostile.graphql").write_text(query, "utf-8")
    (tmp_path / "Hostile.variables.json").write_text(json.dumps(variables), "utf-8")
    (tab,) = await tabs_of(tmp_path)
    assert tab["query"] == query
    assert json.loads(tab["variables"] or "") == variables
    async with client_of(tmp_path) as client:
        page = (await client.get("/graphql")).text
    assert page.count("</script>") == 2
    assert page.lower().count("<script") == 2
    assert page.count("<!--") == 1


async def test_tabs_are_in_a_useful_order(tmp_path: Path) -> None:
    for name in ("Pipelines", "DeletePipeline", "Alerts", "Steps", "CreatePipeline", "Pipeline"):
        (tmp_path / f"{name}.graphql").write_text(f"query {name} {{ x }}")
    (tmp_path / "README.md").write_text("not an operation")
    names = [(tab["query"] or "").split()[1] for tab in await tabs_of(tmp_path)]
    assert names == ["CreatePipeline", "Pipelines", "Pipeline", "Alerts", "Steps", "DeletePipeline"]


async def test_an_operation_that_needs_an_id_gets_one_to_replace(tmp_path: Path) -> None:
    examples: list[tuple[str, dict[str, object] | None, dict[str, object] | None]] = [
        ("query A($id: ID!) { x }", None, {"id": PLACEHOLDER}),
        ("query B(\n  $first: Int\n  $id : ID !\n) { x }", {"first": 2}, {"id": PLACEHOLDER, "first": 2}),
        ("query C($id: ID!) { x }", {"id": "mine"}, {"id": "mine"}),
        ("query D($id: ID) { x }", None, None),
        ("query E($name: String!) { x }", {"name": "é"}, {"name": "é"}),
    ]
    for query, variables, _ in examples:
        (tmp_path / f"{query[6]}.graphql").write_text(query, "utf-8")
        if variables is not None:
            (tmp_path / f"{query[6]}.variables.json").write_text(json.dumps(variables), "utf-8")
    shown = [tab["variables"] and json.loads(tab["variables"]) for tab in await tabs_of(tmp_path)]
    assert shown == [expected for _, _, expected in examples]


async def test_page_without_any_query(tmp_path: Path) -> None:
    assert await tabs_of(tmp_path / "missing") == []


async def test_every_file_of_the_folder_is_a_tab() -> None:
    assert len(await tabs_of(QUERIES)) == len(list(QUERIES.glob("*.graphql")))


def test_page_and_server_agree_on_the_placeholders() -> None:
    source = (DIST.parent / "src" / "newest.js").read_text("utf-8")
    scripts = b"".join(gzip.decompress(path.read_bytes()) for path in (DIST / "explorer").glob("index-*.js.gz"))
    for id in (PLACEHOLDER, *PLACEHOLDERS.values()):
        assert id in source
        assert id.encode() in scripts


async def test_each_kind_of_object_has_a_placeholder_and_an_end_has_none(tmp_path: Path) -> None:
    for name in ("Pipeline", "JobLogged", "UpdateCellInstance", "MeasurementSeries", "DeleteMeasurement", "CancelIt"):
        (tmp_path / f"{name}.graphql").write_text(f"query {name}($id: ID!) {{ x }}")
    shown = {
        (tab["query"] or "").split("(")[0][6:]: json.loads(tab["variables"] or "") for tab in await tabs_of(tmp_path)
    }
    assert {name: values["id"][-1:] for name, values in shown.items()} == {
        "Pipeline": "0",
        "MeasurementSeries": "1",
        "UpdateCellInstance": "3",
        "JobLogged": "4",
        "DeleteMeasurement": "",
        "CancelIt": "",
    }
