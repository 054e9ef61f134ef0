"""Optional fields of inputs."""

from typing import Any

import strawberry
from strawberry import UNSET


def about(description: str, **default: Any) -> Any:
    """Declare an optional input field."""
    return strawberry.field(description=description, **({"default": UNSET} | default))


def given(value: Any) -> Any:
    """Return the value, or None if it is unset."""
    return None if value is UNSET else value
