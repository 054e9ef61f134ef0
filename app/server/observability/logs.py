"""Logging: one line per event, as text or as JSON."""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from types import TracebackType

from app.auth.redaction import Redaction, passwords
from app.database.availability import is_unavailable
from app.server.observability.request_log import request_id
from app.settings import Settings

OURS = "voltgraph"
DAMPED = 60.0
"""Seconds within which equal failures are logged with one traceback."""
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
        self._clean = Redaction(secrets).clean

    def _traceback(self, record: logging.LogRecord) -> str | None:
        if record.exc_info and record.exc_info[0] is not None:
            return self._clean(self.formatException(record.exc_info))
        text = record.exc_text or getattr(record, "fields", {}).get("traceback")
        return self._clean(text) if text else None


class Text(Formatter):
    """Text format. A record cannot imitate another one: line breaks are escaped, except in tracebacks, whose lines are
    indented."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(" ", "milliseconds").removesuffix("+00:00")
        id, message = _request_id(record), self._clean(record.getMessage()).translate(CONTROL)
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
            "request_id": _request_id(record),
            "traceback": self._traceback(record),
            **{name: self._cleaned(value) for name, value in getattr(record, "fields", {}).items()},
        }
        return json.dumps({name: value for name, value in fields.items() if value is not None})

    def _cleaned(self, value: object) -> object:
        return self._clean(value) if isinstance(value, str) else value


class Outages(logging.Filter):
    """Filter that shortens records of errors that an unavailable database caused: one traceback a minute of each
    message, and one line otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self._told: dict[object, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if error is None or not is_unavailable(error):
            return True
        if record.created - self._told.get(record.msg, -DAMPED) < DAMPED:
            cause = str(getattr(error, "orig", None) or error).partition("\n")[0]
            record.msg, record.args = f"{record.getMessage()}: {type(error).__name__}: {cause}", ()
            record.exc_info = record.exc_text = None
        else:
            self._told[record.msg] = record.created
        return True


def configure(settings: Settings) -> None:
    """Configure logging: one format, to standard error. Libraries log warnings and errors only."""
    handler = logging.StreamHandler()
    handler.addFilter(Outages())
    secrets = passwords(settings.database_url)
    handler.setFormatter(Json(secrets) if settings.log_format == "json" else Text(secrets))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(OURS).setLevel(settings.log_level)
    logging.captureWarnings(True)
    if settings.log_format == "json":
        _log_uncaught()


def print_start(settings: Settings, message: str, text: Callable[[], None]) -> None:
    """Tell on standard output that the process has started: as an object with `message` if the log is JSON, otherwise
    by `text`."""
    if settings.log_format == "json":
        record = logging.LogRecord(OURS, logging.INFO, "", 0, message, None, None)
        sys.stdout.write(Json(passwords(settings.database_url)).format(record) + "\n")
        sys.stdout.flush()
    else:
        text()


def _log_uncaught() -> None:
    """Log exceptions that nothing caught: Python prints them as lines of text."""
    log = logging.getLogger(OURS)

    def uncaught(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, traceback)
        else:
            log.critical("uncaught exception", exc_info=(kind, error, traceback))

    def in_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
            uncaught(args.exc_type, args.exc_value, args.exc_traceback)

    def unraisable(args: sys.UnraisableHookArgs) -> None:
        error = (args.exc_type, args.exc_value, args.exc_traceback) if args.exc_value else None
        log.error("%s: %r", args.err_msg or "exception ignored in", args.object, exc_info=error)

    sys.excepthook, threading.excepthook, sys.unraisablehook = uncaught, in_thread, unraisable


def _request_id(record: logging.LogRecord) -> str | None:
    """Return the id of the current request, or of the one that started the job of the record."""
    return request_id() or getattr(record, "fields", {}).get("request_id")
