"""Strict JSON: a text is accepted only if it can be stored without loss."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import BadJson
from app.server.bodies.strict_json import decode

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), inner)
    ),
)


@given(JSON)
def test_what_can_be_kept_is_taken_as_it_is(value: Any) -> None:
    text = orjson.dumps(value)
    assert orjson.dumps(decode(text, 200)) == text


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ('{"a":1,"a":1}', [("a",)]),
        ('{"a":{"b":[0,{"c":1,"\\u0063":2,"c":3}]}}', [("a", "b", 1, "c"), ("a", "b", 1, "c")]),
        ('{"a":"\\u0000","b\\u0000":1}', [("a",), ("b\0",)]),
        ("[18446744073709551616,-9223372036854775809,18446744073709551615]", [(0,), (1,)]),
        ('{"x":99999999999999999999,"y":[1,1],"x":0}', [("x",), ("x",)]),
        ('{"a":1,"a":"\\u003a"}', [("a",)]),
    ],
)
def test_every_place_that_would_change_is_named(text: str, places: list[tuple[str | int, ...]]) -> None:
    with pytest.raises(BadJson) as caught:
        decode(text.encode(), 64)
    assert [problem.path for problem in caught.value.problems] == places


@pytest.mark.parametrize(
    "text",
    [
        '{"a:b":"c:d","e\\"":":"}',
        '"\\\\u0000"',
        "0.12345678901234567890123",
        "1e22",
        "123456789012345678901.5",
        "12345678901234567890E2",
        '{"":{"":{}}}',
        '["1234567890123456789012"]',
        " [ -0 , 1.0 ] ",
    ],
)
def test_what_only_looks_suspicious_is_taken(text: str) -> None:
    assert decode(text.encode(), 64) == orjson.loads(text)


WRITTEN = ['"a"', '"b"', '":"', '"\\":"', '"\\\\"', '"\\u003a"', '"a\\u003a:"']
OBJECTS = st.recursive(
    st.sampled_from([*WRITTEN, "1", "null"]),
    lambda inner: st.lists(st.tuples(st.sampled_from(WRITTEN), inner), max_size=4).map(
        lambda pairs: "{" + ",".join(f"{key}:{value}" for key, value in pairs) + "}"
    ),
    max_leaves=8,
)


@given(OBJECTS, st.sampled_from(["", " " * 2000]))
def test_a_key_is_taken_once_however_short_the_text_is(text: str, blanks: str) -> None:
    def is_twice(pairs: list[tuple[str, Any]]) -> Any:
        found.append(len(dict(pairs)) < len(pairs))

    found: list[bool] = []
    json.loads(text, object_pairs_hook=is_twice)
    try:
        decode(f"{text}{blanks}".encode(), 64)
    except BadJson:
        assert any(found)
    else:
        assert not any(found)


@pytest.mark.parametrize("text", [b"", b"NaN", b"[1,]", b"'a'", b"\xff", b"1e999", b"9" * 5000, b"[" * 2000])
def test_what_is_no_json_is_refused(text: bytes) -> None:
    with pytest.raises(BadJson, match=r"not JSON|not UTF-8"):
        decode(text, 64)


def test_each_half_of_a_surrogate_pair_is_named_with_its_place() -> None:
    with pytest.raises(BadJson) as refused:
        decode(rb'{"a": ["x", "\ud83c"], "\udf89": {"b": "\udf89x", "whole": "\ud83c\udf89"}}', 64)
    assert [(problem.path, "unpaired surrogate" in problem.message) for problem in refused.value.problems] == [
        (("a", 1), True),
        (("\\udf89",), True),
        (("\\udf89", "b"), True),
    ]


@pytest.mark.parametrize("text", [rb'"\ud83c" x', rb'["\ud83c", NaN]', rb'["\ud83c", "\ud8"]', b'["\\ud83c", "\xff"]'])
def test_half_a_surrogate_pair_is_no_excuse_for_what_is_no_json(text: bytes) -> None:
    with pytest.raises(BadJson, match=r"not JSON|not UTF-8") as refused:
        decode(text, 64)
    assert not refused.value.problems


def test_nesting_is_bounded() -> None:
    assert decode(b"[" * 64 + b"]" * 64, 64)
    with pytest.raises(BadJson, match="nests deeper than 64"):
        decode(b"[" * 65 + b"]" * 65, 64)


def test_an_endless_list_of_faults_is_cut_short() -> None:
    with pytest.raises(BadJson) as caught:
        decode(b"{" + b",".join(b'"a":1' for _ in range(10_000)) + b"}", 64)
    assert len(caught.value.problems) == 100
