"""Log of one attempt of a job: what its process writes, in lines with times, redacted and bounded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from time import monotonic
from typing import NamedTuple

from app.auth.redaction import Redaction
from app.models.columns import now
from app.models.enums import JobLogStream

MAX_LINE = 4096
"""Maximum bytes of a line; a longer one is divided."""
ROW = 64
"""Bytes that a line counts besides its text."""
TAIL = 2048
"""Bytes of the end of standard error that are kept to explain a crash."""


class Line(NamedTuple):
    """A line of a log."""

    at: datetime
    stream: JobLogStream
    text: str


class JobLog:
    """Log of one attempt of a job, until it is stored."""

    def __init__(self, most: int, redaction: Redaction) -> None:
        self._left, self._redaction = most, redaction
        self._partial: dict[str, bytes] = {}
        self._lines: list[Line] = []
        self._is_full = most == 0
        self._taken_at = 0.0
        self.errors = b""
        """The end of standard error."""

    def receive(self, stream: str, data: bytes) -> bool:
        """Receive bytes of a stream, none at its end. Return False once the log is full."""
        if stream == JobLogStream.STDERR.name:
            self.errors = (self.errors + data)[-TAIL:]
        if self._is_full:
            return False
        *lines, rest = (self._partial.pop(stream, b"") + data).split(b"\n")
        if rest and not data:
            lines, rest = [rest], b""
        for line in lines:
            self._add_divided(JobLogStream[stream], line)
        while len(rest) >= MAX_LINE:
            self._add_divided(JobLogStream[stream], rest[:MAX_LINE])
            rest = rest[MAX_LINE:]
        if rest:
            self._partial[stream] = rest
        return not self._is_full

    def note(self, text: str) -> None:
        """Add a line of the worker, which the limit does not cut."""
        self._lines.append(Line(now(), JobLogStream.WORKER, self._redaction.clean(text)))

    def take(self, interval: float) -> Sequence[Line]:
        """Return the lines since the last call; none if that was less than `interval` seconds ago."""
        if not self._lines or monotonic() - self._taken_at < interval:
            return []
        self._taken_at = monotonic()
        lines, self._lines = self._lines, []
        return lines

    def put_back(self, lines: Sequence[Line]) -> None:
        """Return lines that could not be stored."""
        self._lines = [*lines, *self._lines]

    def _add_divided(self, stream: JobLogStream, line: bytes) -> None:
        for start in range(0, len(line), MAX_LINE):
            self._add(stream, line[start : start + MAX_LINE])

    def _add(self, stream: JobLogStream, line: bytes) -> None:
        """Add a line, or note that the log is full."""
        if self._is_full:
            return
        self._left -= len(line) + ROW
        if self._left < 0:
            self._is_full = True
            self.note("The log is full (VOLTGRAPH_JOB_LOG_BYTES): further output of this attempt is not kept.")
            return
        text = line.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}").rstrip("\r")
        self._lines.append(Line(now(), stream, self._redaction.clean(text)))
