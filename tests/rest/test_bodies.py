"""Bodies, compressed or not: accepted if they can be stored exactly, otherwise refused without a change."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

import orjson
import pytest

from tests.api import Api
from tests.rest.requests import ENTRY, JSON, get, pipeline

WHOLE = orjson.dumps(pipeline())
PACKED = gzip.compress(WHOLE, mtime=0)


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels):
        value = {"of": [value]}
    return value


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("GZIP", gzip.compress),
        ("x-gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("identity", bytes),
    ],
)
@pytest.mark.parametrize("config", [{}, nested(30)], ids=["small", "deep"])
async def test_a_configuration_is_kept_however_it_is_packed(shared: Api, encoding: str, pack: Any, config: Any) -> None:
    sent = {**ENTRY, **config}
    body = pack(orjson.dumps(pipeline(elements={"large": sent})))
    answer = await shared.http.post("/pipelines", content=body, headers={**JSON, "content-encoding": encoding})
    assert answer.status_code == 201, answer.text
    [element] = await get(shared, f"/pipelines/{answer.json()['id']}/elements")
    assert element["job_config"] == sent


@pytest.mark.parametrize("charset", ["", "; charset=utf-8", '; charset="UTF-8"', ";charset=us-ascii"])
async def test_utf_8_is_taken_by_any_of_its_names(shared: Api, charset: str) -> None:
    answer = await shared.http.post("/pipelines", content=WHOLE, headers={"content-type": "application/json" + charset})
    assert answer.status_code == 201


async def total(api: Api) -> int:
    found: int = (await get(api, "/pipelines"))["total"]
    return found


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", WHOLE),
        ("gzip", b""),
        ("gzip", PACKED[:-1]),
        ("gzip", PACKED[:10]),
        ("gzip", PACKED + b"more"),
        ("gzip", PACKED[:20] + b"\0" + PACKED[21:]),
        ("deflate", zlib.compress(WHOLE)[:-4]),
        ("deflate", PACKED),
    ],
)
async def test_a_body_that_cannot_be_unpacked_is_a_bad_request(shared: Api, encoding: str, body: bytes) -> None:
    before = await total(shared)
    answer = await shared.http.post("/pipelines", content=body, headers={**JSON, "content-encoding": encoding})
    assert answer.status_code == 400
    assert answer.json()["error_code"] == "BAD_REQUEST"
    assert await total(shared) == before


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/jsonp"},
        {"content-type": "application/json; charset=latin-1"},
        {"content-type": ""},
        {},
        {**JSON, "content-encoding": "br"},
        {**JSON, "content-encoding": "gzip, gzip"},
    ],
)
async def test_another_kind_of_body_is_unsupported(shared: Api, headers: dict[str, str]) -> None:
    before = await total(shared)
    answer = await shared.http.post("/pipelines", content=WHOLE, headers=headers)
    assert answer.status_code == 415
    assert answer.json()["error_code"] == "UNSUPPORTED_MEDIA_TYPE"
    assert await total(shared) == before


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"", []),
        (b"{", []),
        (b"nonsense", []),
        (b'{"project_id": NaN}', []),
        (b'{"project_id": "\xff"}', []),
        ('{"project_id": "p"}'.encode("utf-16"), []),
        (b"\xef\xbb\xbf" + WHOLE, []),
        (b'{"project_id": "\\ud800"}', ["project_id"]),
        (b"[" * 100_000, []),
        (b'{"a":' * 129 + b"1" + b"}" * 129, []),
        (b'{"project_id": ' + b"9" * 5000 + b"}", []),
        (b'{"project_id": 18446744073709551616}', ["project_id"]),
        (b'{"project_id": "\\u0000"}', ["project_id"]),
        (b'{"project_id": "p", "project_id": "q"}', ["project_id"]),
        (b'{"elements": {"fit": {"a": 1, "a": 2}}}', ["elements", "fit", "a"]),
        (b'{"elements": {"fit": {}, "f\\u0069t": {}}}', ["elements", "fit"]),
        (b'{"elements": {"fit": {"x": [{"a": 1, "a": 1}]}}}', ["elements", "fit", "x", 0, "a"]),
    ],
)
async def test_json_that_cannot_be_kept_is_invalid_at_its_place(shared: Api, body: bytes, place: list[Any]) -> None:
    before = await total(shared)
    answer = await shared.http.post("/pipelines", content=body, headers=JSON)
    assert answer.status_code == 422
    [fault] = answer.json()["detail"]
    assert fault["loc"] == ["body", *place]
    assert await total(shared) == before


async def test_an_answer_stays_short_below_a_long_key(shared: Api) -> None:
    twice = ",".join(['"a": 1'] * 200)
    body = f'{{"{"k" * 1_000_000}": {{{twice}}}}}'.encode()
    answer = await shared.http.post("/pipelines", content=body, headers=JSON)
    assert (answer.status_code, len(answer.json()["detail"])) == (422, 100)
    assert len(answer.content) < 100_000
