"""Fast path: its answers are those of ASGI, bodies and headers, and it can be switched off."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import cycle, product
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from app.main import create_app
from app.server.connections.http import HttpProtocol
from app.server.fast_path.protocol import FastPathProtocol
from app.settings import Settings
from schema.transport.http import GraphQLEndpoint
from tests.api import ADMIN, ROOT, operation
from tests.schema.requests import JSON
from tests.schema.subscriptions import clients
from tests.schema.subscriptions.clients import Live

FILES = sorted((ROOT / "queries").glob("*.graphql"))
NEW = re.compile(rb'[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[\d:.]+Z|"WyJ[\w-]+"')
"""Ids, instants and cursors, which differ between two servers that create the same pipeline."""
ACCEPTED = ["application/json", "application/graphql-response+json", "text/html;q=0.1, */*"]
EACH_KIND = [
    ROOT / "queries" / f"{name}.graphql" for name in ("Pipeline", "UpdatePipeline", "ApiKeys", "PipelineUpdated")
]
"""A query, a mutation, a refused operation and a subscription: these are sent with each `accept`, others with one."""
REFUSED: dict[str, tuple[bytes, dict[str, str]]] = {
    "no JSON": (b"{", {}),
    "unknown field": (b'{"query":"{ unknown }"}', {}),
    "no document": (b"{}", {}),
    "other content type": (b'{"query":"{ __typename }"}', {"content-type": "text/plain"}),
    "nothing acceptable": (b'{"query":"{ __typename }"}', {"accept": "image/png"}),
    "unknown variable type": (b'{"query":"query ($id: ID!) { pipeline(id: $id) { id } }","variables":{"id":[]}}', {}),
    "subscription": (b'{"query":"subscription { pipelinesUpdated { pipelineId } }"}', {}),
    "other page": (b'{"query":"mutation { __typename }"}', {"origin": "https://evil.example"}),
    "other host": (b'{"query":"{ __typename }"}', {"host": "evil.example"}),
}
Pair = tuple[Live, Live, str]


@pytest.fixture(scope="module")
def fast_path() -> bool:
    """Overrides the parameter of the package: these tests start both kinds of servers."""
    return True


@pytest.fixture(scope="module")
async def both(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    """Servers with and without the fast path over copies of one database, and the id of a pipeline in it."""
    folder = tmp_path_factory.mktemp("both")
    shutil.copy(sqlite_template, folder / "on.db")
    async with clients.live(f"sqlite:///{folder}/on.db") as running:
        id = (await running.api.create())["id"]
    shutil.copy(folder / "on.db", folder / "off.db")
    async with AsyncExitStack() as stack:
        patient = {"request_timeout": 60}  # the first check of a pipeline waits for the import of PyBaMM
        on = await stack.enter_async_context(clients.live(f"sqlite:///{folder}/on.db", **patient))
        off = await stack.enter_async_context(clients.live(f"sqlite:///{folder}/off.db", fast_path=False, **patient))
        yield on, off, id


def comparable(answer: httpx.Response) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Return status, headers and body, without the time and without what is new in each database."""
    varying = {b"date"}
    if "content-encoding" in answer.headers:  # what is new does not compress alike
        varying.add(b"content-length")
    headers = [(name, value) for name, value in answer.headers.raw if name not in varying]
    assert len(headers) == len(answer.headers.raw) - len(varying)
    return answer.status_code, headers, NEW.sub(b"NEW", answer.content)


async def ask(pair: Pair, body: bytes, **headers: str) -> httpx.Response:
    """Send a request three times to both servers, by heads that are new and by known ones; return the last answer."""
    on, off, _ = pair
    for _ in range(3):
        answers = [
            await live.http.post("/graphql", content=body, headers=JSON | headers, timeout=90) for live in (on, off)
        ]
        assert comparable(answers[0]) == comparable(answers[1])
    return answers[0]


@pytest.fixture
def responses(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Bodies of the requests that are answered without ASGI."""
    respond, taken = GraphQLEndpoint.respond, []

    def watched(self: GraphQLEndpoint, headers: Any, body: bytes) -> Any:
        taken.append(body)
        return respond(self, headers, body)

    monkeypatch.setattr(GraphQLEndpoint, "respond", watched)
    return taken


@pytest.mark.parametrize(
    ("file", "accept"),
    list(dict.fromkeys([*zip(FILES, cycle(ACCEPTED), strict=False), *product(EACH_KIND, ACCEPTED)])),
    ids=lambda each: each.stem if isinstance(each, Path) else each,
)
async def test_operations_are_answered_alike(both: Pair, responses: list[bytes], file: Path, accept: str) -> None:
    example = file.with_suffix(".variables.json")
    variables = orjson.loads(example.read_bytes()) if example.exists() else {}
    text = operation(file.stem)
    if "$id: ID!" in text:
        variables["id"] = both[2]
    body = orjson.dumps({"query": text, "variables": variables})
    answer = await ask(both, body, accept=accept)
    assert responses == [body] * 3  # by one of the two servers
    assert (b'"errors"' in answer.content) == ("\nsubscription " in text or file.stem in ADMIN)


@pytest.mark.parametrize("name", REFUSED)
async def test_refusals_are_alike(both: Pair, name: str) -> None:
    body, headers = REFUSED[name]
    assert b'"errors"' in (await ask(both, body, **headers)).content


async def test_a_page_of_the_executor_is_answered_alike(both: Pair) -> None:
    answer = await ask(both, b'{"query":"{ __schema { types { name fields { name } } } }"}')
    assert b'"Pipeline"' in answer.content


@pytest.mark.parametrize(
    ("settings", "has_fast_path"),
    [
        ({}, True),
        ({"fast_path": False}, False),
        ({"cors_origins": "https://app.example"}, False),
        ({"log_format": "json"}, False),
    ],
)
def test_the_fast_path_is_switched_off(settings: dict[str, Any], has_fast_path: bool) -> None:
    app = create_app(Settings(**settings))
    assert (app.fast_path is not None) is has_fast_path


async def test_the_protocol_is_chosen_by_the_setting(both: Pair) -> None:
    assert [live.server.config.http for live in both[:2]] == [FastPathProtocol, HttpProtocol]
