"""Texts of others, shown on a terminal: as they are but for what would act on it."""

from __future__ import annotations

import unicodedata

from rich.console import Console
from rich.text import Text

console = Console()

ACTING = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Categories of characters that move the cursor, change colours or titles, turn the direction, or cannot be shown."""


def printable(text: str) -> str:
    """The text, with escapes such as `\\x1b` in place of characters that act on a terminal."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(each) if unicodedata.category(each) in ACTING else each for each in text)


def shown(text: str, style: str = "") -> Text:
    """The text for rich, to which none of it is markup, in one line."""
    return Text(printable(text), style)


def lines(text: str) -> Text:
    """The same for a text of several lines."""
    return Text("\n").join(map(shown, text.split("\n")))


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
