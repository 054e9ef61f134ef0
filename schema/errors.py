"""Errors as clients see them: request errors in full; faults of the server masked, with an id that the log has too."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from graphql import GraphQLError

from app.errors import BadJson, RequestError, RequestErrorCode
from app.server.faults import find_refusal, log_fault

MOST_ERRORS = 100
"""Maximum number of distinct field errors in one answer."""


def formatted(error: GraphQLError, code: RequestErrorCode) -> dict[str, Any]:
    """Format an error of a request with its code."""
    return {**error.formatted, "extensions": {**(error.extensions or {}), "code": code.value}}


def refusal(error: RequestError) -> list[dict[str, Any]]:
    """Return the errors of a request that could not be executed, one per place."""
    extensions = {"code": error.code.value}
    if isinstance(error, BadJson) and error.problems:
        return [
            {"message": p.message, "extensions": {**extensions, "field": [*map(str, p.path)]}} for p in error.problems
        ]
    return [{"message": error.message, "extensions": extensions}]


def distinct(errors: Iterable[GraphQLError]) -> Iterator[GraphQLError]:
    """Merge equal field errors: a field below a list fails in the same way for many objects. The path is that of the
    first error, and `extensions.places` is their number."""
    groups: dict[Any, list[GraphQLError]] = {}
    for error in errors:
        nodes = tuple(id(node) for node in error.nodes or ())
        groups.setdefault((type(error.original_error), error.message, nodes), []).append(error)
    for group in islice(groups.values(), MOST_ERRORS):
        if len(group) > 1:
            group[0].extensions = {**(group[0].extensions or {}), "places": len(group)}
        yield group[0]


def masked(error: GraphQLError) -> dict[str, Any]:
    """Format an error of a field with its code; log and mask a fault of the server."""
    cause = error.original_error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    if cause is None or isinstance(cause, GraphQLError):
        return formatted(error, RequestErrorCode.BAD_USER_INPUT)
    refused = find_refusal(cause)
    if refused is None:
        told = internal(cause)
        return {**error.formatted, **told, "extensions": {**(error.extensions or {}), **told["extensions"]}}
    return {**formatted(error, refused.code), "message": refused.message}


def failure(error: Exception) -> list[dict[str, Any]]:
    """Return the errors of a request or a subscription that failed outside of a field."""
    refused = find_refusal(error)
    return [internal(error)] if refused is None else refusal(refused)


def internal(cause: BaseException) -> dict[str, Any]:
    """Return the masked error of a fault of the server."""
    fault, code = log_fault(cause), RequestErrorCode.INTERNAL_SERVER_ERROR.value
    return {"message": fault.message, "extensions": {"code": code, "requestId": fault.request_id}}
