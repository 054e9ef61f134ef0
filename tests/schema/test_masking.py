"""Masking: the log has the details of a fault of the server; the client gets an id only."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest

import app.database.postgres.database
import app.database.sqlite.reader
import app.pipelines.repository
from app.errors import Busy, RequestError, RequestErrorCode
from schema.documents.documents import Documents
from tests.api import Api
from tests.schema.requests import GRAPHQL, post

QUERY = '{ first: viewer { organizationId } second: pipeline(id: "x") { id } third: __typename }'
ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


@pytest.fixture(scope="module", params=[True, False], ids=["plans", "executor"])
def plans(request: pytest.FixtureRequest) -> bool:
    chosen: bool = request.param
    return chosen


def failing(error: Exception) -> Any:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


def break_reads(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Make all reads of pipelines fail."""
    monkeypatch.setattr(app.pipelines.repository, "pipeline", failing(error))
    monkeypatch.setattr(app.database.sqlite.reader.SqliteReader, "_run_here", failing(error))
    monkeypatch.setattr(app.database.postgres.database.Postgres, "run", failing(error))


async def test_a_fault_in_a_field_is_masked_and_its_neighbours_are_answered(
    shared: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    break_reads(monkeypatch, RuntimeError("secret"))
    answer = await post(shared, {"query": QUERY}, accept=GRAPHQL)
    assert answer.status_code == 200
    assert "secret" not in answer.text
    assert "RuntimeError" not in answer.text
    assert answer.json()["data"] == {"first": {"organizationId": "local"}, "second": None, "third": "Query"}
    [error] = answer.json()["errors"]
    [id] = ID.findall(error["message"])
    assert (error["path"], error["extensions"]) == (["second"], {"code": "INTERNAL_SERVER_ERROR", "requestId": id})
    [record] = [record for record in caplog.records if record.name == "voltgraph"]
    assert record.levelno == logging.ERROR
    assert ID.findall(record.getMessage()) == [id]
    assert "secret" in caplog.text


async def test_every_fault_has_an_id_of_its_own(shared: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    break_reads(monkeypatch, RuntimeError("secret"))
    query = '{ a: pipeline(id: "x") { id } b: pipeline(id: "x") { id } }'
    answer = await shared.post(query)
    assert len({ID.findall(error["message"])[0] for error in answer["errors"]}) == 2


@pytest.mark.parametrize("accept", [GRAPHQL, "application/json"])
async def test_a_fault_outside_of_fields_is_masked_too(
    shared: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, accept: str
) -> None:
    monkeypatch.setattr(Documents, "recent", failing(ValueError("secret")))
    answer = await post(shared, {"query": QUERY}, accept=accept)
    assert answer.status_code == 500
    assert answer.headers["content-type"].startswith(accept)
    assert "secret" not in answer.text
    [error] = answer.json()["errors"]
    assert error["extensions"] == {"code": "INTERNAL_SERVER_ERROR", "requestId": ID.findall(error["message"])[0]}
    assert ID.findall(error["message"])[0] in caplog.text


async def test_a_fault_in_rest_is_masked_too(
    shared: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(app.pipelines.repository, "pipeline", failing(RuntimeError("secret")))
    answer = await shared.http.get("/pipelines/x")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/json"
    assert "secret" not in answer.text
    assert answer.json()["error_code"] == "INTERNAL_SERVER_ERROR"
    assert ID.findall(answer.json()["message"])[0] in caplog.text


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (Busy("Try again."), "BUSY", "Try again."),
        (RequestError(RequestErrorCode.BAD_USER_INPUT, "No."), "BAD_USER_INPUT", "No."),
    ],
)
async def test_what_a_client_can_act_on_is_told_and_not_logged(
    shared: Api,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    code: str,
    message: str,
) -> None:
    break_reads(monkeypatch, error)
    [told] = (await shared.post(QUERY))["errors"]
    assert (told["message"], told["extensions"]) == (message, {"code": code})
    assert [record for record in caplog.records if record.name == "voltgraph"] == []
