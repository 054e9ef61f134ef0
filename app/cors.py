"""Pages of other origins: which may ask, and what their browsers are told of it.

https://fetch.spec.whatwg.org/#http-cors-protocol
"""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

ANY = "*"
PORTS = {"http": 80, "https": 443}
METHODS = ("GET", "POST", "PATCH", "DELETE")
EXPOSED = ("Location", "Retry-After", "X-Request-Id")
"""What scripts may read of an answer beside what browsers show them anyway."""
MAX_AGE = 7200
"""Seconds for which a browser believes a preflight: no browser keeps one for longer."""


def origins(text: str) -> frozenset[str]:
    """The origins of a comma list, each as browsers send it, or ANY alone. ValueError naming those that are none."""
    listed = [each.strip() for each in text.split(",") if each.strip()]
    faults = [fault for each in listed if (fault := _fault(each, alone=len(listed) == 1))]
    if faults:
        raise ValueError(" ".join(faults))
    return frozenset(listed)


def allows(allowed: Collection[str], origin: bytes) -> bool:
    """Whether pages of an origin may ask."""
    return ANY in allowed or origin.decode("latin-1") in allowed


def cors(app: ASGIApp, allowed: frozenset[str]) -> ASGIApp:
    """The application, which tells browsers that pages of these origins may ask, and answers their preflights. Cookies
    count for nothing: who asks is known by a key in a header. Any header may be sent, since none gives any right but
    those; only listed origins reach a server in the network of the browser's own machine."""
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
    """Why a browser never sends this as an origin."""
    if origin == ANY:
        return None if alone else "'*' means every origin: nothing can stand beside it."
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
