"""Validated command of a rerun, and the choice of the first element that runs again."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from app.errors import Path, Problem, ProblemCode, Rejected
from app.models.enums import ElementType, PipelineElementStatus
from app.pipelines.elements import MAX_ELEMENTS, WORDS, element_type
from app.pipelines.inputs import checked_name, key_problems


class Head(NamedTuple):
    """An element of the original, without its large columns."""

    id: str
    name: str
    element_order: int
    element_type: ElementType
    status: PipelineElementStatus


class SubmittedChange(NamedTuple):
    """A new configuration of an element, with the places of its name and of the configuration."""

    name: str
    config: Any
    name_at: Path
    config_at: Path


@dataclass(frozen=True, slots=True)
class RerunCommand:
    """A rerun to make. `first` is the name of the first element that runs again; None leaves the choice to the
    server."""

    first: str | None
    name: str | None
    changes: dict[str, SubmittedChange]
    starts: bool = True
    idempotency_key: str | None = None

    def fingerprint(self, original: str) -> str:
        """SHA-256 of the request without its key, in hex."""
        configs = [(name, self.config(name)) for name in sorted(self.changes)]
        asked = ("rerun", original, self.first, self.name, configs, self.starts)
        return hashlib.sha256(orjson.dumps(asked)).hexdigest()

    def config(self, name: str) -> str:
        """Return the new configuration of an element as JSON text."""
        return orjson.dumps(self.changes[name].config).decode()


def parse_rerun(
    *,
    first: str | None,
    name: str | None,
    changes: Sequence[SubmittedChange],
    starts: bool = True,
    idempotency_key: str | None = None,
) -> RerunCommand:
    """Validate a rerun without its original. Raises Rejected with every problem."""
    problems = key_problems(idempotency_key)
    try:
        name = checked_name(name)
    except Rejected as rejected:
        problems += rejected.problems
    problems += _change_problems(changes)
    if problems:
        raise Rejected(*problems)
    return RerunCommand(first, name, {change.name: change for change in changes}, starts, idempotency_key)


def _change_problems(changes: Sequence[SubmittedChange]) -> Iterator[Problem]:
    if len(changes) > MAX_ELEMENTS:
        yield _invalid(f"A pipeline has at most {MAX_ELEMENTS} elements, not {len(changes)}.", ("elements",))
        return
    names: set[str] = set()
    for name, config, name_at, config_at in changes:
        if name in names:
            message = f"The configuration of {name!r:.80} is given twice."
            yield Problem(ProblemCode.DUPLICATE_NAME, message, name_at)
        names.add(name)
        if not isinstance(config, dict):
            yield _invalid("A configuration must be an object.", config_at)
        elif "element_type" in config and element_type(config["element_type"]) is None:
            message = f"{config['element_type']!r:.80} is no element type. Use one of {WORDS}."
            yield _invalid(message, (*config_at, "element_type"))


def choose_first(elements: Sequence[Head], command: RerunCommand, changed: Collection[str]) -> int:
    """Return the position of the first element that runs again; `changed` are the names of elements whose
    configuration differs. Raises Rejected with every problem."""
    positions = {element.name: position for position, element in enumerate(elements)}
    problems = list(_unfit(elements, positions, command))
    must = next((i for i, each in enumerate(elements) if _must_run(each, changed)), len(elements))
    first = must
    if command.first is not None and command.first not in positions:
        message = f"No element of the pipeline is named {command.first!r:.80}. {_names(positions)}"
        problems.append(_invalid(message, ("from",)))
    elif command.first is not None:
        first = positions[command.first]
        if first > must:
            problems.append(_invalid(_too_late(elements[must], command.first, changed), ("from",)))
    elif must == len(elements) and not problems:
        message = "All elements are completed and unchanged. Name the first one to run again."
        problems.append(_invalid(message, ("from",)))
    if problems:
        raise Rejected(*problems)
    return first


def _must_run(element: Head, changed: Collection[str]) -> bool:
    return element.status is not PipelineElementStatus.COMPLETED or element.name in changed


def _unfit(elements: Sequence[Head], positions: dict[str, int], command: RerunCommand) -> Iterator[Problem]:
    """Yield the problems of new configurations with the elements that they are for."""
    for name, change in command.changes.items():
        if name not in positions:
            message = f"No element of the pipeline is named {name!r:.80}. {_names(positions)}"
            yield _invalid(message, change.name_at)
            continue
        kind, word = elements[positions[name]].element_type, change.config.get("element_type")
        if word is not None and element_type(word) is not kind:
            message = f"`element_type` is {word!r:.80}, but {name!r:.80} is a {kind.value}: a rerun changes no types."
            yield _invalid(message, (*change.config_at, "element_type"))


def _too_late(must: Head, first: str, changed: Collection[str]) -> str:
    why = "has a new configuration" if must.name in changed else f"is {must.status.name}"
    return f"{must.name!r:.80} {why}, so that it must run again before {first!r:.80}. Name it or an earlier one."


def _names(names: Iterable[str]) -> str:
    shown = [f"{name!r:.80}" for name in names]
    more = f", and {len(shown) - SHOWN} more" if len(shown) > SHOWN else ""
    return f"Its elements are {', '.join(shown[:SHOWN])}{more}." if shown else "It has no elements."


SHOWN = 10
"""Maximum number of elements that an error names."""


def _invalid(message: str, path: Path) -> Problem:
    return Problem(ProblemCode.INVALID, message, path)
