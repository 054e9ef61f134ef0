"""GraphQL documents and JSON bodies that cost more to check than to send."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from tests.attacks.attack import SMALL, Attack, document, packed, request

MANY = 100_000
LEAF = "{ viewer { organizationId } }"
TYPENAMES = " ".join(f"a{n}: __typename" for n in range(MANY))


def documents() -> Iterator[Attack]:
    yield document("fragment bomb", "{ ...F0 } " + _fragments(30, lambda n: f"...F{n + 1} ...F{n + 1}"))
    yield document("fragment bomb below the limits", "{ ...F0 } " + _fragments(12, lambda n: f"...F{n + 1} " * 5))
    yield document("fragment cycle", "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }")
    yield document("cycle of 400 fragments", "{ ...F0 } " + _fragments(400, lambda n: f"...F{(n + 1) % 400}"))
    yield document("alias flood", f"{{ {TYPENAMES} }}")
    yield document("small alias flood", f"{{ {TYPENAMES[:9000].rpartition(' a')[0]} }}")
    yield document("one field again and again", "{ " + "pipelines { totalCount } " * 400 + "}")
    yield document("directive flood", "{ __typename " + "@skip(if: false) " * MANY + "}")
    yield document("unknown directives", "{ __typename " + "@no " * 900 + "}")
    yield document("deep selections", "{ a " * 20_000 + "} " * 20_000)
    yield document("deep selections below the limits", "{ pipelines { nodes " * 300 + "{ id } } " + "} } " * 299)
    yield document("deep lists in an argument", "{ pipeline(id: " + "[" * 40_000 + "]" * 40_000 + ") { id } }")
    yield document("deep objects in an argument", "{ pipeline(id: " + "{a:" * 450 + "1" + "}" * 450 + ") { id } }")
    yield document("deep type of a variable", f"query ($a: {'[' * 900}Int{']' * 900}) {{ __typename }}")
    yield document("long integer", "{ pipelines(first: " + "9" * 90_000 + ") { totalCount } }")
    yield document("long float", "{ pipelines(first: 1." + "9" * 90_000 + "e999999) { totalCount } }")
    yield document("integer beyond 32 bits", "{ pipelines(first: 2147483648) { totalCount } }")
    yield document("introspection cycle", _introspection(12))
    yield document(
        "wide introspection", "{ " + " ".join(f"s{n}: __schema {{ types {{ name }} }}" for n in range(200)) + "}"
    )
    yield document("comment of 90 KB", "#" + "x" * 90_000 + "\n" + LEAF)
    yield document("comment of 1 MB", "#" * 10**6 + "\n" + LEAF)
    yield document("comment of 20 MB", "#" * 20 * 10**6 + "\n" + LEAF)
    yield document("string of 1 MB", '{ pipeline(id: "' + "x" * 10**6 + '") { id } }')
    yield document("block string", '{ pipeline(id: """' + '\\"""\n   ' * 9000 + '""") { id } }')
    yield document("string without its end", '{ pipeline(id: "' + "x" * 90_000)
    yield document("100,000 variables", f"query ({' '.join(f'$v{n}: Int' for n in range(MANY))}) {LEAF}")
    yield document(
        "100,000 arguments", f"{{ pipelines({' '.join(f'a{n}: 1' for n in range(MANY))}) {{ totalCount }} }}"
    )
    yield document("100,000 unknown fields", "{ " + " ".join(f"f{n}" for n in range(MANY)) + " }")
    yield document("900 misspelt fields", "{ " + " ".join(f"pipelnes{n}" for n in range(900)) + " }")
    yield document("100,000 operations", " ".join(f"query q{n} {LEAF}" for n in range(MANY)))
    yield document("300 operations", " ".join(f"query q{n} {LEAF}" for n in range(300)))
    yield document("100,000 fragments", LEAF + "fragment F on Query { __typename } " * MANY)
    yield document("100,000 types", "type T { a: Int } " * MANY)
    yield document("unknown types", "{ " + "... on Nothing { a } " * 300 + "}")
    yield document("braces only", "{" * 99_000)
    yield document("NUL in a document", "{ \0 }")
    yield document("BOMs in a document", "\ufeff" * 30_000 + LEAF)
    yield document("a cursor of 1 MB", "query ($a: String) { pipelines(after: $a) { totalCount } }", a="x" * 10**6)
    yield document("a name of 1 MB to look for", FIND, f={"nameContains": "%_" * 500_000})
    yield document("wildcards to look for", FIND, f={"nameContains": "%a" * 100})
    yield document("100,000 statuses to look for", FIND, f={"status": ["PENDING"] * MANY})


