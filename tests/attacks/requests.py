"""Malformed or uncommon HTTP requests, and REST requests that cost more to check than to send."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from tests.attacks.attack import REFUSED, SMALL, Attack, request

QUERY = b'{"query":"{ __typename }"}'
HEAD = b"POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
SILENT = frozenset({0, 100, 200}) | REFUSED
"""The end of the connection without an answer is allowed too."""
MANY = 100_000
ENTRY = {"element_type": "entry", "values": {"a": 1}}


def http() -> Iterator[Attack]:
    for name, headers, body in (
        ("no length", b"", QUERY),
        ("negative length", b"content-length: -1\r\n", QUERY),
        ("length that is none", b"content-length: many\r\n", QUERY),
        ("two lengths", b"content-length: 5\r\ncontent-length: 26\r\n", QUERY),
        ("length of 20 digits", b"content-length: 99999999999999999999\r\n", QUERY),
        ("length of a terabyte", b"content-length: 1099511627776\r\n", QUERY),
        ("longer than its length", b"content-length: 5\r\n", QUERY),
        (
            "length and chunks",
            b"content-length: 26\r\ntransfer-encoding: chunked\r\n",
            b"1a\r\n" + QUERY + b"\r\n0\r\n\r\n",
        ),
        ("chunk of a size that is none", b"transfer-encoding: chunked\r\n", b"zz\r\n" + QUERY + b"\r\n0\r\n\r\n"),
        ("chunk of a huge size", b"transfer-encoding: chunked\r\n", b"ffffffffffffffffff\r\n" + QUERY),
        (
            "chunk extensions",
            b"transfer-encoding: chunked\r\n",
            b"1a;" + b"x" * 60_000 + b"\r\n" + QUERY + b"\r\n0\r\n\r\n",
        ),
        ("chunks of a byte", b"transfer-encoding: chunked\r\n", b"1\r\n \r\n" * MANY + b"0\r\n\r\n"),
        (
            "trailers",
            b"transfer-encoding: chunked\r\n",
            b"1a\r\n" + QUERY + b"\r\n0\r\n" + b"a: b\r\n" * 10_000 + b"\r\n",
        ),
        ("unknown transfer encoding", b"transfer-encoding: gzip\r\n", QUERY),
        ("header flood", b"a: b\r\n" * 10_000 + b"content-length: 26\r\n", QUERY),
        ("header of 1 MB", b"a: " + b"x" * 10**6 + b"\r\ncontent-length: 26\r\n", QUERY),
        ("expects to be asked", b"expect: 100-continue\r\ncontent-length: 26\r\n", QUERY),
        ("wants another protocol", b"connection: upgrade\r\nupgrade: h2c\r\ncontent-length: 26\r\n", QUERY),
        ("wants half a WebSocket", b"connection: upgrade\r\nupgrade: websocket\r\ncontent-length: 0\r\n", b""),
        ("NUL in a header", b"a: \0\r\ncontent-length: 26\r\n", QUERY),
        ("folded header", b"a: b\r\n c\r\ncontent-length: 26\r\n", QUERY),
        (
            "1,000 requests at once",
            b"content-length: 26\r\n\r\n" + QUERY + (HEAD + b"content-length: 26\r\n\r\n" + QUERY) * 999 + HEAD,
            b"",
        ),
    ):
        yield Attack(name, HEAD + headers + b"\r\n" + body, len(body), SILENT)
    yield Attack("no HTTP at all", b"\x16\x03\x01\x02\x00" * 1000, 0, SILENT)
    yield Attack("HTTP/0.9", b"GET /graphql\r\n\r\n", 0, SILENT)
    yield Attack("HTTP/9.9", b"GET /graphql HTTP/9.9\r\n\r\n", 0, SILENT)
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "HEAD"):
        yield request(method, QUERY, method=method)
    yield Attack("method that is none", HEAD.replace(b"POST", b"EAT") + b"content-length: 0\r\n\r\n", 0, SILENT)
    for kind in (
        "text/plain",
        "multipart/form-data",
        "application/x-www-form-urlencoded",
        "a" * 5000,
        "application/json; charset=utf-16",
    ):
        yield request(f"content type {kind[:40]}", QUERY, headers={"content-type": kind})


def gets() -> Iterator[Attack]:
    for name, target in (
        ("query of 60 KB by GET", "/graphql?query=" + "%7B" * 20_000),
        ("query of 1 MB by GET", "/graphql?query=" + "x" * 10**6),
        ("10,000 parameters", "/graphql?" + "&".join(f"a{n}=1" for n in range(5_000))),
        ("a parameter twice", "/graphql?query=%7B__typename%7D&query=%7B__typename%7D"),
        (
            "mutation by GET",
            "/graphql?query=mutation%7BdeletePipeline(input:%7Bid:%22a%22%7D)%7BuserErrors%7Bcode%7D%7D%7D",
        ),
        ("bytes that are no text", "/graphql?query=%ff%fe"),
        ("NUL in an address", "/pipelines/%00"),
        ("path upwards", "/explorer/../../../../etc/passwd"),
        ("path upwards, escaped", "/explorer/%2e%2e/%2e%2e/%2e%2e/etc/passwd"),
        ("address of 50 KB", "/" + "a/" * 25_000),
        ("wildcards", "/pipelines?name=ilike." + "%25a" * 80),
        ("20,000 wildcards", "/pipelines?name=ilike." + "%25a" * 15_000),
        ("single wildcards", "/pipelines?name=ilike." + "_" * 255),
        ("regular expression", "/pipelines?name=ilike.(a%2B)%2B%24"),
        ("10,000 statuses", "/pipelines?status=in.(" + ",".join(["pending"] * 7_000) + ")"),
        ("10,000 filters", "/pipelines?" + "&".join(["status=eq.pending"] * 3_000)),
        ("huge limit", "/pipelines?limit=1e99"),
        ("huge offset", "/pipelines?offset=99999999999999999999"),
        ("integer of 50,000 digits", "/pipelines?limit=" + "9" * 50_000),
        ("unknown operator", "/pipelines?name=drop.table"),
    ):
        yield request(name, method="GET", target=target)


def rest() -> Iterator[Attack]:
    for name, elements in (
        ("100,000 elements", {f"e{n}": 1 for n in range(MANY)}),
        ("40,000 elements that are right", {f"e{n}": ENTRY for n in range(25_000)}),
        ("250 misspelt types", {f"e{n}": {"element_type": f"data_fitt{n}"} for n in range(250)}),
        ("type of 1 MB", {"a": {"element_type": "x" * 10**6}}),
        ("name of 1 MB", {"x" * 10**6: ENTRY}),
        ("100,000 misspelt fields", {"a": {"element_type": "data_fit", **{f"objectivs{n}": 1 for n in range(50_000)}}}),
        ("elements in a list", [ENTRY] * 20_000),
        ("deep configuration", None),
        ("1 MiB of values", {"a": {"element_type": "entry", "values": {f"v{n}": 1.5 for n in range(80_000)}}}),
    ):
        body = orjson.dumps({"project_id": "p", "elements": elements})
        if elements is None:
            deep = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
            body = b'{"project_id":"p","elements":{"a":' + deep + b"}}"
        assert len(body) < 2 * SMALL
        yield request(f"REST: {name}", body, target="/pipelines")
    wrong = orjson.dumps({"project_id": "p", "elements": {"a": ENTRY}, **{f"f{n}": 1 for n in range(70_000)}})
    yield request("REST: 70,000 unknown fields", wrong, target="/pipelines")
    yield request(
        "REST: fields of wrong types", b'{"project_id":[],"name":{},"elements":7,"options":[]}', target="/pipelines"
    )
    yield request("REST: key of 50 KB", b"{}", target="/pipelines", headers={"idempotency-key": "k" * 50_000})
    yield request("REST: start of nothing", b"", target="/pipelines/" + "a" * 5_000 + "/start")
    yield request("REST: patch with lists", b"[" + b"[]," * 50_000 + b"[]]", method="PATCH", target="/pipelines/a")
