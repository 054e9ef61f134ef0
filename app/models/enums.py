"""Enums with descriptions."""

from __future__ import annotations

from enum import Enum


class Word(Enum):
    """Enum whose members are `NAME = value, description`: the word on the wire and its meaning."""

    description: str

    def __new__(cls, value: str, description: str) -> Word:
        member = object.__new__(cls)
        member._value_, member.description = value, description
        return member
