"""A reader who searches for the field's term finds the module."""

from __future__ import annotations

import ast
import re

import pytest

from tests.api import ROOT

TERMS = [
    "group commit",
    "connection pool",
    "rate limit",
    "token bucket",
    "quota",
    "backpressure",
    "transient",
    "broker",
    "publish/subscribe",
    "tenant",
    "pagination",
    "query plan",
    "code generation",
    "fast path",
    "depth limit",
    "access log",
    "correlation id",
    "fork server",
    "lease",
    "fencing",
    "compare-and-set",
    "polling",
    "reconcile",
    "retry",
    "downsampling",
    "authentication",
    "repository",
    "JSON aggregation",
    "coalesce",
    "write-ahead log",
    "complexity",
    "redact",
    "allow-list",
    "middleware",
    "drain",
    "heartbeat",
    "idempotency",
    "snapshot",
    "timeout",
    "cursor",
    "CORS",
    "persisted",
]
"""Standard terms that name a mechanism of this server."""


def summaries() -> dict[str, str]:
    """Path and module docstring of each module of app and schema."""
    found = {}
    for folder in ("app", "schema"):
        for path in (ROOT / folder).rglob("*.py"):
            docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
            found[str(path.relative_to(ROOT))] = docstring
    return found


@pytest.mark.parametrize("term", TERMS)
def test_a_term_finds_its_module(term: str) -> None:
    words = re.compile(r"[ _-]".join(re.split("[ -]", term)), re.IGNORECASE)
    assert [path for path, summary in summaries().items() if words.search(f"{path} {summary}")]
