"""Errors: a class for each reason to refuse a request, and those that modules define for themselves.

VoltgraphError
├── Rejected          what was asked cannot be done: all problems with it, each with its place
│   └── AlreadyExists   something has that name already
├── RequestError      the request itself is wrong: its arguments, its body, its headers
│   ├── BadJson       its body is not JSON that can be kept exactly; one place for each problem
│   ├── WrongArguments  arguments that cannot be met, each with why
│   ├── AnswerTooLarge  its answer would be longer, or take more work, than one may
│   └── RateLimited   the API key has asked for too much; it may ask again later
├── WrongDocuments    trusted documents that cannot be run
├── Refused           a server refused a request of the command line
├── WrongUrl          a database URL that cannot be used
├── NotUsable         a database, port or server that the command line needs
├── NotUnique         a row has that key already
├── Busy              too much is waiting; try again
├── FileInUse         another process writes this SQLite file
├── WrongTelemetry    traces are asked for that cannot be sent
├── CannotListen      the address for metrics is taken or not of this machine
├── Abandoned         a write canceled itself
├── FileGone          a stored file was deleted meanwhile
├── PartFailed        a stored table cannot be read
├── ExportFailed      parameter values cannot be written as a document
├── ReadingFailed     an uploaded file cannot be read
├── ReadingLost       another worker reads that file, or its measurement is gone
├── WrongAnswer       the process that read a file described what cannot be stored
├── RolledBack        SQLite undid a transaction because of one statement
├── Unfinished        a mutation failed after it had written something
├── StaleRead         a read did not see what was committed before it
├── LeaseLost         the pipeline was canceled, or another worker took it
└── ChildDied         the process of a job ended without an answer
    └── ForkServerFailed  the process that forks jobs cannot start
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from app.models.enums import DescribedEnum


class ProblemCode(DescribedEnum):
    """Kind of a problem that the caller can fix."""

    INVALID = "invalid", "The value breaks a rule; the message says which."
    NOT_FOUND = "not_found", "It does not exist, or the caller may not see it."
    FORBIDDEN = "forbidden", "The caller may not do this."
    DUPLICATE_NAME = "duplicate_name", "Two elements of a pipeline have the same name."
    INVALID_STATE = "invalid_state", "The pipeline's status does not allow this."
    CONFLICT = "conflict", "It contradicts an earlier operation."
    QUEUE_FULL = "queue_full", "Too many pipelines are queued; the message names the limit. Try again later."


class RequestErrorCode(Enum):
    """Reason for refusing a whole request: `extensions.code` of a top-level GraphQL error, with its HTTP status."""

    status: int

    def __new__(cls, value: str, status: int) -> RequestErrorCode:
        member = object.__new__(cls)
        member._value_, member.status = value, status
        return member

    BAD_REQUEST = "BAD_REQUEST", 400
    BAD_USER_INPUT = "BAD_USER_INPUT", 400
    GRAPHQL_PARSE_FAILED = "GRAPHQL_PARSE_FAILED", 400
    GRAPHQL_VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED", 400
    TOO_COMPLEX = "TOO_COMPLEX", 400
    ANSWER_TOO_LARGE = "ANSWER_TOO_LARGE", 400
    DOCUMENT_NOT_TRUSTED = "DOCUMENT_NOT_TRUSTED", 400
    PERSISTED_QUERY_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND", 400
    PERSISTED_QUERY_NOT_SUPPORTED = "PERSISTED_QUERY_NOT_SUPPORTED", 400
    OPERATION_RESOLUTION_FAILURE = "OPERATION_RESOLUTION_FAILURE", 400
    UNAUTHENTICATED = "UNAUTHENTICATED", 401
    FORBIDDEN = "FORBIDDEN", 403
    NOT_FOUND = "NOT_FOUND", 404
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED", 405
    NOT_ACCEPTABLE = "NOT_ACCEPTABLE", 406
    REQUEST_TIMEOUT = "REQUEST_TIMEOUT", 408
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE", 413
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE", 415
    TOO_MANY_OPERATIONS = "TOO_MANY_OPERATIONS", 429
    RATE_LIMITED = "RATE_LIMITED", 429
    TOO_MANY_OPEN = "TOO_MANY_OPEN", 429
    INTERNAL_SERVER_ERROR = "INTERNAL_SERVER_ERROR", 500
    BUSY = "BUSY", 503
    UNAVAILABLE = "UNAVAILABLE", 503
    TIMEOUT = "TIMEOUT", 503


HEADERS = {
    RequestErrorCode.UNAUTHENTICATED: {"www-authenticate": "Bearer"},
    RequestErrorCode.METHOD_NOT_ALLOWED: {"allow": "GET, POST"},
    RequestErrorCode.TOO_MANY_OPEN: {"retry-after": "5"},
    RequestErrorCode.BUSY: {"retry-after": "1"},
    RequestErrorCode.UNAVAILABLE: {"retry-after": "1"},
    RequestErrorCode.TIMEOUT: {"retry-after": "1"},
}
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem of the input. `path` is its place in the caller's spelling, outermost first."""

    code: ProblemCode
    message: str
    path: Path = ()


