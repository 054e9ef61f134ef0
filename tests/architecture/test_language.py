"""Docstrings, comments and public texts follow the rules of language in CONTRIBUTING.md."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.settings import Settings
from schema import schema
from tests.api import ROOT

FORBIDDEN = re.compile(r"(?:What|Who|Whoever|Of|There)\b")
"""Sentence starts that hide the subject."""
SENTENCE = re.compile(r"(?<=[.?!])\s+(?=[A-Z`])")
MAX_WORDS = 35
SOURCES = sorted(
    path
    for folder in ("app", "schema", "tests", "examples")
    for path in (ROOT / folder).rglob("*.py")
    if not {"node_modules", ".venv"} & set(path.parts)
)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md"]


def docstrings(source: str) -> Iterator[tuple[int, str]]:
    """Docstrings of modules, classes, functions and attributes, with their lines."""
    for node in ast.walk(ast.parse(source)):
        for statement in getattr(node, "body", []) if not isinstance(node, ast.Lambda | ast.IfExp) else []:
            match statement:
                case ast.Expr(value=ast.Constant(value=str(text))):
                    yield statement.lineno, text


def comments(source: str) -> Iterator[tuple[int, str]]:
    """Comments that start a block or stand behind code, with their lines."""
    last = -1
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            if token.start[0] != last + 1 or token.line[: token.start[1]].strip():
                yield token.start[0], token.string.lstrip("# ")
            last = token.start[0]


def sentences(text: str) -> list[str]:
    return [sentence for paragraph in text.split("\n\n") for sentence in SENTENCE.split(" ".join(paragraph.split()))]


def prose(page: Path) -> Iterator[str]:
    """Paragraphs, list items and table cells of a page, without code."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    for line in text.split("\n"):
        yield from (cell.strip(" -#|*") for cell in line.split("|"))


def descriptions() -> Iterator[str]:
    """Descriptions of the SDL and of the settings."""
    yield from (" ".join(text.split()) for text in re.findall(r'"""(.*?)"""', schema.as_str(), re.DOTALL))
    yield from (field.description or "" for field in Settings.model_fields.values())


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_docstring_or_comment_hides_its_subject(path: Path) -> None:
    source = path.read_text()
    wrong = [
        f"{line}: {sentence}"
        for line, text in [*docstrings(source), *comments(source)]
        for sentence in sentences(text)
        if FORBIDDEN.match(sentence)
    ]
    assert not wrong, "\n".join(wrong)


def test_no_public_text_hides_its_subject() -> None:
    texts = [*descriptions(), *(text for page in PAGES for text in prose(page))]
    assert not [sentence for text in texts for sentence in sentences(text) if FORBIDDEN.match(sentence)]


def test_sentences_of_public_texts_are_short() -> None:
    texts = [*descriptions(), *(text for page in PAGES for text in prose(page))]
    assert not [each for text in texts for each in sentences(text) if len(each.split()) > MAX_WORDS]
