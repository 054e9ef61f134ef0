"""The format of the log, and the secrets that it never contains."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from app.server.observability.logs import Formatter, Json, Outages, Text, configure
from app.server.observability.request_log import LogEntry, current
from app.settings import Settings
from tests import servers
from tests.api import ROOT

PASSWORD, KEY = "s3cr3t", "vg_3f9c0e6b21aa_0Yl3mXQm1b0z5dJc5Wc7O2kGq1m4nT8x0w9cVbR2eEs"
FORMS = pytest.mark.parametrize("form", [Text, Json])


def record(message: str, *arguments: object, error: BaseException | None = None, **extra: Any) -> logging.LogRecord:
    info = None if error is None else (type(error), error, error.__traceback__)
    made = logging.LogRecord("voltgraph", logging.ERROR, __file__, 1, message, arguments, info)
    made.__dict__.update(extra)
    return made


@pytest.fixture
def traced() -> Iterator[None]:
    token = current.set(LogEntry("request-1"))
    yield
    current.reset(token)


def raised(message: str) -> Exception:
    try:
        raise ValueError(message)
    except ValueError as error:
        return error


@pytest.mark.usefixtures("traced")
def test_json_is_an_object_a_line_with_all_that_is_known() -> None:
    line = Json().format(record("it %s", "broke", error=raised("why"), fields={"ms": 1.5, "none": None}))
    assert "\n" not in line
    told = json.loads(line)
    assert told.pop("time").endswith("+00:00")
    assert told.pop("traceback").endswith("ValueError: why")
    assert told == {
        "level": "ERROR",
        "logger": "voltgraph",
        "message": "it broke",
        "request_id": "request-1",
        "ms": 1.5,
    }


@pytest.mark.usefixtures("traced")
def test_text_is_for_people() -> None:
    line = Text().format(record("it %s", "broke"))
    assert line.endswith(" ERROR voltgraph [request-1] it broke")


@pytest.mark.parametrize("text", ["a\nb", "a\r\nb", "a\x1b[31mb", "a\x00b", "a\x85b", "a\u2028b", "a\ud800b"])
def test_no_text_makes_a_line_of_its_own(text: str) -> None:
    forged = f"{text}\n2026-01-01 00:00:00.000 INFO voltgraph forged"
    assert len(Text().format(record("%s", forged)).splitlines()) == 1
    first, *rest = Text().format(record("%s", forged, error=raised(forged))).splitlines()
    assert first.endswith("forged")
    assert rest
    assert all(line.startswith("    ") for line in rest)
    for line in (Json().format(record("%s", forged, error=raised(forged), fields={"path": forged})),):
        assert line.isascii()
        assert line.isprintable()
        assert json.loads(line)["message"] == forged


@FORMS
@pytest.mark.parametrize(
    "text",
    [
        f"cannot reach postgresql+asyncpg://user:{PASSWORD}@host:5432/db",
        "cannot reach postgresql://user:an@other%40@host/db",
        f"connect(password={PASSWORD!r})",
        f"X-API-Key: {KEY}",
    ],
)
def test_no_secret_is_told(form: type[Formatter], text: str) -> None:
    line = form([PASSWORD]).format(record("%s", text, error=raised(text), fields={"path": text}))
    for secret in (PASSWORD, "an@other", "other%40", KEY.split("_", 2)[2]):
        assert secret not in line
    assert "***" in line
    assert ("vg_3f9c0e6b21aa" in line) == (KEY in text)


def test_other_words_and_addresses_stay() -> None:
    text = "http://host:8000 wrote to me@example.org of s3cr3ts"
    assert Text([PASSWORD]).format(record(text)).endswith(text)


@pytest.fixture
def untouched() -> Iterator[None]:
    """Restore the loggers."""
    loggers = [logging.getLogger(name) for name in (None, "voltgraph")]
    before = [(logger.handlers, logger.level, logger.propagate) for logger in loggers]
    yield
    logging.captureWarnings(False)
    for logger, (handlers, level, propagate) in zip(loggers, before, strict=True):
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)


@pytest.mark.usefixtures("untouched")
def test_all_that_is_logged_goes_one_way(capsys: pytest.CaptureFixture[str]) -> None:
    configure(Settings(log_format="json", database_url=f"postgresql://user:{PASSWORD}@host/db"))
    for name in ("voltgraph", "voltgraph.plans", "uvicorn.error", "asyncio", "sqlalchemy.pool"):
        logging.getLogger(name).warning("of %s", PASSWORD)
    logging.getLogger("voltgraph.requests").info("told")
    logging.getLogger("alembic").info("not told")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["message"] for line in lines] == ["of ***"] * 5 + ["told"]


@pytest.mark.usefixtures("untouched")
def test_less_is_told_at_a_higher_level(capsys: pytest.CaptureFixture[str]) -> None:
    configure(Settings(log_level="ERROR"))
    logging.getLogger("voltgraph").warning("not told")
    logging.getLogger("voltgraph").error("told")
    assert capsys.readouterr().err.endswith(" ERROR voltgraph told\n")


def test_in_json_all_output_of_a_server_is_objects(sqlite_url: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with servers.serving(sqlite_url, "app", log, VOLTGRAPH_LOG_FORMAT="json") as server:
        httpx.post(f"{server.url}/graphql", json={"query": "{ nothing }"}, trust_env=False)
    lines = [orjson.loads(line) for line in log.read_text().splitlines()]
    assert any(line.get("code") == "GRAPHQL_VALIDATION_FAILED" for line in lines)


def test_uncaught_exceptions_are_objects_in_json(tmp_path: Path) -> None:
    program = (
        "import threading; from app.server.observability import logs; from app.settings import Settings\n"
        "logs.configure(Settings(log_format='json'))\n"
        "thread = threading.Thread(target=lambda: 1 / 0); thread.start(); thread.join()\n"
        "class Bad:\n    def __del__(self): raise KeyError('x')\n"
        "Bad()\n"
        "raise RuntimeError('line\\nbreak')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 1
    lines = [orjson.loads(line) for line in done.stderr.splitlines()]
    found = [line["traceback"].strip().splitlines()[-1] for line in lines]
    assert found[0] == "ZeroDivisionError: division by zero"
    assert found[1] == "KeyError: 'x'"
    assert "RuntimeError: line" in lines[2]["traceback"]


def test_an_outage_is_one_traceback_a_minute_and_other_errors_keep_theirs() -> None:
    outages = Outages()

    def failed(error: Exception, at: float) -> logging.LogRecord:
        made = logging.LogRecord("voltgraph", logging.ERROR, "x.py", 1, "it failed", (), (type(error), error, None))
        made.created = at
        assert outages.filter(made)
        return made

    assert failed(ConnectionRefusedError("no server"), 100).exc_info
    again = failed(ConnectionRefusedError("no server"), 101)
    assert (again.exc_info, again.getMessage()) == (None, "it failed: ConnectionRefusedError: no server")
    assert failed(ConnectionRefusedError("no server"), 161).exc_info
    assert failed(ValueError("a bug"), 102).exc_info
    assert failed(ValueError("a bug"), 103).exc_info
