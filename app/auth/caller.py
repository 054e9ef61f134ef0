"""The caller of a request: every read and write is limited to the caller's rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from uuid import UUID, uuid5

from app.errors import RequestError, RequestErrorCode

CALLERS = UUID("5f0c1c1e-6b0a-4f0e-9d0b-6a4f4f1b7a52")
"""Namespace of the ids of callers."""
NO_LONGER_VALID = "The API key is no longer valid."
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
    is_admin: bool = False
    """Whether the API key manages the keys of its organization."""

    @property
    def id(self) -> str:
        """Return an id for client caches: the same for every request of a key, and different for each key."""
        named = (self.organization_id, self.user_id or "", self.key or "")
        return str(uuid5(CALLERS, "\0".join(named)))

    def rights(self) -> Caller:
        """Return a caller with the same rights, without user and key; the same one for all."""
        return _rights(self.organization_id, self.projects, self.may_write)

    @property
    def may_manage_keys(self) -> bool:
        return self.is_admin and self.may_write

    def may_use(self, project_id: str) -> bool:
        return self.projects is None or project_id in self.projects

    def ask_for(self, project_id: str | None) -> None:
        """Raise FORBIDDEN if the caller may not use a project."""
        if project_id is not None and not self.may_use(project_id):
            raise RequestError(RequestErrorCode.FORBIDDEN, NOT_THEIRS)


LOCAL = Caller(organization_id="local")
"""Caller of every request while no API key exists."""


@lru_cache(1024)
def _rights(organization_id: str, projects: frozenset[str] | None, may_write: bool) -> Caller:
    return Caller(organization_id, projects=projects, may_write=may_write)


def is_loopback(host: str | None) -> bool:
    """Return whether a name or an address is a loopback one."""
    if host is None or host == "localhost" or host.endswith(".localhost"):
        return host is not None
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def revoked() -> RequestError:
    """Return the error of a caller whose key is no longer valid."""
    return RequestError(RequestErrorCode.UNAUTHENTICATED, NO_LONGER_VALID)
