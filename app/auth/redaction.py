"""Redaction of passwords and API keys in texts for logs."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

PASSWORD = re.compile(r"(://[^:/@\s]*:)[^/\s]*@")
"""Password of a URL: the text between the user name and the last `@` before a path."""
KEY = re.compile(r"(vg_[0-9a-f]{12})_[\w-]{43}")
HIDDEN = "***"


class Redaction:
    """Redaction of passwords in URLs, API keys, and given secrets."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        words = "|".join(re.escape(secret) for secret in sorted(secrets, key=len, reverse=True) if secret)
        self._secrets = re.compile(rf"(?<!\w)(?:{words})(?!\w)") if words else None

    def clean(self, text: str) -> str:
        text = KEY.sub(rf"\1_{HIDDEN}", PASSWORD.sub(rf"\1{HIDDEN}@", text))
        return self._secrets.sub(HIDDEN, text) if self._secrets else text


def passwords(database_url: str) -> list[str]:
    """Return the passwords of a database URL."""
    try:
        password = make_url(database_url).password
    except ArgumentError:
        return []
    return [str(password)] if password else []
