"""Text files (CSV): the dialect is guessed, the guess is reported, and each unreadable number is named by its row."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from app.battery.checks.fields import shown
from app.battery.ingest.columns import LEFT_OUT, in_seconds, is_quantity, is_time, with_unit
from app.battery.ingest.errors import IngestError, first_line
from app.battery.ingest.limits import Limits

HEAD = 1 << 17
"""Bytes at the beginning of a file from which the dialect is guessed."""
MAX_LINES = 400
"""Lines among which the header is looked for."""
CHUNK = 1 << 20
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?(?:nan|inf(?:inity)?)", re.IGNORECASE)
MISSING = ("", "nan", "na", "n/a", "null", "none", "-", "--")
"""Texts that stand for a missing number, in lower case."""
THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2},\d{3}")
"""Text that is a number of three decimals, or of thousands."""
CLOCK = r"^(\d+):([0-5]\d):([0-5]\d(?:[.,]\d+)?)$"
"""Time as hours, minutes and seconds, such as `0:01:30.5`."""
UNIT_ROW = 0.5
"""Share of the fields of a row that must be units for a row of units."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """Form of a text file. `first` is the number of lines before the numbers."""

    delimiter: str
    has_decimal_comma: bool
    names: list[str]
    first: int
    encoding: str
    notes: list[str] = field(default_factory=list)


def read_text(path: Path, limits: Limits) -> tuple[pl.DataFrame, list[str]]:
    """Return the columns of numbers of a text file, and what was guessed. Raises IngestError."""
    dialect = guess_dialect(path)
    limits.require(_count_lines(path) - dialect.first, len(dialect.names), "The text file")
    try:
        frame = pl.read_csv(
            path,
            separator=dialect.delimiter,
            has_header=False,
            skip_lines=dialect.first,
            new_columns=[str(index) for index in range(len(dialect.names))],
            schema={str(index): pl.String for index in range(len(dialect.names))},
            encoding="utf8-lossy",
            truncate_ragged_lines=False,
            raise_if_empty=False,
        )
    except Exception as error:
        raise IngestError(_ragged(path, dialect) or f"The text cannot be read: {first_line(error)}") from None
    limits.require(frame.height, frame.width, "The text file")
    return _numbers(frame, dialect)


def guess_dialect(path: Path) -> Dialect:
    """Guess delimiter, decimal mark, encoding and header of a text file. Raises IngestError."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    text, encoding = _decoded(head)
    if "\n" not in text and "\r" in text:
        raise IngestError("Lines of the text end in CR alone. Save it with line ends LF or CRLF.")
    lines = [line.rstrip("\r") for line in text.split("\n")[:MAX_LINES]]  # Polars ends lines at LF alone
    if len(head) == HEAD and len(lines) < MAX_LINES:
        lines = lines[:-1]  # the last one is cut off
    found = [each for each in (_table(lines, delimiter) for delimiter in DELIMITERS) if each is not None]
    if not found:
        raise IngestError(
            f"The text has no table: no two lines of its first {len(lines)} hold numbers in at least two columns, "
            "separated by comma, semicolon, tab or bar."
        )
    _, delimiter, first, width, has_comma = max(found)
    if delimiter == "," and has_comma:
        _require_decimals(lines, first)
    names, notes = _header(lines, delimiter, first, width)
    marks = f"Columns are separated by {DELIMITERS[delimiter]}"
    notes.insert(0, f"{marks}; decimal {'comma' if has_comma else 'point'}; {first} lines before the numbers.")
    if encoding != "utf-8":
        notes.append(f"The text is no UTF-8; it was read as {encoding}.")
    return Dialect(delimiter, has_comma, names, first, encoding, notes)


def _decoded(head: bytes) -> tuple[str, str]:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise IngestError("The text is UTF-16. Save it as UTF-8.")
    if b"\x00" in head:
        raise IngestError(f"The file is no text: byte {head.index(0)} is zero.")
    try:
        return head.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError as error:
        if error.start > len(head) - 4 and len(head) == HEAD:  # a character cut in two
            return head[: error.start].decode("utf-8-sig"), "utf-8"
        return head.decode("cp1252", errors="replace"), "Windows-1252"


Candidate = tuple[float, str, int, int, bool]
"""Quality, delimiter, lines before the numbers, number of columns, whether decimals have a comma."""


def _table(lines: list[str], delimiter: str) -> Candidate | None:
    """Find the first row of numbers for a delimiter: its width is that of most lines from there on."""
    rows = [_fields(line, delimiter) for line in lines]
    best: Candidate | None = None
    for has_comma in (False, True):
        shares = [_share(row, has_comma) for row in rows]
        numeric = [index for index, row in enumerate(rows) if len(row) > 1 and shares[index] >= 0.5]
        if not numeric:
            continue
        width, count = Counter(len(rows[index]) for index in numeric).most_common(1)[0]
        first = next(index for index in numeric if len(rows[index]) == width)
        quality = sum(shares[index] for index in numeric if len(rows[index]) == width) / max(1, len(rows) - first)
        candidate = (quality + count / len(rows) / 1000, delimiter, first, width, has_comma)
        if best is None or candidate[0] > best[0]:
            best = candidate
    return best


def _require_decimals(lines: list[str], first: int) -> None:
    """Raise IngestError if the commas in numbers may separate thousands, where commas separate the columns, too."""
    numbers = [(number, each) for number, line in enumerate(lines[first:], first + 1) for each in _fields(line, ",")]
    with_comma = [(number, each) for number, each in numbers if "," in each]
    if all(THOUSANDS.fullmatch(each) for _, each in with_comma):
        number, text = with_comma[0]
        raise IngestError(
            f"{shown(text)} in line {number} is either {text.replace(',', '.')} or {text.replace(',', '')}. "
            "Write decimal points and no separators of thousands, or separate columns by semicolons."
        )


