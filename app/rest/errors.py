"""REST errors: invalid input as the contract's 422, all others as code, message and detail."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.database import availability
from app.errors import AlreadyExists, BadJson, Path, Problem, ProblemCode, Rejected, RequestError, WrongArguments
from app.rest.serializers import JsonResponse
from app.server.faults import find_refusal, log_fault

STATUS = {
    ProblemCode.FORBIDDEN: 403,
    ProblemCode.NOT_FOUND: 404,
    ProblemCode.INVALID_STATE: 409,
    ProblemCode.CONFLICT: 409,
    ProblemCode.QUEUE_FULL: 429,
}
"""HTTP status by problem code; all others are 422."""
HEADERS = {ProblemCode.QUEUE_FULL: {"retry-after": "5"}}
LONGEST_INPUT = 200


def install(app: FastAPI) -> None:
    """Install the error handlers."""
    for kind, handler in (
        (Rejected, rejected),
        (BadJson, bad_json),
        (WrongArguments, wrong_arguments),
        (RequestError, request_error),
        (RequestValidationError, invalid),
        *((kind, unable) for kind in availability.raised()),
        (HTTPException, http_exception),
        (Exception, internal),
    ):
        app.add_exception_handler(kind, handler)  # type: ignore[arg-type]


def rejected(_: Request, error: Rejected) -> Response:
    if isinstance(error, AlreadyExists):
        return failure(409, "CONFLICT", str(error), detail={"existing_id": error.existing_id})
    for problem in error.problems:
        if problem.code in STATUS:
            return failure(STATUS[problem.code], problem.code.name, problem.message, HEADERS.get(problem.code))
    return JsonResponse({"detail": [_fault(problem) for problem in error.problems]}, 422)


def bad_json(_: Request, error: BadJson) -> Response:
    faults = [_fault(problem) for problem in error.problems]
    return JsonResponse({"detail": faults or [{"loc": ["body"], "msg": error.message, "type": "json_invalid"}]}, 422)


def wrong_arguments(_: Request, error: WrongArguments) -> Response:
    faults = [{"loc": ["query", name], "msg": why, "type": "invalid"} for name, why in error.faults.items()]
    return JsonResponse({"detail": faults}, 422)


def request_error(_: Request, error: RequestError) -> Response:
    return failure(error.code.status, error.code.name, error.message, error.headers)


def invalid(_: Request, error: RequestValidationError) -> Response:
    return JsonResponse({"detail": [_shortened(fault) for fault in error.errors()]}, 422)


def unable(request: Request, error: Exception) -> Response:
    refused = find_refusal(error)
    if refused is None:
        raise error
    return request_error(request, refused)


def http_exception(request: Request, error: HTTPException) -> Response:
    code = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}.get(error.status_code, "BAD_REQUEST")
    message = _nothing_at(request.url.path) if error.status_code == 404 else str(error.detail)
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers = {"allow": _methods_at(request) or headers.get("allow", "GET, HEAD")}
    return failure(error.status_code, code, message, headers)


def _methods_at(request: Request) -> str | None:
    """Return the methods of the request's path, if it is one of REST. Starlette names those of its first route only."""
    methods: dict[str, set[str]] = request.app.state.methods
    found = methods.get(getattr(request.scope.get("route"), "path", ""))
    return ", ".join(sorted(found)) if found else None


def internal(_: Request, error: Exception) -> Response:
    return failure(500, "INTERNAL_SERVER_ERROR", log_fault(error).message)


def failure(
    status: int, code: str, message: str, headers: dict[str, str] | None = None, detail: dict[str, Any] | None = None
) -> Response:
    return JsonResponse({"error_code": code, "message": message, "detail": detail}, status, headers)


def _nothing_at(path: str) -> str:
    """Return the message for an unknown path. Clients of Ionworks' hosted API have methods for parts that this server
    does not have."""
    return f"No endpoint at {path:.{LONGEST_INPUT}}. Voltgraph has pipelines, jobs and measurements; see /openapi.json."


def line_error(problem: Problem, body: Any) -> InitErrorDetails:
    """Convert a problem of a body to pydantic's form."""
    kind = PydanticCustomError(problem.code.value, problem.message)
    value = body
    for step in _place(problem):
        value = value.get(step) if isinstance(value, dict) else None
    return {"type": kind, "loc": _place(problem), "input": value}


def pydantic_error(fault: ErrorDetails) -> InitErrorDetails:
    """Convert a pydantic error so that it can be raised together with others."""
    kind = PydanticCustomError(fault["type"], fault["msg"], fault.get("ctx"))
    return {"type": kind, "loc": fault["loc"], "input": fault["input"]}


def _fault(problem: Problem) -> dict[str, Any]:
    return {"loc": ["body", *_place(problem)], "msg": problem.message, "type": problem.code.value}


def _place(problem: Problem) -> Path:
    """Return the path in REST's spelling, where elements come by name only."""
    return tuple("elements" if step == "elements_by_name" else step for step in problem.path[:1]) + problem.path[1:]


def _shortened(fault: dict[str, Any]) -> dict[str, Any]:
    """Return an error with a shortened input text, and no nested input."""
    shown = fault.get("input")
    if isinstance(shown, dict | list):
        return {name: value for name, value in fault.items() if name in ("loc", "msg", "type")}
    if isinstance(shown, str) and len(shown) > LONGEST_INPUT:
        shown = shown[:LONGEST_INPUT] + "…"
    ctx = {"ctx": {k: str(v) for k, v in fault["ctx"].items()}} if "ctx" in fault else {}
    return {"loc": fault["loc"], "msg": fault["msg"], "type": fault["type"], "input": shown, **ctx}
