"""Standard terms find their module: each stands in a module's name, or in the first line of its docstring or of one of
its classes or functions."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.api import ROOT

TERMS = (
    "access log",
    "allow-list",
    "authentication",
    "backpressure",
    "broker",
    "code generation",
    "coalesc(e|es|ing)",
    "compare-and-set",
    "complexity",
    "connection pool",
    "CORS",
    "cursor",
    "depth limit",
    "downsampling",
    "drain",
    "fast path",
    "fencing",
    "fork ?server",
    "group commit",
    "heartbeat",
    "idempotency",
    "JSON aggregation",
    "lease",
    "load shedding",
    "middleware",
    "pagination",
    "persisted",
    "polling",
    "publish/subscribe",
    "query plan",
    "quota",
    "rate limit",
    "reconcil(e|es|iation)",
    "redact(s|ed|ion)?",
    "repository",
    "request id",
    "retr(y|ies)",
    "snapshot",
    "subscriber",
    "tenan(t|cy)",
    "timeout",
    "token bucket",
    "transient",
    "write-ahead log",
)


def first_lines(file: Path) -> str:
    """The name of a module, and the first lines of its docstrings."""
    tree = ast.parse(file.read_text())
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    texts = [ast.get_docstring(node) for node in ast.walk(tree) if isinstance(node, documented)]
    name = file.relative_to(ROOT).with_suffix("").as_posix().replace("_", " ")
    return "\n".join([name, *(text.partition("\n\n")[0].replace("\n", " ") for text in texts if text)])


def test_standard_terms_find_their_module() -> None:
    files = [file for part in ("app", "schema") for file in (ROOT / part).rglob("*.py")]
    texts = [first_lines(file) for file in files if "node_modules" not in file.parts]
    missing = [term for term in TERMS if not any(re.search(rf"\b{term}s?\b", text, re.IGNORECASE) for text in texts)]
    assert missing == []
