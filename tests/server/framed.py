"""Requests with ambiguous framing, with the expected statuses."""

from __future__ import annotations

from typing import NamedTuple

QUERY = b'{"query":"{ __typename }"}'
JSON = b"content-type: application/json\r\n"
LOCALHOST = b"host: localhost\r\n"
POST = b"POST /graphql HTTP/1.1"
CHUNKED = b"transfer-encoding: chunked\r\n"
IN_A_CHUNK = b"1a\r\n" + QUERY + b"\r\n0\r\n\r\n"


class Case(NamedTuple):
    """Bytes of a connection, and the expected statuses."""

    data: bytes
    statuses: tuple[int, ...]
    ends: bool = False
    """Whether the server closes the connection after responses that do not refuse the framing."""


def post(
    more: bytes = b"",
    body: bytes = QUERY,
    line: bytes = POST,
    host: bytes = LOCALHOST,
    *,
    length: bool = True,
) -> bytes:
    """Build a POST with these header lines, and its length unless told otherwise."""
    given = b"content-length: %d\r\n" % len(body) if length else b""
    return line + b"\r\n" + host + JSON + given + more + b"\r\n" + body


def _headed(lines: bytes) -> bytes:
    """Build a POST whose length is given by these lines."""
    return post(lines, length=False)


def _chunked(lines: bytes = CHUNKED, body: bytes = IN_A_CHUNK, line: bytes = POST) -> bytes:
    return post(lines, body, line, length=False)


def _hosted(host: bytes, line: bytes = POST) -> bytes:
    return post(host=b"host: " + host + b"\r\n", line=line)


