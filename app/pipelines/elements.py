"""Submitted elements: a list, or an object by name, converted to the same ordered elements.

Validation does not stop at the first problem: `Given.checked` returns them all, each with its path in the caller's
spelling.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import orjson

from app.errors import Path, Problem, ProblemCode
from app.models.enums import ElementType

MAX_ELEMENTS = 250
MAX_NAME = 255

TYPES = {
    "entry": ElementType.DIRECT_ENTRY,
    "directentry": ElementType.DIRECT_ENTRY,
    "datafit": ElementType.DATA_FIT,
    "arraydatafit": ElementType.DATA_FIT,
    "linearconfidenceinterval": ElementType.DATA_FIT,
    "sobolsensitivity": ElementType.DATA_FIT,
    "calculation": ElementType.CALCULATION,
    "validation": ElementType.VALIDATION,
}
"""Element types by wire word or display label, in lower case without spaces and underscores."""
WORDS = "entry, data_fit, calculation, validation, array_data_fit, linear_confidence_interval, sobol_sensitivity"


def element_type(word: object) -> ElementType | None:
    """Return the type that `element_type` names; None if it names none."""
    return TYPES.get(word.lower().replace("_", "").replace(" ", "")) if isinstance(word, str) else None


class Element(NamedTuple):
    """A validated element. `config` is its configuration as JSON text."""

    name: str
    type: ElementType
    config: str


Item = tuple[str, ElementType | None, Any]
"""Name, type and configuration of an element. In an object by name, only the configuration holds the type."""


class SubmittedElement(NamedTuple):
    """A submitted element with its position. In an object by name, `type` is None: only `config` holds it."""

    name: str
    type: ElementType | None
    config: Any
    at: Path

    @property
    def name_at(self) -> Path:
        return self.at if self.type is None else (*self.at, "name")

    @property
    def type_at(self) -> Path:
        return (*self.at, "element_type" if self.type is None else "elementType")

    @property
    def config_at(self) -> Path:
        return self.at if self.type is None else (*self.at, "jobConfig")


class SubmittedElements(NamedTuple):
    """Submitted elements: a list of name, type and configuration, or an object by name."""

    listed: list[tuple[str, ElementType, Any]] | None = None
    by_name: Any = None

    def checked(self, *, required: bool) -> tuple[list[Element] | None, list[Problem]]:
        """Return the elements, or None if none were sent, and all problems."""
        if self.listed is not None and self.by_name is not None:
            return None, [_invalid("Give elements as a list or by name, not both.", ("elements_by_name",))]
        if self.listed is not None:
            return _checked(len(self.listed), enumerate(self.listed), "elements")
        if isinstance(self.by_name, dict):
            named = ((name, (name, None, config)) for name, config in self.by_name.items())
            return _checked(len(self.by_name), named, "elements_by_name")
        if self.by_name is not None:
            return None, [_invalid("Elements by name must be an object.", ("elements_by_name",))]
        return None, [_invalid("Give elements, as a list or by name.", ("elements",))] if required else []


def _checked(count: int, given: Iterable[tuple[str | int, Item]], field: str) -> tuple[list[Element], list[Problem]]:
    """Return the valid elements and the problems of the others. Each comes with its key in its field."""
    if count > MAX_ELEMENTS:
        return [], [_invalid(f"A pipeline takes at most {MAX_ELEMENTS} elements, not {count}.", (field,))]
    elements, problems, names = list[Element](), list[Problem](), set[str]()
    for step, (name, kind, config) in given:
        found = _kind(kind, config)
        if found is None or name in names or not _is_name(name):
            problems += _problems(SubmittedElement(name, kind, config, (field, step)), names)
        else:
            elements.append(Element(name, found, orjson.dumps(config).decode()))
        names.add(name)
    return elements, problems


def _kind(kind: ElementType | None, config: Any) -> ElementType | None:
    """Return the type of an element, from its field or its configuration. None if they disagree or neither names
    one."""
    if not isinstance(config, dict):
        return None
    if "element_type" not in config:
        return kind
    named = element_type(config["element_type"])
    return named if kind is None or kind is named else None


def _is_name(name: str) -> bool:
    return 0 < len(name) <= MAX_NAME and not name.isspace()


def _invalid(message: str, path: Path) -> Problem:
    return Problem(ProblemCode.INVALID, message, path)


def _problems(each: SubmittedElement, names: set[str]) -> Iterator[Problem]:
    if not each.name.strip():
        yield _invalid("An element's name must not be empty.", each.name_at)
    elif len(each.name) > MAX_NAME:
        yield _invalid(f"An element's name takes at most {MAX_NAME} characters.", each.name_at)
    if each.name in names:
        yield Problem(ProblemCode.DUPLICATE_NAME, f"Two elements are named {each.name!r}.", each.name_at)
    if not isinstance(each.config, dict):
        yield _invalid("A configuration must be an object.", each.config_at)
    else:
        yield from _type_problems(each, each.config)


def _type_problems(each: SubmittedElement, config: dict[str, Any]) -> Iterator[Problem]:
    if each.type is None and "element_type" not in config:
        yield _invalid(f"`element_type` is missing. It takes one of {WORDS}.", each.type_at)
        return
    named = config.get("element_type")
    at = each.type_at if each.type is None else (*each.config_at, "element_type")
    if "element_type" in config and (kind := element_type(named)) is None:
        yield _invalid(f"{named!r:.80} is no element type. Use one of {WORDS}.", at)
    elif each.type is not None and "element_type" in config and kind is not each.type:
        yield _invalid(
            f"`element_type` in the configuration is {named!r:.80}, but `elementType` is {each.type.name}.",
            at,
        )


REFERENCE = re.compile(r"db:([A-Za-z0-9_-]{1,64})")
MARK = '"db:'
"""Start of a reference in JSON text: a configuration without it is not parsed."""


def find_references(config: str) -> Iterator[tuple[str, Path]]:
    """Yield the measurement id and the place of each reference in a configuration, which is JSON text."""
    if MARK in config:
        yield from _references(orjson.loads(config), ())


def _references(value: Any, path: Path) -> Iterator[tuple[str, Path]]:
    if isinstance(value, str):
        if matched := REFERENCE.fullmatch(value):
            yield matched[1], path
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _references(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _references(item, (*path, index))


def referenced(configs: Iterable[str]) -> list[str]:
    """Return the ids of all referenced measurements, each once."""
    return list(dict.fromkeys(id for config in configs for id, _ in find_references(config)))
