"""Rules of language for docstrings, comments, descriptions, messages and public texts."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
from graphql import parse
from graphql.language import StringValueNode, Visitor, visit

from app.cli.commands import cli
from app.settings import Settings
from tests.api import ROOT

FORBIDDEN = re.compile(r"(?:^|[.!?]\s+)((?:What|Whoever|Who|Of|There)\b[^.!?]{0,60})")
"""Start of a sentence that hides its subject."""
MAX_WORDS = 35
DESCRIBING = {"description", "help"}
FOLDERS = ("app", "schema", "tests", "queries")
QUERIES = sorted((ROOT / "queries").glob("*.graphql"))
SDL = ROOT / "schema" / "schema.graphql"
PAGES = [
    ROOT / "README.md",
    ROOT / "ARCHITECTURE.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    ROOT / "queries" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "app" / "battery" / "BATTERY.md",
]


def python_files(folder: str) -> list[Path]:
    """Return the Python files of a folder, without installed packages."""
    files = (ROOT / folder).rglob("*.py")
    return [file for file in files if not {".venv", "node_modules"} & set(file.parts[len(ROOT.parts) :])]


def docstrings(source: str) -> Iterator[str]:
    """Yield all string expression statements, and the constant parts of `description=` and `help=`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value.value
        elif isinstance(node, ast.keyword) and node.arg in DESCRIBING:
            parts = [part.value for part in ast.walk(node.value) if isinstance(part, ast.Constant)]
            yield "".join(part if isinstance(part, str) else "" for part in parts)


def messages(source: str) -> Iterator[str]:
    """Yield the string constants of a Python file, and the constant parts of its f-strings."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def comments(source: str) -> Iterator[str]:
    """Yield the comments of a Python file; consecutive lines are one comment."""
    lines: list[str] = []
    last = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            if lines and token.start[0] != last + 1:
                yield " ".join(lines)
                lines = []
            lines.append(token.string.lstrip("# "))
            last = token.start[0]
    yield " ".join(lines)


def sdl_descriptions() -> list[str]:
    """Return the descriptions of the committed SDL."""
    found: list[str] = []

    class Descriptions(Visitor):
        def enter(self, node: object, *_: object) -> None:
            described = getattr(node, "description", None)
            if isinstance(described, StringValueNode):
                found.append(described.value)

    visit(parse(SDL.read_text()), Descriptions())
    return found


def cli_help(command: object) -> Iterator[str]:
    """Yield the help texts of a command, its parameters and its subcommands."""
    for each in (command, *getattr(command, "params", ())):
        yield getattr(each, "help", None) or ""
    for inner in getattr(command, "commands", {}).values():
        yield from cli_help(inner)


def blocks(page: str) -> Iterator[str]:
    """Yield headings, paragraphs, list items and table cells of a Markdown page, without its code blocks."""
    lines: list[str] = []
    for line in [*re.sub(r"^ *```.*?^ *```$", "", page, flags=re.MULTILINE | re.DOTALL).splitlines(), ""]:
        text = line.strip()
        if lines and (not text or re.match(r"[#|]|[-*] |\d+\. ", text)):
            yield " ".join(lines)
            lines = []
        if text.startswith("|"):
            yield from (cell.strip() for cell in text.strip("|").split(" | "))
        elif text:
            lines.append(re.sub(r"^([-*]|\d+\.) ", "", text))


def riddles(text: str) -> list[str]:
    """Return the sentences of a text that start with a forbidden word."""
    return FORBIDDEN.findall(" ".join(text.split()))


def long_sentences(text: str) -> list[str]:
    """Return the sentences of a text with more than MAX_WORDS words."""
    sentences = re.split(r"(?<=[.!?])\s+(?=[(\"*\[]*[A-Z0-9`])", " ".join(text.split()))
    return [sentence for sentence in sentences if len(sentence.split()) > MAX_WORDS]


@pytest.mark.parametrize("folder", FOLDERS)
def test_docstrings_and_comments_name_their_subject(folder: str) -> None:
    sources = {file: file.read_text() for file in python_files(folder)}
    texts = {file: [*docstrings(source), *comments(source)] for file, source in sources.items()}
    found = [
        f"{file.relative_to(ROOT)}: {riddle}" for file in texts for text in texts[file] for riddle in riddles(text)
    ]
    assert found == []


def test_messages_name_their_subject() -> None:
    sources = [file.read_text() for folder in ("app", "schema") for file in python_files(folder)]
    assert [riddle for source in sources for text in messages(source) for riddle in riddles(text)] == []


def test_graphql_descriptions_and_comments_name_their_subject() -> None:
    comments = [line.lstrip("# ") for file in QUERIES for line in file.read_text().splitlines() if line.startswith("#")]
    assert [riddle for text in [*sdl_descriptions(), *comments] for riddle in riddles(text)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_sentences_of_pages_are_short(page: Path) -> None:
    assert [sentence for block in blocks(page.read_text()) for sentence in long_sentences(block)] == []


def test_sentences_of_descriptions_are_short() -> None:
    settings = [field.description or "" for field in Settings.model_fields.values()]
    texts = [*sdl_descriptions(), *settings, *cli_help(typer.main.get_command(cli))]
    assert len(texts) > len(settings) > 20
    assert [sentence for text in texts for sentence in long_sentences(text)] == []


def test_the_rule_for_subjects_finds_bad_sentences() -> None:
    source = (
        'def f():\n    """Whoever asks."""\n'
        'x = 1\n"""A number. Of two,\n\nthe first."""\n'
        'y = g(description=f"What it is: {x}")\n'
        "# The rest.\n# There is more.\n"
    )
    texts = [*docstrings(source), *comments(source)]
    assert sorted(riddle.split()[0] for text in texts for riddle in riddles(text)) == ["Of", "There", "What", "Whoever"]
    assert riddles("Offsets of whole rows. Whose they are, somebody knows; of what there is, who knows.") == []


def test_the_rule_for_messages_finds_bad_ones() -> None:
    assert next(riddles(text) for text in messages("raise E(f'There is no {x}.')")) == ["There is no …"]


def test_the_rule_for_lengths_finds_long_sentences() -> None:
    long = "Word" + " word" * MAX_WORDS + "."
    page = f"# Title\n\nShort. {long}\n\n- {long}\n- short\n\n| short | {long} |\n|---|---|\n\n```\n{long}\n```\n"
    assert [sentence for block in blocks(page) for sentence in long_sentences(block)] == [long, long, long]
    assert long_sentences("Short. " * MAX_WORDS) == []