def _fields(line: str, delimiter: str) -> list[str]:
    try:
        return [each.strip() for each in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:
        return []


def _share(row: list[str], has_comma: bool) -> float:
    """Return the share of fields that are numbers; 0 for a row without any."""
    filled = [each for each in row if each.lower() not in MISSING]
    if not filled:
        return 0.0
    return sum(_is_number(each, has_comma) for each in filled) / len(filled)


def _is_number(text: str, has_comma: bool) -> bool:
    if has_comma and "." in text:
        return False
    return NUMBER.fullmatch(text.replace(",", ".", 1) if has_comma else text) is not None


def _header(lines: list[str], delimiter: str, first: int, width: int) -> tuple[list[str], list[str]]:
    """Return the column names from the line before the numbers; a row of units below them is joined to the names."""
    above = [_fields(line, delimiter) for line in lines[:first]]
    above = [row for row in above if any(row)]
    if not above or len(above[-1]) not in (width, width - 1):
        raise IngestError(
            f"The columns have no names: line {first + 1} holds numbers, and no line before it has {width} names. "
            "Write a header such as `Time [s],Current [A],Voltage [V]`."
        )
    names, notes = above[-1], []
    is_unit_row = len(above) > 1 and len(above[-2]) == len(names) and _unit_share(names) >= UNIT_ROW
    if is_unit_row:
        names = [with_unit(name, unit) for name, unit in zip(above[-2], names, strict=True)]
        notes.append("The row of units below the names was joined to them.")
    names = [*names, *[""] * (width - len(names))]
    for name, count in Counter(name for name in names if name).items():
        if count > 1:
            raise IngestError(f"{count} columns have the name {shown(name)}. Rename all but one.")
    return names, notes


def _unit_share(row: list[str]) -> float:
    filled = [each for each in row if each]
    return sum(is_quantity(f"x [{each.strip('[]()')}]") for each in filled) / max(1, len(filled))


def _count_lines(path: Path) -> int:
    """Return the number of lines, without decoding them. Raises IngestError for a zero byte."""
    lines, at, last = 0, 0, b"\n"
    with path.open("rb") as file:
        while block := file.read(CHUNK):
            if (zero := block.find(0)) >= 0:
                raise IngestError(f"The file is no text: byte {at + zero} is zero.")
            lines, at, last = lines + block.count(b"\n"), at + len(block), block[-1:]
    return lines + (last != b"\n")


def _ragged(path: Path, dialect: Dialect) -> str | None:
    """Return the message for the first line with more fields than there are names."""
    width = len(dialect.names)
    with path.open(encoding="utf-8", errors="replace", newline="\n") as file:
        for number, line in enumerate(file, 1):
            if number > dialect.first and len(row := _fields(line.rstrip("\r\n"), dialect.delimiter)) > width:
                return f"Line {number} has {len(row)} fields; the header has {width}."
    return None


def _numbers(frame: pl.DataFrame, dialect: Dialect) -> tuple[pl.DataFrame, list[str]]:
    """Convert columns of text to numbers. A column of text is left out; a known quantity must hold numbers."""
    notes = list(dialect.notes)
    columns: dict[str, pl.Series] = {}
    for index, name in enumerate(dialect.names):
        texts = frame.drop_in_place(str(index)).str.strip_chars()
        values, row = _parsed(texts, dialect.has_decimal_comma)
        filled = texts.len() - int(values.null_count())
        if not name:
            if filled or row is not None:
                raise IngestError(f"Column {index + 1} has no name. Name it in the header.")
            continue
        if row is None:
            columns[name] = values
        elif is_time(name) and in_seconds(name) not in dialect.names and (seconds := _seconds(texts)) is not None:
            if in_seconds(name) in columns:
                raise IngestError(f"`{name}` and another column both are `{in_seconds(name)}`. Leave all but one out.")
            columns[in_seconds(name)] = seconds
            notes.append(f"`{name}` holds hours, minutes and seconds, {shown(texts[row])} in row {row}.")
        elif is_quantity(name) and filled:
            place = f"row {row} (line {row + dialect.first + 1} of the file)"
            raise IngestError(f"`{name}` must hold numbers; {place} has {shown(texts[row])}.")
        else:
            notes.append(f"`{name}` holds text, {shown(texts[row])} in row {row}; {LEFT_OUT}")
    return pl.DataFrame(columns), notes


def _seconds(texts: pl.Series) -> pl.Series | None:
    """Return the seconds of times such as `0:01:30.5`; None if a text has another form."""
    if not texts.str.contains(CLOCK).all():
        return None
    parts = [texts.str.extract(CLOCK, part).str.replace(",", ".", literal=True).cast(pl.Float64) for part in (1, 2, 3)]
    return parts[0] * 3600 + parts[1] * 60 + parts[2]


def _parsed(texts: pl.Series, has_comma: bool) -> tuple[pl.Series, int | None]:
    """Return the numbers of a column, and the first row that holds another text."""
    values = texts
    if has_comma:  # a point may separate thousands
        values = values.set(texts.str.contains(".", literal=True), None).str.replace(",", ".", literal=True)
    values = values.cast(pl.Float64, strict=False)
    failed = values.is_null() & texts.is_not_null()
    if failed.any():
        failed &= ~texts.str.to_lowercase().is_in(list(MISSING))
    return values.fill_nan(None), int(failed.arg_max() or 0) if failed.any() else None
