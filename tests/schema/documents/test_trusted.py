"""Trusted documents: the server executes only documents of folders."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli.commands import cli
from app.errors import WrongDocuments
from app.main import create_app
from app.settings import QUERIES, Settings
from tests.api import ADMIN, Api, operation
from tests.schema.requests import GRAPHQL, post, refusals
from tests.schema.subscriptions import clients
from tests.sharing import in_process

MINE = """# What a dashboard asks.
query Newest($first: Int = 5) {
  pipelines(first: $first) {
    nodes { id  name, status }
  }
}
"""
INTROSPECTION = "{ __schema { queryType { name } } }"


def write_folder(parent: Path) -> Path:
    (parent / "mine" / "deeper").mkdir(parents=True)
    (parent / "mine" / "deeper" / "Newest.graphql").write_text(MINE)
    (parent / "mine" / "notes.txt").write_text("not a document")
    return parent / "mine"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Folder of a document, which a test may change before its server starts."""
    return write_folder(tmp_path)


@pytest.fixture(scope="module")
async def api(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    """Server for all tests that only send documents: a start validates every trusted document."""
    parent = tmp_path_factory.mktemp("trusted")
    file = shutil.copy(sqlite_template, parent / "test.db")
    async with in_process(f"sqlite:///{file}", trusted_documents=str(write_folder(parent))) as api:
        yield api


async def test_every_operation_of_ours_runs(api: Api) -> None:
    for file in QUERIES.glob("*.graphql"):
        answer = (await post(api, {"query": file.read_text()}, accept=GRAPHQL)).json()
        code = answer["errors"][0]["extensions"]["code"] if "errors" in answer else "OK"
        allowed = {"FORBIDDEN", "BAD_USER_INPUT"} if file.stem in ADMIN else {"OK", "BAD_USER_INPUT", "NOT_ACCEPTABLE"}
        assert code in allowed, (file.stem, code)


@pytest.mark.parametrize(
    "text",
    [
        MINE,
        " ".join(MINE.partition("\n")[2].split()),
        MINE.replace("nodes {", "__typename nodes { __typename"),
        MINE.replace("\n", "\n\n\t,"),
    ],
    ids=["as it is", "without comments", "__typename", "white space"],
)
async def test_one_of_your_own_runs_however_it_is_written(api: Api, text: str) -> None:
    answer = await post(api, {"query": text}, accept=GRAPHQL)
    assert "data" in answer.json(), answer.text


@pytest.mark.parametrize(
    "text",
    [
        "{ viewer { email } }",
        INTROSPECTION,
        "{ __typename }",
        "{ nothing { __typename } }",
        MINE.replace("status", "status description"),
        MINE.replace("status", ""),
        MINE.replace("status", "state: status"),
        MINE.replace("nodes {", "nodes { __typename @include(if: true)"),
        MINE.replace("= 5", "= 50"),
        MINE + "query More { viewer { email } }",
    ],
)
@pytest.mark.parametrize(("accept", "status"), [("application/json", 200), (GRAPHQL, 400)])
async def test_anything_else_is_refused(api: Api, text: str, accept: str, status: int) -> None:
    [error] = refusals(await post(api, {"query": text}, accept=accept), status, "DOCUMENT_NOT_TRUSTED")
    assert "locations" not in error
    by_get = await api.http.get("/graphql", params={"query": text}, headers={"accept": accept})
    refusals(by_get, status, "DOCUMENT_NOT_TRUSTED")


async def test_over_event_streams_and_sockets_too(sqlite_url: str, folder: Path) -> None:
    async with clients.live(sqlite_url, trusted_documents=str(folder)) as live:
        async with clients.stream(live.http, clients.FOLLOW) as events:
            _, result = await events.next()
            assert result["errors"][0]["extensions"]["code"] == "DOCUMENT_NOT_TRUSTED"
        async with clients.stream(live.http, operation("PipelinesUpdated")) as events:
            assert await anext(events.lines) == ":"
        async with clients.socket(live.url) as socket:
            await socket.subscribe(clients.FOLLOW)
            message = await socket.receive()
            assert message["payload"][0]["extensions"]["code"] == "DOCUMENT_NOT_TRUSTED"
            await socket.subscribe(MINE)
            assert await socket.next() == {"nodes": []}


@pytest.mark.parametrize("persisted", [0, 10])
async def test_their_hashes_are_known_from_the_start(sqlite_url: str, folder: Path, persisted: int) -> None:
    async with in_process(sqlite_url, trusted_documents=str(folder), max_persisted_queries=persisted) as api:
        for text in (MINE, MINE.strip(), operation("Viewer")):
            answer = await post(api, {"documentId": sha256(text.encode()).hexdigest()}, accept=GRAPHQL)
            assert "data" in answer.json()
        other = "{ viewer { email } }"
        named = {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": sha256(other.encode()).hexdigest()}}}
        refusals(await post(api, named, accept=GRAPHQL), 400, "PERSISTED_QUERY_NOT_FOUND")
        refusals(await post(api, named | {"query": other}, accept=GRAPHQL), 400, "DOCUMENT_NOT_TRUSTED")
        refusals(await post(api, named, accept=GRAPHQL), 400, "PERSISTED_QUERY_NOT_FOUND")


async def test_what_asks_for_the_schema_may_be_trusted(sqlite_url: str, folder: Path) -> None:
    (folder / "Introspection.gql").write_text(INTROSPECTION)
    async with in_process(sqlite_url, trusted_documents=str(folder)) as api:
        assert (await api.data(INTROSPECTION))["__schema"] == {"queryType": {"name": "Query"}}


async def test_rest_and_the_page_stay(api: Api) -> None:
    assert (await api.http.get("/pipelines")).status_code == 200
    assert "text/html" in (await api.http.get("/graphql", headers={"accept": "text/html"})).headers["content-type"]


def test_wrong_documents_stop_the_start_and_all_is_named(folder: Path) -> None:
    (folder / "A.graphql").write_text("query A { nothing other }")
    (folder / "B.graphql").write_text("query B {")
    (folder / "C.graphql").write_bytes(b"\xff")
    (folder / "D.graphql").write_text("#" * 200_000 + MINE)
    with pytest.raises(WrongDocuments) as refused:
        create_app(Settings(trusted_documents=f"{folder}:{folder / 'missing'}"))
    said = "\n".join(refused.value.faults)
    assert len(refused.value.faults) == 6, said
    for part in ("A.graphql:1:11: ", "A.graphql:1:19: ", "B.graphql:1:10: ", "C.graphql: ", "D.graphql: ", "missing"):
        assert part in said


def test_the_command_names_them(folder: Path, monkeypatch: pytest.MonkeyPatch, sqlite_url: str) -> None:
    (folder / "A.graphql").write_text("query A { nothing }")
    monkeypatch.setenv("VOLTGRAPH_TRUSTED_DOCUMENTS", str(folder))
    monkeypatch.setenv("VOLTGRAPH_DATABASE_URL", sqlite_url)
    result = CliRunner().invoke(cli, ["serve", "--port", "0"])
    assert result.exit_code == 2
    assert "A.graphql:1:11" in result.output
