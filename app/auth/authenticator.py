"""Authentication: the caller of a request. Every read and write takes a caller and is limited to the caller's rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from time import monotonic
from urllib.parse import urlsplit

from app.auth.caller import LOCAL, Caller, is_loopback, revoked
from app.auth.keys import Key, KeyRing
from app.errors import RequestError, RequestErrorCode

Headers = Mapping[bytes, bytes]


class Authenticator:
    """Authenticator: finds the caller by the API key in the headers. While no key exists, every caller is LOCAL, and
    the server accepts loopback host names only, which prevents DNS rebinding."""

    def __init__(self, keys: KeyRing, allow_anyone: bool) -> None:
        self._keys, self._allow_anyone = keys, allow_anyone

    @property
    def keys(self) -> KeyRing:
        """Return the cache of the keys."""
        return self._keys

    async def authenticate(self, headers: Headers) -> Caller:
        """Return the caller of a request. Raises RequestError with UNAUTHENTICATED or FORBIDDEN."""
        if monotonic() >= self._keys.unwanted_until and await self._keys.wanted():
            return _narrowed(_caller(await self._keys.holder(presented(headers) or "")), headers)
        self._check_name(headers)
        return LOCAL

    async def check_name(self, headers: Headers) -> None:
        """Raise RequestError with FORBIDDEN if no API key exists and the Host header names another machine."""
        if not await self._keys.wanted():
            self._check_name(headers)

    def _check_name(self, headers: Headers) -> None:
        if not self._allow_anyone and not _is_here(headers.get(b"host", b"")):
            message = "Without API keys this server answers only to names of its own machine, such as localhost."
            raise RequestError(RequestErrorCode.FORBIDDEN, message)

    async def need_keys(self) -> bool:
        """Return whether requests need a key."""
        return await self._keys.wanted()

    async def confirm(self, caller: Caller) -> None:
        """Raise UNAUTHENTICATED if the caller's key was revoked meanwhile."""
        if await self._keys.wanted() and not (caller.key and await self._keys.find(caller.key)):
            raise revoked()

    async def revoked(self, callers: Collection[Caller]) -> list[Caller]:
        """Return the callers whose keys are no longer valid, bypassing the cache. Raises Busy if the keys cannot be
        read."""
        if not await self._keys.wanted():
            return []
        valid = await self._keys.valid({caller.key for caller in callers if caller.key})
        return [caller for caller in callers if caller.key not in valid]


def presented(headers: Headers) -> str | None:
    """Return the API key of a request."""
    if given := headers.get(b"x-api-key"):
        return given.decode("latin-1").strip()
    scheme, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


@lru_cache(256)
def _is_here(host: bytes) -> bool:
    """Return whether a Host header names the loopback interface."""
    try:
        return is_loopback(urlsplit("//" + host.decode("latin-1")).hostname)
    except ValueError:
        return False


def _caller(key: Key | None) -> Caller:
    if key is None:
        message = "Send a valid API key, as X-API-Key or as Authorization: Bearer."
        raise RequestError(RequestErrorCode.UNAUTHENTICATED, message)
    may_write = not key.read_only
    return Caller(key.organization_id, key.user_id, key.email, key.projects, may_write, key.prefix, key.is_admin)


def _narrowed(caller: Caller, headers: Headers) -> Caller:
    organization = headers.get(b"x-organization-id")
    if organization and organization.decode("latin-1") != caller.organization_id:
        raise RequestError(RequestErrorCode.FORBIDDEN, "The API key is not of the organization in X-Organization-Id.")
    return caller
