"""CORS, and protection against cross-site request forgery: which origins may send requests and changes.

https://fetch.spec.whatwg.org/#http-cors-protocol
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from app.errors import RequestError, RequestErrorCode

ANY = "*"
PORTS = {"http": 80, "https": 443}
OWN_SITES = {b"same-origin", b"none"}
"""Values of Sec-Fetch-Site for a page of this server, and for a navigation by the user."""
METHODS = ("GET", "POST", "PATCH", "DELETE")
EXPOSED = ("Location", "Retry-After", "X-Request-Id")
"""Response headers that scripts may read, besides the safelisted ones."""
MAX_AGE = 7200
"""Seconds for which browsers cache a preflight response; no browser caches longer."""


def origins(text: str) -> frozenset[str]:
    """Parse a comma-separated list of origins as browsers send them, or ANY alone. Raises ValueError naming the invalid
    ones."""
    listed = [each.strip() for each in text.split(",") if each.strip()]
    faults = [fault for each in listed if (fault := _fault(each, alone=len(listed) == 1))]
    if faults:
        raise ValueError(" ".join(faults))
    return frozenset(listed)


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
    return origin is None or urlsplit(origin).netloc.lower() == headers.get(b"host", b"").lower()


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


def _fault(origin: str, *, alone: bool) -> str | None:
    """Return why no browser sends this as an origin."""
    if origin == ANY:
        return None if alone else "'*' means every origin; leave out the others."
    try:
        parts = urlsplit(origin)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if host is None or parts.scheme not in PORTS or not origin.isascii():
        return f"{origin!r:.100} is no origin: write it as https://app.example or http://localhost:3000."
    exact = f"{parts.scheme}://{f'[{host}]' if ':' in host else host}"
    exact += f":{port}" if port not in (None, PORTS[parts.scheme]) else ""
    if "*" in origin:
        return f"{origin!r:.100} has a wildcard: name each origin."
    return None if origin == exact else f"{origin!r:.100} is not what browsers send: write {exact!r:.100}."
