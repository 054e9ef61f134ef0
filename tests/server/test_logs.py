"""The format of the log, and the secrets that it never contains."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from app.server.observability.logs import Formatter, Json, Text, configure
from app.server.observability.request_log import LogEntry, current
from app.settings import Settings

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
