"""Validated commands of measurements and cells: a draft exists only if nothing is wrong with it."""

from __future__ import annotations

import csv
import hashlib
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from app.errors import Path, Problem, ProblemCode, Rejected
from app.models.enums import MeasurementFormat, MeasurementType
from app.pipelines.elements import MAX_NAME
from app.pipelines.lists.labels import MAX_LABEL, MAX_LABELS, parse_labels

MAX_NOTES = 10_000
MAX_TAGS, MAX_TAG = MAX_LABELS, MAX_LABEL
MAX_INLINE_ROWS, MAX_INLINE_COLUMNS = 1_000, 200
INLINE_NAME = "inline.csv"
LIMITS = {
    "project_id": ("The project id", MAX_NAME),
    "name": ("The name", MAX_NAME),
    "notes": ("The notes", MAX_NOTES),
    "file_name": ("The file name", MAX_NAME),
    "reader": ("The reader", MAX_NAME),
    "idempotency_key": ("The idempotency key", MAX_NAME),
}
"""Maximum characters of each text that a caller sends."""


@dataclass(frozen=True, slots=True)
class MeasurementCreate:
    """A measurement to create. `inline` is the content of its file, if it came with the command."""

    project_id: str | None
    """Project; None takes the cell's."""
    name: str
    notes: str | None = None
    tags: list[str] = field(default_factory=list)
    type: MeasurementType = MeasurementType.TIME_SERIES
    cell_instance_id: str | None = None
    format: MeasurementFormat | None = None
    file_name: str | None = None
    reader: str | None = None
    size: int | None = None
    """Bytes of the file, if announced."""
    inline: bytes | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    times: dict[str, Any] = field(default_factory=dict)
    idempotency_key: str | None = None

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the request without its key, in hex."""
        names = (name for name in self.__slots__ if name not in ("idempotency_key", "inline"))
        asked = [getattr(self, name) for name in names]
        inline = hashlib.sha256(self.inline or b"").hexdigest()
        return hashlib.sha256(orjson.dumps([*asked, inline], default=lambda word: word.name)).hexdigest()


@dataclass(frozen=True, slots=True)
class MeasurementUpdate:
    """Changes of a measurement: new values by column, and new tags."""

    values: dict[str, Any]
    tags: list[str] | None = None
    fields: dict[str, Any] = field(default_factory=dict)


def parse_create(
    *,
    project_id: str | None,
    name: str | None,
    notes: str | None = None,
    tags: Any = None,
    cell_instance_id: str | None = None,
    format: MeasurementFormat | None = None,
    file_name: str | None = None,
    reader: str | None = None,
    size: int | None = None,
    data: Any = None,
    idempotency_key: str | None = None,
) -> MeasurementCreate:
    """Validate a measurement to create. Raises Rejected with every problem."""
    texts = {
        "project_id": project_id,
        "name": name,
        "notes": notes,
        "file_name": file_name,
        "reader": reader,
        "idempotency_key": idempotency_key,
    }
    required = {"name"} | ({"project_id"} if cell_instance_id is None else set())
    required |= {"idempotency_key"} if idempotency_key is not None else set()
    problems = list(text_problems(texts, required))
    checked, wrong = parse_tags(tags)
    problems += wrong
    inline = None
    if size is not None and size < 1:
        problems.append(_invalid("`bytes` must be at least 1.", "bytes"))
    if data is not None:
        wrong = list(_data_problems(data))
        wrong += [
            _invalid(f"Give `{given}` for an upload, not with `data`.", given)
            for given, value in (("format", format), ("bytes", size), ("reader", reader))
            if value is not None
        ]
        problems += wrong
        if not wrong:
            inline, format, file_name = _csv(data), MeasurementFormat.CSV, INLINE_NAME
    reject(problems)
    return MeasurementCreate(
        project_id,
        name or "",
        notes,
        checked,
        MeasurementType.TIME_SERIES,
        cell_instance_id,
        format,
        file_name,
        reader,
        size,
        inline,
        idempotency_key=idempotency_key,
    )


def parse_update(values: dict[str, Any]) -> MeasurementUpdate:
    """Validate changes of a measurement: the columns name and notes, and tags, where `values` has them. Raises
    Rejected with every problem."""
    problems = list(text_problems(values, {"name"}))
    tags, wrong = parse_tags(values.get("tags"))
    reject([*problems, *wrong])
    columns = {name: value for name, value in values.items() if name != "tags"}
    return MeasurementUpdate(columns, tags if "tags" in values else None)


def merged_fields(details: str, fields: dict[str, Any]) -> str:
    """Return stored fields of a client with new values; null removes a field."""
    if not fields:
        return details
    merged = orjson.loads(details) | fields
    return orjson.dumps({name: value for name, value in merged.items() if value is not None}).decode()


def parse_tags(tags: Any) -> tuple[list[str], list[Problem]]:
    """Return trimmed tags, sorted and without duplicates by case, and all problems."""
    return parse_labels(tags, "tags", "tag", "measurement")


def text_problems(texts: dict[str, Any], required: set[str]) -> Iterator[Problem]:
    """Yield the problems of texts by field."""
    for name in (name for name in LIMITS if name in texts):
        text, (label, most) = texts[name], LIMITS[name]
        if text is not None and not isinstance(text, str):
            yield _invalid(f"{label} must be a text.", name)
        elif name in required and not (text and text.strip()):
            yield _invalid(f"{label} must not be empty.", name)
        elif text is not None and len(text) > most:
            yield _invalid(f"{label} takes at most {most:,} characters.", name)


def _data_problems(data: Any) -> Iterator[Problem]:
    """Yield the problems of inline data: columns of equal length, of numbers or null."""
    if not isinstance(data, dict) or not data:
        yield _invalid("`data` must be an object of columns, each a list of numbers.", "data")
        return
    if len(data) > MAX_INLINE_COLUMNS:
        yield _invalid(f"`data` takes at most {MAX_INLINE_COLUMNS} columns, not {len(data)}.", "data")
        return
    lengths = set()
    for name, values in data.items():
        if not name.strip():
            yield _invalid("A column's name must not be empty.", "data")
        elif not isinstance(values, list) or not all(map(_is_number_or_none, values)):
            yield _invalid(f"Column {name!r:.80} must be a list of numbers or null.", "data", name)
        else:
            lengths.add(len(values))
    if len(lengths) > 1:
        yield _invalid(f"The columns have different lengths, from {min(lengths)} to {max(lengths)}.", "data")
    elif lengths and not 1 <= max(lengths) <= MAX_INLINE_ROWS:
        yield _invalid(
            f"`data` takes 1 to {MAX_INLINE_ROWS:,} rows, not {max(lengths):,}. Upload a file for more.", "data"
        )


def _is_number_or_none(value: Any) -> bool:
    if value is None:
        return True
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _csv(data: dict[str, list[Any]]) -> bytes:
    """Write columns as CSV; `repr` keeps every digit."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(data)
    writer.writerows(["" if v is None else repr(v) for v in row] for row in zip(*data.values(), strict=True))
    return out.getvalue().encode()


def reject(problems: list[Problem]) -> None:
    """Raise Rejected if there are problems."""
    if problems:
        raise Rejected(*problems)


def _invalid(message: str, *path: str | int) -> Problem:
    place: Path = path
    return Problem(ProblemCode.INVALID, message, place)
