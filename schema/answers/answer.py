"""Answers to operations and their encoding."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any, NamedTuple

import orjson
from graphql import ExecutionResult, GraphQLError

from app.errors import AnswerTooLarge, RequestErrorCode
from schema.errors import distinct, failure, formatted, masked
from schema.plans.readers.computed import Computed


class Answer(NamedTuple):
    """An answer to a client. If it was not executed, it has errors only."""

    body: dict[str, Any]
    executed: bool = True


class EncodedAnswer:
    """Answer of a stream as JSON, with the forms that transports send. Equal subscriptions share it."""

    def __init__(self, text: bytes, errors: list[dict[str, Any]] | None = None) -> None:
        self.text, self.errors = text, errors
        """The JSON, and the errors of an operation that was not executed."""

    @cached_property
    def event(self) -> bytes:
        """Server-sent event on one line; stored JSON may contain line breaks."""
        return b"event: next\ndata: " + self.text.translate(None, b"\r\n") + b"\n\n"

    @cached_property
    def payload(self) -> str:
        """The JSON as text, for messages of a WebSocket."""
        return self.text.decode()


def encoded(body: dict[str, Any], most: int | None = None) -> bytes:
    """Encode an answer as JSON, including instants and computed values, which plans leave as they are. Raises
    AnswerTooLarge if it has more than `most` bytes."""
    text = orjson.dumps(body, _computed, orjson.OPT_UTC_Z)
    if most is not None and len(text) > most:
        raise AnswerTooLarge.than(most)
    return text


def _computed(value: Any) -> Any:
    if isinstance(value, Computed):
        return value.value
    raise TypeError(type(value))


def encode(answer: Answer, most: int) -> EncodedAnswer:
    """Encode an answer of a stream. An answer of more than `most` bytes is replaced by an error."""
    try:
        return EncodedAnswer(encoded(answer.body, most), None if answer.executed else answer.body["errors"])
    except Exception as error:
        return encode_failure(error)


def encode_failure(error: Exception) -> EncodedAnswer:
    """Encode the error that ends an operation."""
    errors = failure(error)
    return EncodedAnswer(encoded({"errors": errors}), errors)


def answer_of(result: ExecutionResult) -> Answer:
    """Convert a result. An error without a path belongs to the request, which was not executed and has no data."""
    errors = result.errors or []
    if errors and not any(error.path for error in errors):
        return refused_answer(errors)
    body: dict[str, Any] = {"data": result.data}
    return Answer({"errors": [masked(error) for error in distinct(errors)], **body} if errors else body)


def refused_answer(errors: Iterable[GraphQLError]) -> Answer:
    """Return the answer to a request that is not executed."""
    return Answer({"errors": [formatted(error, RequestErrorCode.BAD_USER_INPUT) for error in errors]}, executed=False)
