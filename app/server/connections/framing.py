"""Framing of HTTP/1.1 requests beyond what llhttp checks: the version, the target, Host and Upgrade.

https://www.rfc-editor.org/rfc/rfc9112
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import httptools

HeaderList = Sequence[tuple[bytes, bytes]]
HOST = re.compile(rb"(?:[\w.~!$&'()*+;=%-]*|\[[0-9A-Fa-f:.]+\])(?::\d{0,5})?", re.ASCII)
"""One uri-host with an optional port (RFC 3986, 3.2.2), without the comma, which would allow a list of hosts."""


MAX_HEADERS = 100
"""Maximum number of header fields of a request. Each takes far more memory than its bytes."""


class BadFraming(Exception):
    """Ambiguous request: two parsers may read it differently."""


def check_head(version: str, method: bytes, target: bytes, headers: HeaderList) -> None:
    """Raise BadFraming for a head that must be answered 400."""
    if version not in ("1.1", "1.0"):
        raise BadFraming("The version must be HTTP/1.1 or HTTP/1.0.")
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) > 1 or (not hosts and version == "1.1"):
        raise BadFraming(f"A request needs one Host header; this one has {len(hosts)}.")
    if hosts and not _is_host(hosts[0]):
        raise BadFraming("The Host header must be one host with an optional port.")
    encodings = [value for name, value in headers if name == b"transfer-encoding"]
    if version == "1.0" and encodings:
        raise BadFraming("HTTP/1.0 has no Transfer-Encoding.")
    if encodings and [value.lower() for value in encodings] != [b"chunked"]:
        raise BadFraming("Transfer-Encoding must be chunked.")
    if method == b"CONNECT":
        raise BadFraming("CONNECT is for proxies.")
    if b"#" in target:
        raise BadFraming("The target must not have a fragment.")
    if not target.startswith(b"/") and target != b"*" and hosts and _authority(target) != hosts[0].lower():
        raise BadFraming("The Host header must be the host of the target.")


def is_websocket_handshake(version: str, method: bytes, headers: HeaderList) -> bool:
    """Return whether a head with an upgrade asks for a WebSocket and has no body."""
    upgrades = [value.strip().lower() for name, value in headers if name == b"upgrade"]
    has_body = any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0 ")) for name, value in headers
    )
    return method == b"GET" and version == "1.1" and upgrades == [b"websocket"] and not has_body


def without_upgrade(version: str, method: bytes, target: bytes, headers: HeaderList) -> bytes:
    """Return the same head without the request for an upgrade (RFC 9110, 7.8)."""
    kept = [b"%b: %b\r\n" % field for field in headers if field[0] != b"upgrade"]
    return b"%b %b HTTP/%b\r\n%b\r\n" % (method, target, version.encode(), b"".join(kept))


@lru_cache(256)
def _is_host(value: bytes) -> bool:
    return HOST.fullmatch(value) is not None


def _authority(target: bytes) -> bytes | None:
    """Return the host and port of a target in absolute form."""
    try:
        url = httptools.parse_url(target)
    except httptools.HttpParserInvalidURLError:
        return None
    if not url.host or url.userinfo:
        return None
    host = b"[%b]" % url.host if b":" in url.host else url.host
    return (b"%b:%d" % (host, url.port) if url.port is not None else host).lower()
