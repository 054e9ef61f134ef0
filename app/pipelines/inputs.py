"""Validated commands: a draft exists only if nothing is wrong with it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from app.errors import Problem, ProblemCode, Rejected
from app.pipelines.elements import MAX_NAME, Element, SubmittedElements
from app.pipelines.lists.labels import parse_labels

LIMITS = {
    "project_id": ("The project id", MAX_NAME),
    "name": ("The name", MAX_NAME),
    "description": ("The description", 10_000),
    "idempotency_key": ("The idempotency key", MAX_NAME),
}
"""Maximum characters of each text that a caller sends."""


class PipelineCreate(NamedTuple):
    """A pipeline to create. Without a name it gets a default one."""

    project_id: str
    name: str | None
    description: str | None
    live_progress_updates: bool | None
    elements: list[Element]
    idempotency_key: str | None = None
    labels: Sequence[str] = ()
    start: bool = False
    """Whether the pipeline is started in the transaction that creates it."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the request without its key, in hex; independent of the form in which the elements were sent."""
        *texts, elements, _, labels, start = self
        asked: list[Any] = [*texts, [tuple(each) for each in elements]]
        if labels:  # left out without labels: creates that are repeated after an upgrade keep their fingerprint
            asked.append(labels)
        if start:
            asked.append("start")
        return hashlib.sha256(orjson.dumps(asked)).hexdigest()


@dataclass(frozen=True, slots=True)
class PipelineUpdate:
    """Changes of a pipeline: new values by column, and new elements that replace all old ones."""

    values: dict[str, Any]
    elements: list[Element] | None = None
    labels: list[str] | None = None

    @property
    def only_while_pending(self) -> bool:
        return self.elements is not None or "live_progress_updates" in self.values


def parse_create(
    *,
    project_id: str,
    elements: SubmittedElements,
    name: str | None = None,
    description: str | None = None,
    live_progress_updates: bool | None = None,
    idempotency_key: str | None = None,
    labels: Any = None,
    start: bool = False,
) -> PipelineCreate:
    """Validate a pipeline to create. Raises Rejected with every problem."""
    sorted_labels, wrong = parse_labels(labels)
    checked, problems = elements.checked(required=True)
    required = {"project_id"} if idempotency_key is None else {"project_id", "idempotency_key"}
    texts = {
        "project_id": project_id,
        "name": name,
        "description": description,
        "idempotency_key": idempotency_key,
    }
    _reject([*_text_problems(texts, required), *wrong, *problems])
    return PipelineCreate(
        project_id,
        name if name and name.strip() else None,
        description,
        live_progress_updates,
        checked or [],
        idempotency_key,
        sorted_labels,
        start,
    )


def parse_update(values: dict[str, Any], elements: SubmittedElements) -> PipelineUpdate:
    """Validate changes of a pipeline: the columns name, description and live_progress_updates, and labels, where
    `values` has them, and the elements. Raises Rejected with every problem."""
    checked, problems = elements.checked(required=False)
    labels, wrong = parse_labels(values.get("labels"))
    _reject([*_text_problems(values, {"name"}), *wrong, *problems])
    columns = {name: value for name, value in values.items() if name != "labels"}
    return PipelineUpdate(columns, checked, labels if "labels" in values else None)


def key_problems(key: str | None) -> list[Problem]:
    """Return the problems of an idempotency key, if there is one."""
    return [] if key is None else list(_text_problems({"idempotency_key": key}, {"idempotency_key"}))


def checked_name(name: str | None) -> str | None:
    """Validate the name of a copy; None if it is blank. Raises Rejected if it is too long."""
    _reject(list(_text_problems({"name": name}, set())))
    return name if name and name.strip() else None


def _text_problems(texts: dict[str, Any], required: set[str]) -> Iterator[Problem]:
    for field in (field for field in LIMITS if field in texts):
        text, (label, most) = texts[field], LIMITS[field]
        if field in required and not (text and text.strip()):
            yield Problem(ProblemCode.INVALID, f"{label} must not be empty.", (field,))
        elif text is not None and len(text) > most:
            yield Problem(ProblemCode.INVALID, f"{label} takes at most {most:,} characters.", (field,))


def _reject(problems: list[Problem]) -> None:
    if problems:
        raise Rejected(*problems)
