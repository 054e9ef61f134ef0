"""Management of API keys by callers: an administrator's key creates, lists and revokes keys with its rights at most."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import NamedTuple

from app.auth.caller import NOT_THEIRS, Caller, revoked
from app.auth.keys import PREFIX_LENGTH, Key, KeyStore
from app.errors import Problem, ProblemCode, Rejected, RequestError, RequestErrorCode, not_found

NOT_ADMIN = "Only an administrator's API key manages keys. Create one with `voltgraph keys create --admin`."
MAX_TEXT, MAX_PROJECTS, MAX_KEYS = 255, 1_000, 1_000
"""Maximum characters of a text, projects of a key, and keys of an organization."""


@dataclass(frozen=True, slots=True)
class KeyDraft:
    """A key to create. Without projects it may use all that its creator may use."""

    user_id: str | None = None
    email: str | None = None
    projects: Collection[str] | None = None
    read_only: bool = False
    is_admin: bool = False


class CreatedKey(NamedTuple):
    """A created key and its secret, which is not stored."""

    key: Key
    secret: str


async def _nothing() -> None:
    """Deliver no audit entries."""


class KeyManager:
    """Manager of the keys that a caller may manage: those of its organization whose projects it may use."""

    def __init__(self, store: KeyStore, deliver: Callable[[], Awaitable[None]] = _nothing) -> None:
        self._store, self._deliver = store, deliver

    async def all(self, caller: Caller) -> list[Key]:
        """Return the keys, including revoked ones, oldest first. Raises FORBIDDEN."""
        require_admin(caller)
        keys = await self._store.all(caller.organization_id)
        return [key for key in keys if _is_within(key.projects, caller)]

    async def create(self, caller: Caller, draft: KeyDraft) -> CreatedKey:
        """Create a key with rights of the caller at most. Raises FORBIDDEN, UNAUTHENTICATED if the caller's key was
        revoked a moment ago, and Rejected with all problems."""
        await self._require_valid_admin(caller)
        problems = [*_text_problems(draft), *_project_problems(caller, draft.projects)]
        if draft.is_admin and draft.read_only:
            message = "An administrator's key must be able to write."
            problems.append(Problem(ProblemCode.INVALID, message, ("is_admin",)))
        if len(await self._store.all(caller.organization_id)) >= MAX_KEYS:
            message = f"The organization has {MAX_KEYS:,} keys, revoked ones included: the maximum."
            problems.append(Problem(ProblemCode.INVALID, message))
        if problems:
            raise Rejected(*problems)
        secret = await self._store.create(
            caller.organization_id,
            user_id=draft.user_id,
            email=draft.email,
            projects=caller.projects if draft.projects is None else set(draft.projects),
            read_only=draft.read_only,
            is_admin=draft.is_admin,
            by=caller,
        )
        await self._deliver()
        prefix = secret[:PREFIX_LENGTH]
        return CreatedKey((await self._store.find([prefix]))[prefix], secret)

    async def revoke(self, caller: Caller, prefix: str) -> Key:
        """Revoke a key; a revoked one is returned unchanged. Raises FORBIDDEN and NOT_FOUND."""
        await self._require_valid_admin(caller)
        await self._find(caller, prefix)
        if await self._store.revoke(prefix, caller):
            await self._deliver()
        return await self._find(caller, prefix)

    async def _require_valid_admin(self, caller: Caller) -> None:
        """Raise unless the caller has an administrator's key that is valid now: a cached one may be revoked."""
        require_admin(caller)
        if caller.key not in await self._store.find([caller.key or ""]):
            raise revoked()

    async def _find(self, caller: Caller, prefix: str) -> Key:
        found = next((key for key in await self.all(caller) if key.prefix == prefix), None)
        if found is None:
            raise not_found("API key", "prefix")
        return found


def require_admin(caller: Caller) -> None:
    """Raise RequestError with FORBIDDEN unless the caller has an administrator's key."""
    if not caller.may_manage_keys:
        raise RequestError(RequestErrorCode.FORBIDDEN, NOT_ADMIN)


def _is_within(projects: frozenset[str] | None, caller: Caller) -> bool:
    """Return whether the caller may use all projects of a key."""
    return caller.projects is None or (projects is not None and projects <= caller.projects)


def _text_problems(draft: KeyDraft) -> list[Problem]:
    named = {"user_id": draft.user_id, "email": draft.email}
    message = f"It must have 1 to {MAX_TEXT} characters."
    return [
        Problem(ProblemCode.INVALID, message, (name,))
        for name, text in named.items()
        if text is not None and not 0 < len(text.strip()) <= len(text) <= MAX_TEXT
    ]


def _project_problems(caller: Caller, projects: Collection[str] | None) -> list[Problem]:
    if projects is None:
        return []
    if not 0 < len(projects) <= MAX_PROJECTS:
        message = f"Name 1 to {MAX_PROJECTS:,} projects; null allows all that the caller may use."
        return [Problem(ProblemCode.INVALID, message, ("project_ids",))]
    problems = []
    for index, project in enumerate(projects):
        if not 0 < len(project.strip()) <= len(project) <= MAX_TEXT:
            message = f"A project has 1 to {MAX_TEXT} characters."
            problems.append(Problem(ProblemCode.INVALID, message, ("project_ids", index)))
        elif not caller.may_use(project):
            problems.append(Problem(ProblemCode.FORBIDDEN, NOT_THEIRS, ("project_ids", index)))
    return problems
