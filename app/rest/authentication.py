"""Authentication of REST requests, before their body is read."""

from __future__ import annotations

from fastapi import Request

from app.auth.caller import Caller
from app.auth.rate_limit import REQUEST
from app.server.cors import refuse_other_pages
from app.server.observability.request_log import note_key
from app.server.services import Services

READS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing."""


def services(request: Request) -> Services:
    return request.app.state.services  # type: ignore[no-any-return]


async def authenticate(request: Request) -> None:
    """Authenticate a request and charge its cost. Raises RequestError with UNAUTHENTICATED, FORBIDDEN or
    RATE_LIMITED."""
    headers = dict(request.scope["headers"])
    found = await services(request).authenticator.authenticate(headers)
    note_key(found.key)
    if found.key is None and request.method not in READS:
        refuse_other_pages(headers, request.app.state.settings.origins)
    services(request).rate_limiter.spend(found, REQUEST)
    request.state.caller = found


async def caller(request: Request) -> Caller:
    """Return the caller of an authenticated request."""
    return request.state.caller  # type: ignore[no-any-return]