class VoltgraphError(Exception):
    """Root of the error tree."""


class Rejected(VoltgraphError):
    """The input is refused and nothing was stored. Carries every problem found, at least one."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems


class AlreadyExists(Rejected):
    """Something with the same name exists; `existing_id` is its id."""

    def __init__(self, message: str, existing_id: str, *path: str | int) -> None:
        super().__init__(Problem(ProblemCode.CONFLICT, message, path))
        self.existing_id = existing_id


class RequestError(VoltgraphError):
    """The request itself is wrong, and nothing was done."""

    def __init__(self, code: RequestErrorCode, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message

    @property
    def headers(self) -> dict[str, str]:
        """Extra response headers."""
        return HEADERS.get(self.code, {})


class BadJson(RequestError):
    """The body is not JSON, or JSON that cannot be stored without loss. `problems` is empty if it is not JSON at
    all."""

    def __init__(self, message: str, *problems: Problem) -> None:
        super().__init__(RequestErrorCode.BAD_REQUEST, message)
        self.problems = problems


class WrongDocuments(VoltgraphError):
    """Trusted documents that cannot be executed. `faults` holds the reasons, each with its file."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class WrongUrl(VoltgraphError, ValueError):
    """The URL of the database is wrong; the message does not quote it, because it may hold a password."""


class NotUnique(VoltgraphError):
    """A row with that key exists."""


class WrongArguments(RequestError):
    """Arguments that cannot be served. `faults` holds the reasons by argument name."""

    def __init__(self, faults: dict[str, str]) -> None:
        super().__init__(RequestErrorCode.BAD_USER_INPUT, " ".join(faults.values()))
        self.faults = faults


class AnswerTooLarge(RequestError):
    """The answer would exceed its limit of bytes or work. No part of it is sent."""

    def __init__(self, message: str) -> None:
        super().__init__(RequestErrorCode.ANSWER_TOO_LARGE, message)

    @classmethod
    def than(cls, most: int) -> AnswerTooLarge:
        """Return the error of an answer with more than `most` bytes."""
        return cls(f"The answer is longer than {most:,} bytes. Ask for less at a time.")


class RateLimited(RequestError):
    """The rate limit of a key is exhausted; the same request is accepted after `seconds`."""

    def __init__(self, seconds: int) -> None:
        message = f"The rate limit of the API key is exhausted. Try again in {seconds} s."
        super().__init__(RequestErrorCode.RATE_LIMITED, message)
        self._seconds = seconds

    @property
    def headers(self) -> dict[str, str]:
        return {"retry-after": str(self._seconds)}


class Busy(VoltgraphError):
    """A queue of the server is full."""


def forbidden(message: str, *path: str | int) -> Rejected:
    """Return the refusal of an operation that the caller's key does not permit."""
    return Rejected(Problem(ProblemCode.FORBIDDEN, message, path))


def not_found(what: str, *path: str | int) -> Rejected:
    """Return the refusal of an id that does not exist for the caller."""
    return Rejected(Problem(ProblemCode.NOT_FOUND, f"The {what} does not exist.", path))
