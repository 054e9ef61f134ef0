"""Logging: one line per event, as text or as JSON."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from app.server.observability.request_log import request_id
from app.settings import Settings

OURS = "voltgraph"
PASSWORD = re.compile(r"(://[^:/@\s]*:)[^/\s]*@")
"""Password of a URL: the text between the user name and the last `@` before a path."""
KEY = re.compile(r"(vg_[0-9a-f]{12})_[\w-]{43}")
HIDDEN = "***"
CONTROL = {code: f"\\x{code:02x}" for code in (*range(0x20), 0x7F, *range(0x80, 0xA0))} | {
    0x0A: "\\n",
    0x0D: "\\r",
    0x2028: "\\u2028",
    0x2029: "\\u2029",
}


class Formatter(logging.Formatter):
    """Formatter that redacts passwords and API keys."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        words = "|".join(re.escape(secret) for secret in sorted(secrets, key=len, reverse=True) if secret)
        self._secrets = re.compile(rf"(?<!\w)(?:{words})(?!\w)") if words else None

    def _clean(self, text: str) -> str:
        text = KEY.sub(rf"\1_{HIDDEN}", PASSWORD.sub(rf"\1{HIDDEN}@", text))
        return self._secrets.sub(HIDDEN, text) if self._secrets else text

    def _traceback(self, record: logging.LogRecord) -> str | None:
        if record.exc_info and record.exc_info[0] is not None:
            return self._clean(self.formatException(record.exc_info))
        return self._clean(record.exc_text) if record.exc_text else None


class Text(Formatter):
    """Text format. A record cannot imitate another one: line breaks are escaped, except in tracebacks, whose lines are
    indented."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(" ", "milliseconds").removesuffix("+00:00")
        id, message = request_id(), self._clean(record.getMessage()).translate(CONTROL)
        line = f"{at} {record.levelname} {record.name}{f' [{id}]' if id else ''} {message}"
        traceback = self._traceback(record)
        lines = traceback.splitlines() if traceback else []
        return "\n".join([line, *(f"    {each.translate(CONTROL)}" for each in lines)])


class Json(Formatter):
    """JSON format: one object a line, in ASCII."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": self._clean(record.getMessage()),
            "request_id": request_id(),
            "traceback": self._traceback(record),
            **{name: self._cleaned(value) for name, value in getattr(record, "fields", {}).items()},
        }
        return json.dumps({name: value for name, value in fields.items() if value is not None})

    def _cleaned(self, value: object) -> object:
        return self._clean(value) if isinstance(value, str) else value


def configure(settings: Settings) -> None:
    """Configure logging: one format, to standard error. Libraries log warnings and errors only."""
    handler = logging.StreamHandler()
    secrets = _secrets(settings)
    handler.setFormatter(Json(secrets) if settings.log_format == "json" else Text(secrets))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(OURS).setLevel(settings.log_level)
    logging.captureWarnings(True)


def _secrets(settings: Settings) -> list[str]:
    try:
        password = make_url(settings.database_url).password
    except ArgumentError:
        return []
    return [str(password)] if password else []
