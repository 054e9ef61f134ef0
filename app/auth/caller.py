"""The caller of a request: every read and write is limited to the caller's rows."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address

from app.errors import RequestError, RequestErrorCode

NOT_THEIRS = "The API key may not use this project."


@dataclass(frozen=True, slots=True)
class Caller:
    """The principal of a request: an organization, and its user if known."""

    organization_id: str
    user_id: str | None = None
    email: str | None = None
    projects: frozenset[str] | None = None
    """Projects that the caller may use; None means all."""
    may_write: bool = True
    key: str | None = None
    """Prefix of the API key."""

    def rights(self) -> Caller:
        """Return a caller with the same rights, without user and key."""
        return Caller(self.organization_id, projects=self.projects, may_write=self.may_write)

    def may_use(self, project_id: str) -> bool:
        return self.projects is None or project_id in self.projects

    def ask_for(self, project_id: str | None) -> None:
        """Raise FORBIDDEN if the caller may not use a project."""
        if project_id is not None and not self.may_use(project_id):
            raise RequestError(RequestErrorCode.FORBIDDEN, NOT_THEIRS)


LOCAL = Caller(organization_id="local")
"""Caller of every request while no API key exists."""


def is_loopback(host: str | None) -> bool:
    """Return whether a name or an address is a loopback one."""
    if host is None or host == "localhost" or host.endswith(".localhost"):
        return host is not None
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
