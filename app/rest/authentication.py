"""Authentication of REST requests, before their body is read."""

from __future__ import annotations

from fastapi import Request

from app.callers import Caller
from app.cors import refuse_other_pages
from app.rates import REQUEST
from app.services import Services

READS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing."""


def services(request: Request) -> Services:
    return request.app.state.services  # type: ignore[no-any-return]


async def authenticate(request: Request) -> None:
    """Authenticate a request and charge its cost. Raises RequestError with UNAUTHENTICATED, FORBIDDEN or
    RATE_LIMITED."""
    headers = dict(request.scope["headers"])
    found = await services(request).callers.of(headers)
    if found.key is None and request.method not in READS:
        refuse_other_pages(headers, request.app.state.settings.origins)
    services(request).rates.spend(found, REQUEST)
    request.state.caller = found


async def caller(request: Request) -> Caller:
    """Return the caller of an authenticated request."""
    return request.state.caller  # type: ignore[no-any-return]
