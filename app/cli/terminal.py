"""Output of commands, with the control characters of other users' texts escaped, and exit codes."""

from __future__ import annotations

import unicodedata

from rich.console import Console
from rich.text import Text

console = Console()
stderr = Console(stderr=True)
"""Mistakes and warnings, so that the output of a command can go into a pipe."""

FAILED, WRONG, UNAVAILABLE = 1, 2, 3
"""Exit codes: the pipeline did not complete; arguments, settings or files are wrong; a database, port or server is not
usable."""
ACTING = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Unicode categories of characters that move the cursor, change colours or titles, change the text direction, or cannot
be shown."""


def printable(text: str) -> str:
    """Return the text with control characters replaced by escapes such as `\\x1b`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(each) if unicodedata.category(each) in ACTING else each for each in text)


def shown(text: str, style: str = "") -> Text:
    """Return a text of one line for rich, without interpreting markup."""
    return Text(printable(text), style)


def lines(text: str) -> Text:
    """Return a text of several lines for rich, without interpreting markup."""
    return Text("\n").join(map(shown, text.split("\n")))


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
