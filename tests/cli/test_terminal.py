"""Escaping of control characters for terminals."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from app.cli.terminal import lines, printable, shown


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("plain", "plain"),
        ("Straße 日本語 🎉 é", "Straße 日本語 🎉 é"),
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("one\ntwo\rthree\ttab\x00", "one\\ntwo\\rthree\\ttab\\x00"),
        ("\x9b31mred\x7f", "\\x9b31mred\\x7f"),
        ("right\u202eleft\u2066\u200b\ufeff", "right\\u202eleft\\u2066\\u200b\\ufeff"),
        ("line\u2028paragraph\u2029", "line\\u2028paragraph\\u2029"),
        ("\ud800", "\\ud800"),
    ],
)
def test_characters_that_act_are_escaped(text: str, seen: str) -> None:
    assert printable(text) == seen


@pytest.mark.parametrize("text", ["[red]x[/red]", "[link=http://evil]u[/link]", "[/]", "a\\[b", ":smile:", "\\"])
def test_nothing_is_markup(text: str) -> None:
    out = io.StringIO()
    Console(file=out, force_terminal=True, width=80).print(shown(text))
    assert out.getvalue() == f"{text}\n"


def test_a_text_of_lines_keeps_them() -> None:
    out = io.StringIO()
    Console(file=out, force_terminal=True, width=80).print(lines("[a]\n\x1bb"))
    assert out.getvalue() == "[a]\n\\x1bb\n"
