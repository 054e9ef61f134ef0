"""CORS, and protection against cross-site request forgery: which origins may send requests and changes.

https://fetch.spec.whatwg.org/#http-cors-protocol
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from app.errors import RequestError, RequestErrorCode
from app.settings import ANY

OWN_SITES = {b"same-origin", b"none"}
"""Values of Sec-Fetch-Site for a page of this server, and for a navigation by the user."""
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
EXPOSED = ("Location", "Retry-After", "X-Request-Id")
"""Response headers that scripts may read, besides the safelisted ones."""
MAX_AGE = 7200
"""Seconds for which browsers cache a preflight response; no browser caches longer."""


def allows(allowed: Collection[str], origin: bytes) -> bool:
    """Return whether pages of an origin may send requests."""
    return ANY in allowed or origin.decode("latin-1") in allowed


def is_from_allowed_page(headers: Mapping[bytes, bytes], allowed: Collection[str]) -> bool:
    """Return whether a request comes from no page, from a page of this server, or from an allowed origin. Browsers set
    both headers, and no page can change them; other clients send neither. `Sec-Fetch-Site` is checked first: it is also
    correct behind a proxy that changes Host. https://web.dev/articles/fetch-metadata"""
    site, origin = headers.get(b"sec-fetch-site"), headers.get(b"origin")
    if origin is not None and allows(allowed, origin):
        return True
    if site is not None:
        return site in OWN_SITES
    return origin is None or _host(origin) == headers.get(b"host", b"").lower()


def _host(origin: bytes) -> bytes | None:
    """Return the host and port of an origin; None if it has none, such as `null` and origins that no browser sends."""
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None


def refuse_other_pages(headers: Mapping[bytes, bytes], allowed: Collection[str]) -> None:
    """Raise RequestError with FORBIDDEN for a change that a page of another origin requests. A browser sends some
    requests for any page, and a server without keys cannot distinguish them from the user's own."""
    if not is_from_allowed_page(headers, allowed):
        message = "Pages of other origins may change nothing here: VOLTGRAPH_CORS_ORIGINS lists those that may."
        raise RequestError(RequestErrorCode.FORBIDDEN, message)


def cors(app: ASGIApp, allowed: frozenset[str]) -> ASGIApp:
    """Wrap an application in CORS headers and preflight responses for these origins. Cookies are ignored: a key in a
    header identifies the caller. Any header may be sent, since no other header grants a right; only listed origins
    reach a server in the private network of the browser."""
    return CORSMiddleware(
        app,
        allow_origins=allowed,
        allow_methods=METHODS,
        allow_headers=(ANY,),
        expose_headers=EXPOSED,
        allow_private_network=ANY not in allowed,
        max_age=MAX_AGE,
    )
