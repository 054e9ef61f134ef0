"""Who asks. Every read and write takes one, and touches only what its organization owns."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """An organization, and the user who acts for it where one is known."""

    organization_id: str
    user_id: str | None = None
    email: str | None = None


LOCAL = Caller(organization_id="local")
"""The caller of every request while the server has no API keys."""
