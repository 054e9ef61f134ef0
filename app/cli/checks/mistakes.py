"""Answers to ordinary mistakes: one to three lines on standard error, and an exit code."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
from pydantic import ValidationError

from app.cli.checks.preflight import NotUsable, first_line
from app.cli.terminal import UNAVAILABLE, WRONG
from app.database.connect import FileInUse
from app.database.telemetry import WrongTelemetry
from app.errors import VoltgraphError, WrongDocuments, WrongUrl
from app.server.observability.listener import CannotListen
from app.settings import Settings

Line = tuple[str, str]
"""Title and text of a line."""


def explanation(error: BaseException, command: str, has_server: bool) -> tuple[int, list[Line]] | None:
    """Return the exit code and the lines for an error that a user can mend; None for any other error. `command` is the
    command that was typed; `has_server`: it takes --server."""
    if isinstance(error, ValidationError) and error.title == Settings.__name__:
        return WRONG, list(_wrong_settings(error))
    if isinstance(error, WrongDocuments):
        return WRONG, [("VOLTGRAPH_TRUSTED_DOCUMENTS", why) for why in error.faults]
    if isinstance(error, WrongUrl):
        return WRONG, [("Database URL", str(error))]
    if isinstance(error, FileInUse):
        servers = ", or the address of a server by --server" if has_server else ""
        other = f"give `voltgraph {command}` another file by --database-url sqlite:///FILE{servers}"
        return UNAVAILABLE, [("In use", f"{error}. Stop it, or {other}.")]
    if isinstance(error, NotUsable):
        return UNAVAILABLE, [("Not usable", str(error))]
    if isinstance(error, CannotListen):
        return UNAVAILABLE, [("Metrics", str(error))]
    if isinstance(error, WrongTelemetry):
        return WRONG, [("Traces", str(error))]
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return WRONG, [("Server", f"{first_line(error)} Write it as http://HOST:PORT.")]
    if isinstance(error, httpx.ConnectError):
        return UNAVAILABLE, [("Server", f"{_target(error)} does not answer: is it started, and is its port right?")]
    if isinstance(error, httpx.HTTPError):
        return UNAVAILABLE, [("Server", f"{_target(error)}: {type(error).__name__} {first_line(error)}")]
    if isinstance(error, VoltgraphError):
        return WRONG, [(type(error).__name__, line) for line in str(error).split("\n")]
    return None


def _wrong_settings(error: ValidationError) -> Iterator[Line]:
    for fault in error.errors(include_input=False, include_url=False):
        yield f"VOLTGRAPH_{fault['loc'][0]}".upper(), fault["msg"].removeprefix("Value error, ")


def _target(error: httpx.HTTPError) -> str:
    try:
        return str(error.request.url.copy_with(path="/", query=None)).rstrip("/")
    except RuntimeError:  # it was raised without a request
        return "The server"