COUNTS = {
    "100 fields": (post(b"a: b\r\n" * 97), 200),
    "101 fields": (post(b"a: b\r\n" * 98), 400),
    "fields without end": (POST + b"\r\n" + LOCALHOST + b"a:\r\n" * 15_000, 400),
}
LENGTHS = {
    "one": (post(), 200),
    "and chunks": (_chunked(b"content-length: 26\r\n" + CHUNKED), 400),
    "after chunks": (_chunked(CHUNKED + b"content-length: 26\r\n"), 400),
    "twice the same": (post(b"content-length: 26\r\n"), 400),
    "twice": (post(b"content-length: 27\r\n"), 400),
    "list": (_headed(b"content-length: 26, 26\r\n"), 400),
    "plus": (_headed(b"content-length: +26\r\n"), 400),
    "zeros before": (_headed(b"content-length: 0026\r\n"), 200),
    "hexadecimal": (_headed(b"content-length: 0x1a\r\n"), 400),
    "empty": (_headed(b"content-length:\r\n"), 400),
    "space within": (_headed(b"content-length: 2 6\r\n"), 400),
    "space behind": (_headed(b"content-length: 26  \r\n"), 200),
    "space before the colon": (_headed(b"content-length : 26\r\n"), 400),
    "underscore": (_headed(b"content-length: 2_6\r\n"), 400),
    "superscript": (_headed(b"content-length: \xb26\r\n"), 400),
}
ENCODINGS = {
    "unknown": (_headed(b"transfer-encoding: xchunked\r\n"), 400),
    "identity": (post(b"transfer-encoding: identity\r\n"), 400),
    "chunked, identity": (_chunked(b"transfer-encoding: chunked, identity\r\n"), 400),
    "twice": (_chunked(CHUNKED + b"transfer-encoding: identity\r\n"), 400),
    "gzip, chunked": (_chunked(b"transfer-encoding: gzip, chunked\r\n"), 400),
    "empty, chunked": (_chunked(b"transfer-encoding: , chunked\r\n"), 400),
    "capital": (_chunked(b"transfer-encoding: Chunked\r\n"), 200),
    "tab": (_chunked(b"transfer-encoding:\tchunked\r\n"), 200),
    "vertical tab": (_chunked(b"transfer-encoding:\x0bchunked\r\n"), 400),
    "folded": (_chunked(b"transfer-encoding:\r\n chunked\r\n"), 400),
    "bare LF in a chunk": (_chunked(body=IN_A_CHUNK.replace(b"1a\r\n", b"1a\n")), 400),
    "bare LF in an extension": (_chunked(body=IN_A_CHUNK.replace(b"1a\r\n", b"1a;a\nb\r\n")), 400),
    "bytes behind a chunk": (_chunked(body=IN_A_CHUNK.replace(b"\r\n0", b"XX0")), 400),
    "negative chunk": (_chunked(body=b"-" + IN_A_CHUNK), 400),
    "hexadecimal prefix": (_chunked(body=b"0x" + IN_A_CHUNK), 400),
    "trailers": (_chunked(body=IN_A_CHUNK[:-2] + b"x-api-key: a\r\ncontent-length: 5\r\n\r\n"), 400),
    "of HTTP/1.0": (_chunked(line=b"POST /graphql HTTP/1.0"), 400),
}
LINES = {
    "folded": (post(b"x: a\r\n b\r\n"), 400),
    "bare LF everywhere": (post().replace(b"\r\n", b"\n"), 400),
    "bare LF once": (post(b"x: a\n"), 400),
    "bare LF at the end": (post()[: -len(QUERY)].rstrip(b"\r\n") + b"\n\n" + QUERY, 400),
    "bare CR": (post(b"x: a\rb: c\r\n"), 400),
    "NUL in a value": (post(b"x: a\0b\r\n"), 400),
    "NUL in a name": (post(b"x\0: a\r\n"), 400),
    "no name": (post(b": a\r\n"), 400),
    "no colon": (post(b"xyz\r\n"), 400),
    "8 bits": (post(b"x: \xff\xfe\r\n"), 200),
    "CRLFs before": (b"\r\n\r\n\r\n" + post(), 200),
    "capitals": (post().replace(b"content-length", b"CoNtEnT-LeNgTh").replace(b"host", b"HOST"), 200),
}
HOSTS = {
    "none": (post(host=b""), 400),
    "two": (post(host=LOCALHOST + b"host: evil.example\r\n"), 400),
    "two, evil first": (post(host=b"host: evil.example\r\n" + LOCALHOST), 400),
    "two, HTTP/1.0": (post(host=LOCALHOST + LOCALHOST, line=b"POST /graphql HTTP/1.0"), 400),
    "list": (_hosted(b"localhost, evil.example"), 400),
    "empty": (_hosted(b""), 403),
    "evil": (_hosted(b"evil.example"), 403),
    "user": (_hosted(b"localhost@evil.example"), 400),
    "evil user": (_hosted(b"evil.example@localhost"), 400),
    "fragment": (_hosted(b"evil.example#@localhost"), 400),
    "backslash": (_hosted(b"evil.example\\@localhost"), 400),
    "tab": (_hosted(b"localhost\tevil"), 400),
    "slash": (_hosted(b"localhost/evil.example"), 400),
    "port": (_hosted(b"localhost:8000"), 200),
    "port that is no number": (_hosted(b"localhost:80a"), 400),
    "IPv6": (_hosted(b"[::1]:8000"), 200),
    "of the target": (_hosted(b"localhost", b"POST http://localhost/graphql HTTP/1.1"), 200),
    "evil in the target": (_hosted(b"localhost", b"POST http://evil.example/graphql HTTP/1.1"), 400),
    "evil beside the target": (_hosted(b"evil.example", b"POST http://localhost/graphql HTTP/1.1"), 400),
    "forwarded": (post(b"x-forwarded-host: localhost\r\nforwarded: host=localhost\r\n", host=b"host: evil\r\n"), 403),
}
TARGETS = {
    "authority": (post(line=b"POST localhost:80 HTTP/1.1"), 400),
    "star": (post(line=b"OPTIONS * HTTP/1.1"), 404),
    "two slashes": (post(line=b"POST //graphql HTTP/1.1"), 404),
    "slash behind": (post(line=b"POST /graphql/ HTTP/1.1"), 404),
    "escape": (post(line=b"POST /%67raphql HTTP/1.1"), 200),
    "parent": (post(line=b"POST /x/../graphql HTTP/1.1"), 404),
    "fragment": (post(line=b"POST /graphql#f HTTP/1.1"), 400),
    "query": (post(line=b"POST /graphql?a HTTP/1.1"), 200),
    "parameter": (post(line=b"POST /graphql;a HTTP/1.1"), 404),
    "HTTP/2.0": (post(line=b"POST /graphql HTTP/2.0"), 400),
    "HTTP/1.2": (post(line=b"POST /graphql HTTP/1.2"), 400),
    "preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "small letters": (post(line=b"post /graphql HTTP/1.1"), 400),
    "two spaces": (post(line=b"POST  /graphql HTTP/1.1"), 200),
    "tabs": (post(line=b"POST\t/graphql\tHTTP/1.1"), 400),
    "GET with a body": (post(line=b"GET /graphql?query={__typename} HTTP/1.1"), 200),
    "CONNECT": (post(line=b"CONNECT localhost:80 HTTP/1.1"), 400),
}
OTHERS = {
    "expectation of another kind": (post(b"expect: 200-ok\r\n"), 200),
    "another method": (post(b"x-http-method-override: DELETE\r\n"), 200),
    "two content types, text last": (post(b"content-type: text/plain\r\n"), 415),
    "two content types, JSON last": (post().replace(JSON, b"content-type: text/plain\r\n" + JSON), 200),
    "two encodings": (post(b"content-encoding: gzip\r\ncontent-encoding: identity\r\n"), 200),
}
UPGRADES = {
    "h2c": post(b"connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n"),
    "unknown": post(b"connection: upgrade\r\nupgrade: foo\r\n"),
    "list": post(b"connection: upgrade\r\nupgrade: websocket, h2c\r\n"),
    "twice": post(b"connection: upgrade\r\nupgrade: websocket\r\nupgrade: h2c\r\n"),
    "two connections": post(b"connection: upgrade\r\nconnection: keep-alive\r\nupgrade: h2c\r\n"),
    "WebSocket by POST": post(
        b"connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
        b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    ),
    "WebSocket with a body": post(
        b"connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
        b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        line=b"GET /graphql?query={__typename} HTTP/1.1",
    ),
    "in chunks": _chunked(CHUNKED + b"connection: upgrade\r\nupgrade: h2c\r\n"),
}
GROUPS = {
    "count": COUNTS,
    "length": LENGTHS,
    "transfer encoding": ENCODINGS,
    "line": LINES,
    "host": HOSTS,
    "target": TARGETS,
    "other": OTHERS,
    "upgrade": {name: (data, 200) for name, data in UPGRADES.items()},
}
CASES = {
    f"{group}: {name}": Case(data, (status,))
    for group, cases in GROUPS.items()
    for name, (data, status) in cases.items()
} | {
    "expectation": Case(post(b"expect: 100-continue\r\n"), (100, 200)),
    "expectation, twice": Case(post(b"expect: 100-continue\r\nexpect: 100-continue\r\n"), (100, 200)),
    "HTTP/1.0": Case(post(line=b"POST /graphql HTTP/1.0"), (200,), ends=True),
    "HTTP/1.0, kept": Case(post(b"connection: keep-alive\r\n", line=b"POST /graphql HTTP/1.0"), (200,), ends=True),
    "none after the last": Case(post(b"connection: close\r\n") + post(), (200,), ends=True),
    "fifty in one piece": Case(post() * 50, (200,) * 50),
    "fifty upgrades in one piece": Case(UPGRADES["h2c"] * 50, (200,) * 50),
    "no host, HTTP/1.0": Case(post(host=b"", line=b"POST /graphql HTTP/1.0"), (403,), ends=True),
    "upgrade of HTTP/1.0": Case(
        post(b"connection: upgrade\r\nupgrade: websocket\r\n", line=b"POST /graphql HTTP/1.0"), (200,), ends=True
    ),
}
"""A server without keys answers the cases of `host` with 403, because they name another machine."""
