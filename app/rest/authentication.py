"""Whom a request over REST comes from: known before its body is read."""

from __future__ import annotations

from fastapi import Request

from app.callers import Caller
from app.rates import REQUEST
from app.services import Services


def services(request: Request) -> Services:
    return request.app.state.services  # type: ignore[no-any-return]


async def authenticate(request: Request) -> None:
    """Note whom a request comes from, and spend what it costs. RequestError with UNAUTHENTICATED, FORBIDDEN or
    RATE_LIMITED."""
    found = await services(request).callers.of(dict(request.scope["headers"]))
    services(request).rates.spend(found, REQUEST)
    request.state.caller = found


async def caller(request: Request) -> Caller:
    """Whom a request comes from that was authenticated."""
    return request.state.caller  # type: ignore[no-any-return]