FIND = "query ($f: PipelineFilter) { pipelines(filter: $f) { totalCount } }"


def bodies() -> Iterator[Attack]:
    yield request("invalid UTF-8", b'{"query": "\xff\xfe"}')
    yield request("lone surrogate", b'{"query": "{ \\ud800 }"}')
    yield request("surrogate as bytes", b'{"query": "\xed\xa0\x80"}')
    yield request("NUL bytes", b"\0" * SMALL)
    yield request("BOM", b"\xef\xbb\xbf" + b'{"query": "{ __typename }"}')
    yield request("UTF-16", '{"query": "{ __typename }"}'.encode("utf-16"))
    yield request("empty", b"")
    yield request("batch", orjson.dumps([{"query": LEAF}] * 10_000))
    yield request("empty batch", b"[]")
    yield request("blanks", b" " * SMALL)
    yield request("deep JSON", _variables(b"[" * 400_000 + b"]" * 400_000))
    yield request("deep objects", _variables(b'{"a":' * 150_000 + b"1" + b"}" * 150_000))
    yield request("long integer in JSON", _variables(b"9" * 1_000_000))
    yield request("long integers in JSON", _variables(b"[" + b",".join([b"9" * 25] * 40_000) + b"]"))
    yield request("float beyond all", _variables(b"1e" + b"9" * 1_000_000))
    yield request("equal keys", _variables(b"{" + b",".join([b'"a":1'] * 160_000) + b"}"))
    yield request("equal keys in many objects", _variables(b"[" + b",".join([b'{"a":1,"a":2}'] * 70_000) + b"]"))
    yield request("NULs in strings", _variables(b"[" + b",".join([b'"\\u0000"'] * 110_000) + b"]"))
    for name, part, count in FILLS:
        yield request(f"1 MiB of {name}", _variables(_filled(part, count, SMALL)))
        yield request(f"15 MiB of {name}", _variables(_filled(part, count, 15 * SMALL)))
        yield packed(f"60 MiB of {name}, packed", _variables(_filled(part, count, 60 * SMALL)))
    yield packed("200 MB of blanks, packed", b" " * 2 * 10**8)
    yield packed("not packed at all", b"", "deflate")
    yield request("gzip cut short", packed("", b"{" + b" " * 10_000).raw.partition(b"\r\n\r\n")[2][:-9], headers=GZIP)
    yield request("gzip of nothing", b"", headers=GZIP)
    yield request("unknown encoding", b"{}", headers={"content-encoding": "br"})
    yield request("encoding twice", b"{}", headers={"content-encoding": "gzip, gzip"})


GZIP = {"content-encoding": "gzip"}
FILLS = (
    ("lists", b"[]", False),
    ("objects", b"{}", False),
    ("keys", b'{"a":1}', False),
    ("numbers", b"0.1", False),
    ("integers", b"7", False),
    ("escapes", b'"\\u0041\\\\"', False),
    ("texts", b'"x"', False),
    ("different keys", b'"%07x":1', True),
)


def _filled(part: bytes, is_object: bool, size: int) -> bytes:
    """Build a list, or an object, of about this many bytes."""
    if is_object:
        count = size // (len(part % 0) + 1)
        return b"{" + b",".join(part % n for n in range(count)) + b"}"
    return b"[" + b",".join([part] * (size // (len(part) + 1) - 20)) + b"]"


def _variables(value: bytes) -> bytes:
    return b'{"query":"{ __typename }","variables":{"a":' + value + b"}}"


def _fragments(count: int, inside: object) -> str:
    assert callable(inside)
    last = f"fragment F{count} on Query {{ __typename }}"
    return " ".join(f"fragment F{n} on Query {{ {inside(n)} }}" for n in range(count)) + last


def _introspection(depth: int) -> str:
    return "{ __schema { types { " + "fields { type { " * depth + "name" + " } }" * depth + " } } }"
