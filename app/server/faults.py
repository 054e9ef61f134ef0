"""Faults of the server: how they are logged, and which errors a client sees as they are."""

from __future__ import annotations

import logging
import uuid
from typing import NamedTuple

from sqlalchemy.exc import DBAPIError

from app.database.availability import is_unavailable
from app.errors import Busy, RequestError, RequestErrorCode
from app.server.observability.request_log import request_id

log = logging.getLogger("voltgraph")


class InternalError(NamedTuple):
    """Masked fault of the server as a client sees it: ids only, which the log has too."""

    message: str
    request_id: str
    """Id of the request; without one, an id of this error."""


def log_fault(error: BaseException) -> InternalError:
    """Log a fault of the server with its traceback."""
    id = str(uuid.uuid4())
    log.error("internal error %s", id, exc_info=error)
    return InternalError(f"Internal error. The server's log has details under the id {id}.", request_id() or id)


def log_unavailable(error: BaseException) -> bool:
    """Log an error in one line and return True if it means that the database is unavailable. Other errors are for the
    caller to log."""
    if not is_unavailable(error):
        return False
    cause = error.orig if isinstance(error, DBAPIError) else error
    log.error("the database is unavailable: %s: %s", type(cause).__name__, cause)
    return True


def find_refusal(error: BaseException) -> RequestError | None:
    """Return the error as a client sees it: the refusal itself, or UNAVAILABLE. None means a fault of the server."""
    if isinstance(error, RequestError):
        return error
    if isinstance(error, Busy):
        return RequestError(RequestErrorCode.BUSY, str(error))
    if log_unavailable(error):
        return RequestError(RequestErrorCode.UNAVAILABLE, "The database is unavailable. Try again.")
    return None
